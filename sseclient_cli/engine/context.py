"""The objects and settings that the streams of one worker share."""

from __future__ import annotations

from dataclasses import dataclass, field

from sseclient_cli.engine.attempts import Attempts
from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connector import Connector
from sseclient_cli.engine.held_memory import HeldMemory
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.tcp_transport import SocketOptions

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Default limit of one event. It is lower than the parser's limit, so that a load test soon detects an endless event.
``held_memory.py`` limits the memory of all streams together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext:
    """Connector, poller, clock, counters and limits of a worker's streams. Measurement is in ``measure/``."""

    connector: Connector
    poller: Poller
    clock: RunClock = field(default_factory=RunClock)
    reads: Reads = field(default_factory=Reads)
    attempts: Attempts = field(default_factory=Attempts)
    held_memory: HeldMemory = field(default_factory=HeldMemory)
    events_per_stream: int | None = None
    max_event_bytes: int = MAX_EVENT_BYTES
    retry_statuses: frozenset[int] = frozenset()
    error_statuses: frozenset[int] = frozenset()
    """Statuses with which a body of JSON is an answer, and is read as one: it says what the error is."""
    socket_options: SocketOptions = ()
    """Options that each connection sets before it connects."""

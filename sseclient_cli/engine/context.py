"""The objects and settings that the streams of one worker share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sseclient_cli.engine.attempts import Attempts
from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connection import Connection
from sseclient_cli.engine.connector import Connector, PreparedRequest
from sseclient_cli.engine.exchange import Channel, Exchange
from sseclient_cli.engine.held_memory import HeldMemory
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.tcp_transport import SocketOptions

if TYPE_CHECKING:
    from sseclient_cli.engine.http2_sessions import Http2Sessions

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
    http2: Http2Sessions | None = None
    """The connections that streams share; None for HTTP/1.1, with a connection for each stream."""

    def channel(self, request: PreparedRequest, exchange: Exchange) -> Channel:
        """Begin to connect, or join a connection. Raises ConnectError or LimitError."""
        if self.http2 is not None:
            return self.http2.channel(request, exchange)
        transport = self.connector.connect(request, self.socket_options)
        return Connection(request, transport, exchange, poller=self.poller, clock=self.clock, reads=self.reads)

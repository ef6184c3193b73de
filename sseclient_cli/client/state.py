"""What an EventSource tells about itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sseclient_cli.errors import SseError
from sseclient_cli.sse.reconnection import StopReason


class ConnectionState(Enum):
    """What an EventSource is doing (``readyState`` of 9.2.2, with the wait as a state of its own)."""

    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StateChange:
    """What an EventSource does from now on, and why.

    ``error`` is what ended the last connection or attempt, None if it ended in order. ``delay_s`` is the
    length of the wait, for WAITING only. ``stop`` is set for CLOSED where the server asked for it (status 204).
    ``diagnosis`` says what is odd about the bytes of the connection that ended: why they made no event, or that the
    last event was not complete; empty if nothing is.
    """

    state: ConnectionState
    reason: str
    error: SseError | None = None
    delay_s: float | None = None
    stop: StopReason | None = None
    diagnosis: str = ""

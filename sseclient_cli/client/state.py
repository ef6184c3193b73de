"""The states of an EventSource."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sseclient_cli.errors import SseError
from sseclient_cli.sse.response_check import StopReason


class ConnectionState(Enum):
    """The state of an EventSource (``readyState`` of WHATWG HTML 9.2.2, plus WAITING between two connections)."""

    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change of the state of an EventSource, with its reason.

    ``error`` ended the last connection or attempt; None after a proper end. ``delay_s`` is the length of the wait, only
    for WAITING. ``stop`` is set for CLOSED if the server ended the stream for good (status 204). ``diagnosis``
    describes a fault of the last connection's bytes (no event, or an incomplete last event); empty without a fault.
    """

    state: ConnectionState
    reason: str
    error: SseError | None = None
    delay_s: float | None = None
    stop: StopReason | None = None
    diagnosis: str = ""

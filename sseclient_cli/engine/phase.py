"""Where a stream is in its life, and who is told when that changes."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from sseclient_cli.errors import SseError

if TYPE_CHECKING:
    from sseclient_cli.engine.stream import Stream


class Phase(Enum):
    """Where a stream is in its life."""

    CONNECTING = "connecting"
    SECURING = "securing"
    REQUESTING = "requesting"
    OPEN = "open"
    CLOSED = "closed"


class Owner(Protocol):
    """Who is told what becomes of a stream."""

    def opened(self, stream: Stream) -> None:
        """Hear that the response is seen to be an event stream."""

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        """Hear that the connection has ended, from that phase: with an error or, properly by the server, without."""

    def completed(self, stream: Stream) -> None:
        """Hear that the stream has brought all the events that it was to bring, and close it."""

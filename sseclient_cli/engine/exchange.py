"""The interface between an exchange, one request and its response, and the channel that carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from sseclient_cli.engine.observer import Connected


class Phase(Enum):
    """State of a channel."""

    CONNECTING = "connecting"
    SECURING = "securing"
    REQUESTING = "requesting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Head:
    """A response head and its arrival time."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    """The part of the body in the same read."""
    arrival_ns: int
    """Arrival time of the last byte of that read (wall clock)."""
    is_alone: bool
    """Whether the head was the only data that had arrived."""


class Exchange(Protocol):
    """A request and its response. The channel calls these methods; an exception from a method ends the exchange."""

    def connected(self, connected: Connected) -> bytes:
        """Return the request to send now."""

    def head_received(self, head: Head) -> None:
        """Check the response head: call ``Channel.open``, close the channel, or raise."""

    def body_received(self, body: bytes, arrival_ns: int, *, ends: bool, is_fresh: bool) -> None:
        """Handle a piece of the decoded body. Its last byte arrived at ``arrival_ns`` (wall clock).

        ``ends``: that byte is the last one that had arrived. ``is_fresh``: all earlier data was read before.
        """

    def ended(self, cause: Exception | None) -> None:
        """Close the channel. The response has ended: properly (``cause`` is None), or because of an exception."""


class Channel(Protocol):
    """Carries one exchange: a connection of its own, or a stream of an HTTP/2 connection."""

    phase: Phase
    requested_ns: int
    """Time of the last send of a part of the request (monotonic)."""

    @property
    def is_complete(self) -> bool:
        """Whether the response is complete by its own framing."""

    def open(self, headers: Mapping[str, str]) -> bool:
        """Accept the response and start reading its body. Return whether the whole request has been sent."""

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in the socket, or None if the platform has no such call. Raises OSError."""

    def close(self) -> None:
        """End the exchange. It may be called twice. The exchange is not called afterwards."""

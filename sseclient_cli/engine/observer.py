"""What measures a stream: the engine calls it, and knows no figure itself.

A stream may have several observers, for example an event sampler and a probe of the reach of a broadcast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.sse.event_stream import Event


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection on which the request can be sent; times are monotonic ns."""

    connected_ns: int
    """When TCP was connected."""
    ready_ns: int
    """When the request could be sent: after TLS, where the URL has it."""
    is_tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The response head that opened a stream."""

    headers: Mapping[str, str]
    requested_ns: int
    """When the request was sent (monotonic)."""
    arrival_ns: int
    """When the head arrived (wall clock)."""
    arrival_monotonic_ns: int
    is_exact: bool
    """Whether the head cannot have arrived noticeably earlier, and the whole request had been sent."""
    is_alone: bool
    """Whether no part of the body came in the same read."""


class StreamObserver:
    """The calls that a stream makes, in this order for each of its connections. By default they do nothing."""

    __slots__ = ()

    def connecting(self, intended_ns: int, began_ns: int) -> None:
        """Note that the stream begins to connect, and when it was meant to (monotonic ns)."""

    def connected(self, intended_ns: int, connected: Connected) -> None:
        """Note a connection, one for each request of a redirect chain.

        It was meant to begin at ``intended_ns``: as planned, or when the redirect arrived (monotonic).
        """

    def opened(self, opened: Opened) -> None:
        """Note that the response is an event stream."""

    def received(self, body: bytes, events: list[Event], arrival_ns: int, *, is_exact: bool, is_fresh: bool) -> None:
        """Measure a piece of the body, decoded, and the events that it completed; called once per read.

        The last byte arrived at ``arrival_ns`` (wall clock). ``is_exact``: it was the last byte of the last event.
        ``is_fresh``: everything that had arrived earlier was read before.
        """

    def commented(self, count: int) -> None:
        """Note comments, which may be heartbeats."""

    def ended(self, now_ns: int, *, is_cut: bool) -> None:
        """Note that an open connection ended (monotonic ns); ``is_cut``: not by its end, and not by this client."""

    def finished(self, now_ns: int) -> None:
        """Note that the stream is over (monotonic ns). No call follows."""

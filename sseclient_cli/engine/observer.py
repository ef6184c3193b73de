"""The interface through which the engine reports to measuring code.

A stream can have several observers, for example an event sampler and a probe of the reach of a broadcast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.sse.event_stream import Event
from sseclient_cli.sse.stream_format import StreamFormat


@dataclass(frozen=True, slots=True)
class Connected:
    """The times of a connection that is ready for the request (monotonic ns)."""

    connected_ns: int
    """When the TCP connection was established."""
    ready_ns: int
    """When the request could be sent: after the TLS handshake, if any."""
    is_tls: bool
    is_reused: bool = False
    """Whether the connection belongs to an earlier stream, too (HTTP/2). Then the times are those of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The response head that opened a stream, and its times."""

    headers: Mapping[str, str]
    requested_ns: int
    """When the request was sent (monotonic)."""
    arrival_ns: int
    """When the head arrived (wall clock)."""
    arrival_monotonic_ns: int
    is_exact: bool
    """Whether the whole request was sent, and the arrival time is exact to within ``poller.MAX_UNCERTAINTY_NS``."""
    is_alone: bool
    """Whether the read contained no part of the body."""
    stream_format: StreamFormat = StreamFormat.SSE
    status: int = 200


class StreamObserver:
    """The methods that a stream calls, in this order for each of its connections. By default they do nothing.

    A stream that never opens gets ``connecting`` and ``connected`` at most.

    Parameters that end in ``_ns`` are monotonic, except ``arrival_ns``.
    """

    __slots__ = ()

    def connecting(self, intended_ns: int, began_ns: int) -> None:
        """Handle the start of a connection; ``intended_ns`` is the planned time (monotonic)."""

    def connected(self, intended_ns: int, connected: Connected) -> None:
        """Handle an established connection. Called once per request of a redirect chain.

        ``intended_ns`` is the intended start of the connection (monotonic): the planned time, or the arrival of the
        redirect.
        """

    def opened(self, opened: Opened) -> None:
        """Handle a response that is a stream."""

    def received(
        self,
        body: bytes,
        events: list[Event],
        arrival_ns: int,
        arrival_monotonic_ns: int,
        *,
        is_exact: bool,
        is_fresh: bool,
    ) -> None:
        """Handle a piece of the decoded body; ``events`` are the events that it completed.

        The last byte of the piece arrived at ``arrival_ns`` (wall clock), by the monotonic clock at
        ``arrival_monotonic_ns``. ``is_exact``: that byte is also the last byte
        of the last event. ``is_fresh``: all earlier data was read before.
        """

    def commented(self, count: int) -> None:
        """Handle comments, for example heartbeats."""

    def ended(self, now_ns: int, last_byte_ns: int, *, is_cut: bool) -> None:
        """Handle the end of an open connection, except at the end of the stream: then only ``finished`` is called.

        ``last_byte_ns`` is the arrival of its last byte. ``is_cut``: the peer closed it, or it broke, before the end
        that the framing of the response announces.
        """

    def finished(self, now_ns: int) -> None:
        """Handle the end of a stream that has opened. No other method is called afterwards."""

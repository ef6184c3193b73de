"""The socket of an HTTP/2 connection: the TCP connection, the TLS handshake, bytes with their arrival time.

It knows neither frames nor streams.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns, time_ns
from typing import NamedTuple

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.poller import NOTHING, READABLE, WRITABLE, Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.errors import TlsError
from sseclient_cli.http2_errors import not_chosen, violated

PROTOCOL = "h2"
"""The name of HTTP/2 in the TLS handshake (RFC 9113 3.2)."""

NOT_OFFERED = "no-http1"
"""The code of a TLS error for a server without any of the offered protocols (``request/tls.py``)."""


MAX_UNREAD_BYTES = 256 * 1024
"""Limit of the answers that a server does not read: 15,000 to PING."""


class SocketRead(NamedTuple):
    """The bytes of one read; empty at the end of the connection."""

    data: bytes
    arrival_ns: int
    """Arrival time of the last byte (wall clock)."""
    is_drained: bool
    """Whether the read took all data that had arrived."""
    is_fresh: bool
    """Whether all earlier data was read before."""


class Http2Socket:
    """A non-blocking socket that the poller watches."""

    __slots__ = (
        "_clock", "_handler", "_has_keep_alive", "_interest", "_is_blocked", "_peer", "_poller", "_reads", "_transport",
        "_unread_bytes", "_was_drained", "connected_ns", "ready_ns",
    )  # fmt: skip

    def __init__(
        self,
        transport: TcpTransport,
        peer: str,
        handler: Callable[[], None],
        *,
        poller: Poller,
        clock: RunClock,
        reads: Reads,
    ) -> None:
        """Use a transport that has begun to connect; ``handler`` is called when the socket is ready."""
        self._transport, self._peer, self._handler = transport, peer, handler
        self._poller, self._clock, self._reads = poller, clock, reads
        self.connected_ns = 0
        """When the TCP connection was established (monotonic)."""
        self.ready_ns = 0
        """When the first bytes could be sent, after the TLS handshake if any (monotonic); 0 before."""
        self._is_blocked = False  # the socket accepts no more bytes
        self._unread_bytes = 0
        """Answers since the socket accepts no more bytes."""
        self._was_drained = True
        self._has_keep_alive = False
        self._interest = WRITABLE
        try:
            poller.watch(transport.fileno(), WRITABLE, handler)
        except OSError:
            transport.close()
            raise

    # Connecting.

    def finish_connect(self) -> None:
        """Complete the TCP connection. Raises ConnectError."""
        self._transport.finish_connect()
        self.connected_ns = monotonic_ns()

    def secure(self) -> bool:
        """Continue the TLS handshake, if any. Return whether bytes can be sent. Raises SseError."""
        try:
            is_secure = self._transport.handshake()
        except TlsError as exc:
            raise (not_chosen(self._peer) if exc.code == NOT_OFFERED else exc) from exc
        if not is_secure:
            return False
        if not self._transport.speaks(PROTOCOL):
            raise not_chosen(self._peer)
        self.ready_ns = monotonic_ns()
        return True

    # Sending.

    def send(self, data: bytes) -> None:
        """Send bytes as soon as the socket accepts them. Raises OSError."""
        self._transport.send(data)

    def answer(self, data: bytes) -> None:
        """Send the answers to a read. Raises OSError, or Http2ProtocolError if the server reads none."""
        if data:
            self._unread_bytes = self._unread_bytes + len(data) if self._is_blocked else 0
            if self._unread_bytes > MAX_UNREAD_BYTES:
                raise violated("it does not read the answers to its frames")
            self._transport.send(data)

    def flush(self) -> bool:
        """Send the remaining bytes. Return whether all have been sent. Raises OSError."""
        self._is_blocked = not self._transport.flush()
        return not self._is_blocked

    # Reading.

    def is_over(self) -> bool:
        """Return whether the run is over, so that nothing is read any more."""
        return time_ns() > self._clock.ends_wall_ns and self._clock.is_over()

    def read(self) -> SocketRead | None:
        """Read once; None if there is nothing to handle. Raises OSError, TlsError."""
        clock = self._clock
        try:
            data, timestamp_ns = self._transport.read()
        except BlockingIOError:
            return None
        now_ns = time_ns()
        if now_ns > clock.ends_wall_ns and clock.is_over():
            return None
        is_drained, is_fresh = self._transport.is_drained, self._was_drained
        self._was_drained = is_drained
        arrival_ns = self._reads.arrival_ns(timestamp_ns, now_ns, clock) if data else now_ns
        return SocketRead(data, arrival_ns, is_drained, is_fresh)

    def watch(self, *, is_connecting: bool, has_requests: bool) -> None:
        """Wait for the next step. Requests wait until the socket is writable."""
        interest = READABLE | WRITABLE if self._is_blocked or has_requests else READABLE
        if is_connecting:
            interest = WRITABLE
        if interest != self._interest:
            self._interest = interest
            self._poller.watch(self._transport.fileno(), interest, self._handler)

    def read_on(self) -> None:
        """Read again in the next turn, without waiting."""
        self._poller.has_more = True

    def pause(self, handler: Callable[[], None]) -> None:
        """Stop reading, and call the handler once in the next turn."""
        # The loop's last poll does not bound the arrival time of the next read.
        self._was_drained = False
        self._interest = NOTHING
        self._poller.pause(self._transport.fileno(), handler)

    # The socket itself.

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""
        if not self._has_keep_alive:
            self._transport.keep_alive()
            self._has_keep_alive = True

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes, or None if the platform has no such call. Raises OSError."""
        return self._transport.receive_queue_bytes()

    def close(self) -> None:
        """Close the socket."""
        self._poller.forget(self._transport.fileno())
        self._transport.close()

"""The connections of bad clients, from the moment at which they turn bad.

A ``HeldSocket`` reads slowly or never. A ``HalfRequest`` sends half of a request head. Before that moment, a bad client
is an ordinary ``Stream`` without observers, so the path of good streams has no condition for bad ones.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from time import monotonic_ns

from sseclient_cli.engine.bad_sockets import is_answered, is_reset, pending_error, probe
from sseclient_cli.engine.connection import Connection
from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.exchange import Head, Phase
from sseclient_cli.engine.observer import Connected
from sseclient_cli.engine.poller import NOTHING, Poller
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.units import NS_PER_S

MAX_READ_BYTES = 65_536

Ended = Callable[[bool], None]
"""Called once when the connection has ended. True: the server closed it. False: the network broke."""


class HeldSocket:
    """The socket of a client that reads at most ``bytes_per_s``, or not at all."""

    __slots__ = ("_bytes_per_s", "_on_ended", "_poller", "_read_bytes", "_transport", "_turned_ns", "is_over")

    def __init__(self, transport: TcpTransport, poller: Poller, on_ended: Ended, *, bytes_per_s: int = 0) -> None:
        """Take over a socket that the poller watches."""
        self._transport, self._poller, self._on_ended = transport, poller, on_ended
        self._bytes_per_s = bytes_per_s
        self._turned_ns = monotonic_ns()
        self._read_bytes = 0
        self.is_over = False
        poller.watch(transport.fileno(), NOTHING, self._broken)  # epoll reports a reset without interest

    @property
    def raw_socket(self) -> socket.socket:
        """The socket."""
        return self._transport.raw_socket

    def read_slowly(self, now_ns: int) -> None:
        """Read the bytes that are due. Unread time is lost after a second: a late read must not become a fast one."""
        due_bytes = (now_ns - self._turned_ns) * self._bytes_per_s // NS_PER_S - self._read_bytes
        if due_bytes > self._bytes_per_s:
            self._read_bytes += due_bytes - self._bytes_per_s
            due_bytes = self._bytes_per_s
        if due_bytes < 1 or self.is_over:
            return
        try:
            data = self.raw_socket.recv(min(due_bytes, MAX_READ_BYTES))
        except BlockingIOError:
            return
        except OSError as exc:
            self._end(was_closed=is_reset(exc))
            return
        self._read_bytes += len(data)
        if not data:
            self._end(was_closed=True)

    def probe(self) -> None:
        """Ask the server's kernel whether it still has the connection. The answer arrives later."""
        if self.is_over:
            return
        try:
            probe(self.raw_socket)
        except OSError as exc:
            self._end(was_closed=is_reset(exc))

    def take_answer(self) -> bool:
        """Return whether the last probe is answered. The server has the connection if it is not over then."""
        if self.is_over:
            return True
        error = pending_error(self.raw_socket)
        if error is not None:
            self._end(was_closed=is_reset(error))
            return True
        return is_answered(self.raw_socket)

    def close(self) -> None:
        """Close the socket. It may be called twice."""
        if not self.is_over:
            self.is_over = True
            self._poller.forget(self._transport.fileno())
        self._transport.close()

    def _broken(self) -> None:
        error = pending_error(self.raw_socket)
        self._end(was_closed=error is None or is_reset(error))

    def _end(self, *, was_closed: bool) -> None:
        if not self.is_over:
            self.close()
            self._on_ended(was_closed)


class HalfRequest:
    """A client that sends half of its request head. It implements ``Exchange`` and ``Attempt``."""

    def __init__(self, context: EngineContext, slot: int, on_sent: Callable[[int], None], on_ended: Ended) -> None:
        """Begin to connect. Raises SseError or OSError. ``on_sent`` is called with the slot, before ``on_ended``."""
        self._context, self._on_sent, self._on_ended = context, on_sent, on_ended
        self.slot = slot
        self.began_ns = monotonic_ns()
        self._is_sent = False
        request = context.connector.first_of(slot, slot)
        head, _, _ = request.request.partition(b"\r\n\r\n")
        self._half = head[: len(head) // 2]
        transport = context.connector.connect(request)
        self._connection = Connection(
            request, transport, self, poller=context.poller, clock=context.clock, reads=context.reads
        )
        context.attempts.begin(self)

    @property
    def phase(self) -> Phase:
        """The phase of its connection."""
        return self._connection.phase

    @property
    def requested_ns(self) -> int:
        """When the half was sent (monotonic); 0 before."""
        return self._connection.requested_ns

    @property
    def has_failed(self) -> bool:
        """Whether the connection ended before the half was sent."""
        return self.phase is Phase.CLOSED and not self._is_sent

    def connected(self, connected: Connected) -> bytes:
        """Return the half of the request head."""
        self._context.attempts.under_way -= 1
        self._is_sent = True
        self._on_sent(self.slot)
        return self._half

    def head_received(self, head: Head) -> None:
        """Wait for the end of the connection: a response such as 408 precedes it."""

    def body_received(self, body: bytes, arrival_ns: int, *, ends: bool, is_fresh: bool) -> None:
        """Ignore the body of a response."""

    def ended(self, cause: Exception | None) -> None:
        """Note that the server closed the connection, or that the attempt to connect failed."""
        self._context.attempts.under_way -= not self._is_sent
        self._connection.close()
        if self._is_sent:
            self._on_ended(not isinstance(cause, OSError) or is_reset(cause))

    def close(self) -> None:
        """Close the connection. It may be called twice."""
        self._connection.close()

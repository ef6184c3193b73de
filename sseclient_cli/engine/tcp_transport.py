"""One non-blocking socket, plain or with TLS, and the moment the kernel got its bytes.

With ``SO_TIMESTAMPNS`` Linux hands out, with each read, the wall-clock time at which the last segment of it reached
the socket. A generator that is late to read cannot falsify that. Elsewhere there is no such stamp, and the caller
stamps right after the read. TLS is done on bytes in memory, so that the reads stay ours and keep their stamps.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sseclient_cli.errors import (
    ConnectError,
    ConnectionRefusedByTargetError,
    ConnectTimeoutError,
    LimitError,
    SseError,
)
from sseclient_cli.keepalive import keep_alive
from sseclient_cli.kernel_timestamp import ANCILLARY_BYTES, IS_KNOWN, TIMESPEC, request_timestamps
from sseclient_cli.request.target import Address

if sys.platform != "win32":
    import fcntl
    import termios

READ_BYTES = 16_384
"""At most this much in one read: bounded, so that busy streams cannot keep the loop from its timers. It is some 150
events, which take longer to measure than the read itself: larger reads would gain nothing. A TLS record is as large."""

_UNIX: socket.AddressFamily | None = getattr(socket, "AF_UNIX", None)

# linux/in.h: leave the choice of the port to connect(), which can then use one port for several peers.
_IP_BIND_ADDRESS_NO_PORT = 24

_CONNECT_ERRORS: dict[int, type[SseError]] = {
    errno.ECONNREFUSED: ConnectionRefusedByTargetError,
    errno.ETIMEDOUT: ConnectTimeoutError,
    errno.EMFILE: LimitError,
    errno.ENFILE: LimitError,
}


TIMESTAMPING_STARTS_S = 0.01
"""How long to wait after ``keep_timestamping``: the kernel switches it on in the background, within a millisecond."""


@contextmanager
def keep_timestamping() -> Iterator[None]:
    """Keep the kernel's stamping switched on: it stamps nobody's segments as long as no socket wants it.

    The first segments after a socket has asked go unstamped, unless some other socket had asked before.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        request_timestamps(keeper)
        yield


def has_timestamps(address: Address) -> bool:
    """Return whether the kernel stamps what comes from there: a unix socket has no segments."""
    return IS_KNOWN and address.family != _UNIX


class TcpTransport:
    """A connection to ``address``, in the making from the first moment. All calls return at once."""

    __slots__ = ("_socket", "_timestamped", "_unsent", "is_drained")

    is_drained: bool
    """Whether the last read took all that had arrived. Only then is its stamp that of its last byte: of a segment that
    is read in part, or that the kernel has merged with a later one, it is that of what is still to be read."""

    def __init__(self, address: Address, source: str | None = None) -> None:
        """Begin to connect, from the local address ``source``. Raises ConnectError or LimitError if that fails."""
        try:
            self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as exc:
            raise connect_error(exc.errno or 0) from exc
        self._socket.setblocking(False)
        self._unsent = b""
        # Before connect: the first segment may come with it.
        self._timestamped = request_timestamps(self._socket)
        try:
            if source is not None:
                if sys.platform == "linux":
                    self._socket.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
                self._socket.bind((source, 0))
            code = self._socket.connect_ex(address.socket_address)
        except OSError as exc:
            code = exc.errno or errno.EINVAL
        # Of a unix socket, EAGAIN says that its listener has no room, and not that it takes a while.
        under_way = (0, errno.EINPROGRESS) if address.family == _UNIX else (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
        if code not in under_way:
            self.close()
            raise connect_error(code)

    def fileno(self) -> int:
        """Return the file descriptor, to wait for."""
        return self._socket.fileno()

    def finish_connect(self) -> None:
        """Complete the connection once the socket is writable. Raises ConnectError if there is none."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise connect_error(code)
        if self._socket.family != _UNIX:
            # A request is a small write or two, and nothing should wait for more.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handshake(self) -> bool:
        """Go on with the TLS handshake, where there is one; return whether it is done. Raises TlsError or OSError."""
        return True

    def send(self, data: bytes) -> None:
        """Send what the socket takes, and keep the rest for ``flush``. Raises OSError."""
        self._unsent += data
        self.flush()

    def flush(self) -> bool:
        """Send what was kept; return whether all is out. Raises OSError."""
        if self._unsent:
            with suppress(BlockingIOError):
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        return not self._unsent

    def read(self) -> tuple[bytes, int]:
        """Return the next bytes (empty at the end) and their kernel stamp in wall-clock ns, 0 where there is none.

        Raises BlockingIOError when there is nothing to read, and OSError when the connection broke.
        """
        if not self._timestamped:
            data = self._socket.recv(READ_BYTES)
            self.is_drained = len(data) < READ_BYTES
            return data, 0
        # As kernel_timestamp.receive() does: its call would be 1 % of a read.
        data, ancillary, _, _ = self._socket.recvmsg(READ_BYTES, ANCILLARY_BYTES)
        self.is_drained = len(data) < READ_BYTES
        if not ancillary:
            return data, 0
        seconds, nanoseconds = TIMESPEC.unpack(ancillary[0][2])
        return data, seconds * 1_000_000_000 + nanoseconds

    def keep_alive(self) -> None:
        """Have the kernel notice a peer that vanished. It takes four calls, 7 % of what opening a stream costs."""
        keep_alive(self._socket)

    def receive_queue_bytes(self) -> int | None:
        """Return how many bytes lie in the socket unread; None where the system does not say. Raises OSError."""
        if sys.platform == "win32":
            return None
        answer = fcntl.ioctl(self._socket.fileno(), termios.FIONREAD, bytes(4))
        return int.from_bytes(answer, sys.byteorder)

    def close(self) -> None:
        """Close the socket; may be called twice."""
        self._socket.close()


def connect_error(code: int) -> SseError:
    """Return our error for what ``connect`` ended with."""
    if code == errno.EADDRNOTAVAIL:
        return LimitError("no local port is left for another connection to this address", code="local-ports")
    return _CONNECT_ERRORS.get(code, ConnectError)(f"cannot connect: {os.strerror(code).lower()}")

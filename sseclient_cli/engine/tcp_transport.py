"""A non-blocking TCP or unix socket that returns the kernel timestamp of each read.

With ``SO_TIMESTAMPNS``, Linux returns with each read the wall-clock time at which the last segment of the data reached
the socket. A load generator that reads late cannot distort this time. Other platforms have no such timestamp; there the
caller takes the time right after the read.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
"""Size limit of one read, so that busy streams cannot delay the timers of the loop. It is the size of a TLS record and
holds about 150 events, which take longer to measure than to read. Larger reads would not be faster."""

SocketOptions = tuple[tuple[int, int, int], ...]
"""Level, name and value of socket options."""

_UNIX: socket.AddressFamily | None = getattr(socket, "AF_UNIX", None)

# linux/in.h: connect() chooses the local port, so that one port can be used for several peers.
_IP_BIND_ADDRESS_NO_PORT = 24

_CONNECT_ERRORS: dict[int, type[SseError]] = {
    errno.ECONNREFUSED: ConnectionRefusedByTargetError,
    errno.ETIMEDOUT: ConnectTimeoutError,
    errno.EMFILE: LimitError,
    errno.ENFILE: LimitError,
}

TIMESTAMPING_STARTS_S = 0.01
"""Time to wait after ``keep_timestamping``. The kernel enables timestamps in the background, within a millisecond."""


@contextmanager
def keep_timestamping() -> Iterator[None]:
    """Keep kernel timestamps enabled, with a socket that requests them.

    The kernel timestamps segments only while at least one socket requests it. Without this socket, the first segments
    after the first request would have no timestamp.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        request_timestamps(keeper)
        yield


def has_timestamps(address: Address) -> bool:
    """Return whether reads from this address have kernel timestamps. Unix sockets have none."""
    return IS_KNOWN and address.family != _UNIX


class TcpTransport:
    """A non-blocking connection to ``address``. The constructor begins to connect."""

    __slots__ = ("_socket", "_timestamped", "_unsent", "is_drained")

    is_drained: bool
    """Whether the last read took all data that had arrived. Only then is its timestamp that of its last byte. After a
    partial read of a segment, or of segments that the kernel has merged, the timestamp is that of unread data."""

    def __init__(self, address: Address, source: str | None = None, options: SocketOptions = ()) -> None:
        """Begin to connect, from the local address ``source`` if given. Raises ConnectError or LimitError.

        ``options`` are set before.
        """
        try:
            self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as exc:
            raise connect_error(exc.errno or 0) from exc
        self._socket.setblocking(False)
        self._unsent = b""
        # Before connect(): the first segment may arrive with the connection.
        self._timestamped = request_timestamps(self._socket)
        try:
            if address.family != _UNIX:
                # A request is one or two small writes, which Nagle's algorithm would delay.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for option in options:
                self._socket.setsockopt(*option)
            if source is not None:
                if sys.platform == "linux":
                    self._socket.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
                self._socket.bind((source, 0))
            code = self._socket.connect_ex(address.socket_address)
        except OSError as exc:
            code = exc.errno or errno.EINVAL
        # For a unix socket, EAGAIN (EWOULDBLOCK) means that the backlog of the listener is full.
        under_way = (0, errno.EINPROGRESS) if address.family == _UNIX else (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
        if code not in under_way:
            self.close()
            raise connect_error(code)

    @property
    def raw_socket(self) -> socket.socket:
        """The socket, for a caller that takes it over."""
        return self._socket

    def fileno(self) -> int:
        """Return the file descriptor, for the poller."""
        return self._socket.fileno()

    def finish_connect(self) -> None:
        """Complete the connection once the socket is writable. Raises ConnectError if it failed."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise connect_error(code)

    def handshake(self) -> bool:
        """Continue the TLS handshake, if any. Return whether it is complete. Raises TlsError or OSError."""
        return True

    def speaks(self, protocol: str) -> bool:
        """Return whether the server chose this protocol in the handshake. Without TLS, there is no choice."""
        return True

    def send(self, data: bytes) -> None:
        """Send as much as the socket accepts, and keep the rest for ``flush``. Raises OSError."""
        self._unsent += data
        self.flush()

    def flush(self) -> bool:
        """Send the remaining data. Return whether all data has been sent. Raises OSError."""
        if self._unsent:
            try:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            except BlockingIOError:
                return False
        return not self._unsent

    def read(self) -> tuple[bytes, int]:
        """Return the next bytes (empty at the end) and their kernel timestamp in wall-clock ns, or 0 without one.

        Raises BlockingIOError if there is nothing to read, and OSError if the connection broke.
        """
        if not self._timestamped:
            data = self._socket.recv(READ_BYTES)
            self.is_drained = len(data) < READ_BYTES
            return data, 0
        # The body of kernel_timestamp.receive(), inlined: the call would take 1 % of a read.
        data, ancillary, _, _ = self._socket.recvmsg(READ_BYTES, ANCILLARY_BYTES)
        self.is_drained = len(data) < READ_BYTES
        if not ancillary:
            return data, 0
        seconds, nanoseconds = TIMESPEC.unpack(ancillary[0][2])
        return data, seconds * 1_000_000_000 + nanoseconds

    def keep_alive(self) -> None:
        """Let the kernel detect a vanished peer. It takes four system calls, 7 % of the cost of opening a stream."""
        keep_alive(self._socket)

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in the socket, or None if the platform has no such call. Raises OSError."""
        if sys.platform == "win32":
            return None
        answer = fcntl.ioctl(self._socket.fileno(), termios.FIONREAD, bytes(4))
        return int.from_bytes(answer, sys.byteorder)

    def close(self) -> None:
        """Close the socket. It may be called twice."""
        self._socket.close()


def connect_error(code: int) -> SseError:
    """Return the error of this package for an error number from ``connect``."""
    if code == errno.EADDRNOTAVAIL:
        return LimitError("no local port is left for another connection to this address", code="local-ports")
    return _CONNECT_ERRORS.get(code, ConnectError)(f"cannot connect: {os.strerror(code).lower()}")

"""One non-blocking TCP socket, and the moment the kernel got its bytes.

With ``SO_TIMESTAMPNS`` Linux hands out, with each read, the wall-clock time at which the last segment of it reached
the socket. A generator that is late to read cannot falsify that. Elsewhere there is no such stamp, and the caller
stamps right after the read.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
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
from sseclient_cli.target import Address

if sys.platform != "win32":
    import fcntl
    import termios

READ_BYTES = 16_384
"""At most this much in one read: bounded, so that busy streams cannot keep the loop from its timers. It is some 150
events, which take longer to measure than the read itself: larger reads would gain nothing."""

# asm-generic/socket.h; Python's socket module does not name it. Value and message type are the same number.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")  # struct timespec on 64-bit Linux
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0
_CAN_STAMP = sys.platform == "linux" and struct.calcsize("P") == 8

_CONNECT_ERRORS: dict[int, type[SseError]] = {
    errno.ECONNREFUSED: ConnectionRefusedByTargetError,
    errno.ETIMEDOUT: ConnectTimeoutError,
    errno.EMFILE: LimitError,
    errno.ENFILE: LimitError,
}


STAMPING_STARTS_S = 0.01
"""How long after ``keep_stamping`` to wait. The kernel switches stamping on in the background, within a millisecond."""


@contextmanager
def keep_stamping() -> Iterator[None]:
    """Keep the kernel's stamping switched on: it stamps nobody's segments as long as no socket wants it.

    The first segments after a socket has asked go unstamped, unless some other socket had asked before.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        _ask_for_stamps(keeper)
        yield


def _ask_for_stamps(asking: socket.socket) -> bool:
    if not _CAN_STAMP:
        return False
    with suppress(OSError):
        asking.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return True
    return False


class Wire:
    """A connection to ``address``, in the making from the first moment. All calls return at once."""

    __slots__ = ("_socket", "stamped")

    def __init__(self, address: Address) -> None:
        """Begin to connect. Raises ConnectError or LimitError when that fails at once."""
        try:
            self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as exc:
            raise connect_error(exc.errno or 0) from exc
        self._socket.setblocking(False)
        # Before connect: the first segment may come with it.
        self.stamped = _ask_for_stamps(self._socket)
        code = self._socket.connect_ex(address.socket_address)
        if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
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
        # A request is one small write, and nothing should wait for more.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: memoryview) -> int:
        """Send what fits and return how many bytes that was. Raises OSError."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def read(self) -> tuple[bytes, int]:
        """Return the next bytes (empty at the end) and their kernel stamp in wall-clock ns, 0 where there is none.

        Raises BlockingIOError when there is nothing to read, and OSError when the connection broke.
        """
        if not self.stamped:
            return self._socket.recv(READ_BYTES), 0
        data, ancillary, _, _ = self._socket.recvmsg(READ_BYTES, _ANCILLARY_BYTES)
        if not ancillary:
            return data, 0
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
        return data, seconds * 1_000_000_000 + nanoseconds

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
    reason = os.strerror(code)
    if code == errno.EADDRNOTAVAIL:
        return LimitError(
            "no local port is left for another connection to this address: lower -n, or give --source-address A,B,..."
        )
    return _CONNECT_ERRORS.get(code, ConnectError)(f"cannot connect: {reason.lower()}")

"""One non-blocking socket, plain or with TLS, and the moment the kernel got its bytes.

With ``SO_TIMESTAMPNS`` Linux hands out, with each read, the wall-clock time at which the last segment of it reached
the socket. A generator that is late to read cannot falsify that. Elsewhere there is no such stamp, and the caller
stamps right after the read. TLS is done on bytes in memory, so that the reads stay ours and keep their stamps.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sseclient_cli.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectionRefusedByTargetError,
    ConnectTimeoutError,
    LimitError,
    SseError,
)
from sseclient_cli.keepalive import keep_alive
from sseclient_cli.kernel_timestamp import ANCILLARY_BYTES, IS_KNOWN, TIMESPEC, request_timestamps
from sseclient_cli.request.target import Address
from sseclient_cli.request.tls import tls_error

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


STAMPING_STARTS_S = 0.01
"""How long after ``keep_stamping`` to wait. The kernel switches stamping on in the background, within a millisecond."""


@contextmanager
def keep_stamping() -> Iterator[None]:
    """Keep the kernel's stamping switched on: it stamps nobody's segments as long as no socket wants it.

    The first segments after a socket has asked go unstamped, unless some other socket had asked before.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        request_timestamps(keeper)
        yield


def can_stamp(address: Address) -> bool:
    """Return whether the kernel stamps what comes from there: a unix socket has no segments."""
    return IS_KNOWN and address.family != _UNIX


class TcpTransport:
    """A connection to ``address``, in the making from the first moment. All calls return at once."""

    __slots__ = ("_socket", "_stamped", "_unsent", "is_drained")

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
        self._stamped = request_timestamps(self._socket)
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
        if not self._stamped:
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


class TlsTransport(TcpTransport):
    """The same with TLS in between: ``send`` and ``read`` only once ``handshake`` has returned True."""

    __slots__ = ("_broken_by", "_host", "_incoming", "_outgoing", "_rest", "_tls")

    def __init__(self, address: Address, source: str | None, context: ssl.SSLContext, host: str) -> None:
        """Begin to connect; ``host`` is whom the certificate must name."""
        super().__init__(address, source)
        self._host = host
        self._broken_by: ssl.SSLError | None = None
        self._rest = b""
        """The beginning of a record that is not complete."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def handshake(self) -> bool:
        """Go on with the handshake as far as the bytes that are here allow."""
        try:
            self._receive()
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except OSError as exc:
            raise tls_error(exc, self._host) from exc
        finally:
            self._send_records()
        return True

    def send(self, data: bytes) -> None:
        """Encrypt and send what the socket takes, and keep the rest for ``flush``."""
        self._tls.write(data)
        self._send_records()

    def read(self) -> tuple[bytes, int]:
        """Return the bytes of the records that are complete; see ``TcpTransport.read``."""
        if self._broken_by is not None:
            raise self._explained(self._broken_by) from self._broken_by
        stamp_ns = self._receive()
        pieces = []
        try:
            while piece := self._tls.read(READ_BYTES):
                pieces.append(piece)
            self._make_readable()
        except ssl.SSLWantReadError:
            if not pieces:
                raise BlockingIOError from None
        except ssl.SSLError as exc:
            if not pieces:
                raise self._explained(exc) from exc
            self._broken_by = exc  # after what came before it
            self._make_readable()
        finally:
            with suppress(OSError):
                self._send_records()  # an answer to a key update or a renegotiation
        return b"".join(pieces), stamp_ns

    def _make_readable(self) -> None:
        """Have the socket be readable once more, so that the caller comes to read the end, which TLS knows already."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def _explained(self, cause: ssl.SSLError) -> SseError:
        if isinstance(cause, ssl.SSLEOFError):
            # RFC 9112 9.8: without a closure alert, what is not complete by its own framing is cut short.
            return ConnectionLostError("the connection was cut without TLS's closing message")
        if cause.reason and "ALERT" in cause.reason:
            return tls_error(cause, self._host)  # a server that wants a client certificate says so only now
        return ConnectionLostError(
            f"the TLS connection broke: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
        )

    def _receive(self) -> int:
        """Take what has come for TLS to read, and return its stamp."""
        try:
            data, stamp_ns = super().read()
        except BlockingIOError:
            return 0
        if data:
            # Whole records only: so it is known whether a part of another one has come, and with it the stamp.
            arrived = self._rest + data
            end = end_of_records(arrived)
            self._incoming.write(arrived[:end])
            self._rest = arrived[end:]
            self.is_drained = self.is_drained and not self._rest
        else:
            self._incoming.write(self._rest)
            self._incoming.write_eof()
        return stamp_ns

    def _send_records(self) -> None:
        if self._outgoing.pending:
            super().send(self._outgoing.read())


def end_of_records(data: bytes) -> int:
    """Return where the last complete TLS record ends (RFC 8446 5.1); the end of data that is no TLS at all."""
    position = 0
    while position + 5 <= len(data):
        if not 20 <= data[position] <= 24 or data[position + 1] != 3:
            return len(data)
        end = position + 5 + int.from_bytes(data[position + 3 : position + 5])
        if end > len(data):
            break
        position = end
    return position


def connect_error(code: int) -> SseError:
    """Return our error for what ``connect`` ended with."""
    if code == errno.EADDRNOTAVAIL:
        return LimitError(
            "no local port is left for another connection to this address: lower -n, or give --source-address A,B,..."
        )
    return _CONNECT_ERRORS.get(code, ConnectError)(f"cannot connect: {os.strerror(code).lower()}")

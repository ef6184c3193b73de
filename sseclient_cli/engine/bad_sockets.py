"""Socket calls of bad clients: vanish, reset, and find out whether the server still holds a connection.

Each behaviour was checked against Linux 6.18 with TCP_INFO (``tests/engine/test_bad_sockets.py``).
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
import sys
from contextlib import suppress

from sseclient_cli.engine.tcp_transport import SocketOptions
from sseclient_cli.errors import UsageError

if sys.platform != "win32":
    import fcntl
    import termios

RECEIVE_BUFFER_BYTES = 4096
"""The receive buffer of a slow client. Linux doubles it, and offers half of it to the server."""

ETHERNET_MSS_BYTES = 1460
"""The segment size of clients that stop reading, as in a network. The server's send buffer grows with it, and with
loopback's 65,483 bytes it would hold far more for a client that does not read."""

SEGMENT_OPTIONS: SocketOptions = (
    ((socket.IPPROTO_TCP, socket.TCP_MAXSEG, ETHERNET_MSS_BYTES),) if hasattr(socket, "TCP_MAXSEG") else ()
)

SLOW_OPTIONS: SocketOptions = ((socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES), *SEGMENT_OPTIONS)

# asm-generic/socket.h; Python's socket module has no names for them.
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27

_BPF_RETURN_CONSTANT = 0x06
"""BPF_RET | BPF_K: the filter returns how many bytes of a segment to keep."""

_PROBE = b"\n"

_RESETS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})


def require_vanishing() -> None:
    """Raise UsageError if a client cannot vanish on this system."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            vanish(probe)
        except OSError as exc:
            raise UsageError(
                f"`vanish` needs a socket filter of Linux, which this system refused: {exc.strerror or exc}",
                code="vanish",
                arguments=["vanish"],
            ) from exc


def vanish(connection: socket.socket) -> None:
    """Drop each incoming segment in the kernel, before TCP sees it: the peer gets no answer at all. Raises OSError.

    The filter (socket(7), SO_ATTACH_FILTER) needs no privileges.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOPROTOOPT, "no such option")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)  # a probe of ours would be a sign of life
    program = ctypes.create_string_buffer(struct.pack("HBBI", _BPF_RETURN_CONSTANT, 0, 0, 0))
    header = struct.pack("HP", 1, ctypes.addressof(program))
    connection.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)


def reappear(connection: socket.socket) -> None:
    """Undo ``vanish``. Raises OSError."""
    connection.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def reset_on_close(connection: socket.socket) -> None:
    """Make ``close`` reset the connection (RST) and discard unsent data."""
    with suppress(OSError):  # the peer may have closed it already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def probe(connection: socket.socket) -> None:
    """Ask the kernel of the peer whether its socket still exists, with a byte of urgent data. Raises OSError.

    If the server has closed the connection while data for the client waits, its FIN waits too: behind that data, which
    a slow client never reads. Data from the client is then answered with RST (RFC 9293 3.10.7.4: the process is
    gone). A server does not see an urgent byte: it is not in the data of read(), and does not wake a poll for reading.
    """
    with suppress(BlockingIOError):
        connection.send(_PROBE, socket.MSG_OOB)


def is_answered(connection: socket.socket) -> bool:
    """Return whether the peer has acknowledged all data that was sent, so that it holds the connection."""
    if sys.platform == "win32":
        return False
    waiting = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    return not int.from_bytes(waiting, sys.byteorder)


def pending_error(connection: socket.socket) -> OSError | None:
    """Return the error that ended the connection, and remove it from the socket."""
    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return OSError(code, errno.errorcode.get(code, str(code))) if code else None


def is_reset(error: OSError) -> bool:
    """Return whether an error means that the peer has closed the connection, and not that the network is broken."""
    return error.errno in _RESETS

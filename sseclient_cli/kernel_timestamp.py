"""Kernel receive timestamps of a socket (``SO_TIMESTAMPNS``, Linux): the arrival time of a read's last segment.

A read has one timestamp, that of its last segment. The kernel merges segments that wait in the socket and keeps only
the latest timestamp (Linux 6.18: ``tcp_try_coalesce``), even if the reads are small. Exact arrival times therefore need
prompt reads.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress

# asm-generic/socket.h; Python's socket module does not name it. Value and message type are the same number.
_SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("qq")
"""struct timespec on 64-bit Linux: seconds, nanoseconds."""
ANCILLARY_BYTES = socket.CMSG_SPACE(TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0
IS_KNOWN = sys.platform == "linux" and struct.calcsize("P") == 8
"""Whether this platform has kernel timestamps."""


def request_timestamps(sock: socket.socket) -> bool:
    """Enable kernel timestamps, before ``connect``; return whether the socket supports them."""
    if IS_KNOWN and sock.family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            return True
    return False


def receive(sock: socket.socket, max_bytes: int) -> tuple[bytes, int]:
    """Read from a socket with timestamps; return the bytes and their wall-clock time in ns, 0 without a timestamp.

    Raises OSError as ``recv`` does.
    """
    data, ancillary, _, _ = sock.recvmsg(max_bytes, ANCILLARY_BYTES)
    if not ancillary:
        return data, 0
    seconds, nanoseconds = TIMESPEC.unpack(ancillary[0][2])
    return data, seconds * 1_000_000_000 + nanoseconds

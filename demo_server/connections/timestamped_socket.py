"""Connections that know when the bytes of their last read arrived: the kernel's timestamp (SO_TIMESTAMPNS, Linux).

While hundreds of requests arrive at once, a request waits in the kernel until the event loop reads it. Its arrival time
is the begin of all times in the log of LLM requests (llm/truth_log.py).
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress

# asm-generic/socket.h; Python's socket module does not name it. Value and message type are the same number.
SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("qq")  # of 64-bit Linux: seconds, nanoseconds
HAS_TIMESTAMPS = sys.platform == "linux" and struct.calcsize("P") == 8
ANCILLARY_BYTES = socket.CMSG_SPACE(TIMESPEC.size) if HAS_TIMESTAMPS else 0


def request_timestamps(listener: socket.socket) -> None:
    """Enable timestamps of a listening socket; its connections inherit them."""
    if HAS_TIMESTAMPS:
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


class TimestampedSocket(socket.socket):
    """A connection that asyncio reads with `recv`."""

    arrived_ns: int | None = None
    """The kernel's timestamp of the last bytes that were read, in ns since 1970."""

    @classmethod
    def of(cls, connection: socket.socket) -> socket.socket:
        """Return the same connection with timestamps, if this platform has them."""
        if not HAS_TIMESTAMPS:
            return connection
        family, kind, protocol = connection.family, connection.type, connection.proto
        return cls(family, kind, protocol, connection.detach())

    def recv(self, max_bytes: int, flags: int = 0) -> bytes:
        """Read, and keep the timestamp."""
        data, ancillary, _, _ = self.recvmsg(max_bytes, ANCILLARY_BYTES, flags)
        if ancillary:
            seconds, nanoseconds = TIMESPEC.unpack(ancillary[0][2])
            self.arrived_ns = seconds * 1_000_000_000 + nanoseconds
        return data

"""Shifts the wall clock of a process by SHIFT_S: Python imports this module at its start, from PYTHONPATH.

It is as if the process ran on a machine whose clock is wrong: the arrival times of the kernel are shifted, too.
"""

import os
import socket
import struct
import sys
import time

TIMESPEC = struct.Struct("qq")
SO_TIMESTAMPNS = 35
SHIFT_NS = round(float(os.environ["SHIFT_S"]) * 1e9)

time_ns = time.time_ns
recvmsg = socket.socket.recvmsg


def shifted_time_ns() -> int:
    return time_ns() + SHIFT_NS


def shifted_time() -> float:
    return shifted_time_ns() / 1e9


def shifted_message(message: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    level, kind, data = message
    if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
        seconds, nanoseconds = TIMESPEC.unpack(data)
        data = TIMESPEC.pack(*divmod(seconds * 10**9 + nanoseconds + SHIFT_NS, 10**9))
    return level, kind, data


def shifted_recvmsg(self: socket.socket, *sizes: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, object]:
    data, ancillary, flags, address = recvmsg(self, *sizes)
    return data, list(map(shifted_message, ancillary)), flags, address


time.time_ns = shifted_time_ns
time.time = shifted_time
if sys.platform != "win32":
    socket.socket.recvmsg = shifted_recvmsg  # type: ignore[assignment, method-assign]

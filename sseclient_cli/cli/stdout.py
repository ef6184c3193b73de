"""Where stdout leads: to a pipe whose reader may go away."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def is_writing_end_of_pipe(number: int) -> bool:
    """Return whether a file descriptor is the end of a pipe that is written to."""
    import os
    import stat

    if sys.platform == "win32" or not stat.S_ISFIFO(os.fstat(number).st_mode):
        return False  # Windows cannot watch a pipe
    import fcntl

    # Open for both (`1<>fifo`), it is readable whenever there is something in it.
    return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY


def write_all(number: int, data: bytes) -> None:
    """Write all bytes to a file descriptor, also where a process that shares it has made it non-blocking."""
    import os
    import select

    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:
            select.select([], [number], [])


class _Patient(io.RawIOBase):
    """A file descriptor in non-blocking mode, written to as if it were blocking.

    The mode belongs to the open file and not to a process: node and some terminals leave it so. To change it here would
    change it there.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        import os

        return os.isatty(self._number)

    def write(self, data: ReadableBuffer, /) -> int:
        piece = bytes(data)
        write_all(self._number, piece)
        return len(piece)


def patient(stream: TextIO) -> TextIO:
    """Return a standard stream that waits where its file descriptor is in non-blocking mode."""
    import os

    if sys.platform == "win32" or os.get_blocking(stream.fileno()):
        return stream
    raw = io.BufferedWriter(_Patient(stream.fileno()))
    return io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=True)

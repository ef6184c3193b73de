"""Write to stdout, which may be a pipe without a reader or a non-blocking file."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def is_writing_end_of_pipe(number: int) -> bool:
    """Return whether a file descriptor is the writing end of a pipe."""
    import os
    import stat

    if sys.platform == "win32" or not stat.S_ISFIFO(os.fstat(number).st_mode):
        return False  # Windows cannot watch a pipe
    import fcntl

    # A FIFO that is open for both (`1<>fifo`) is readable whenever it has data.
    return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY


def write_all(number: int, data: bytes) -> None:
    """Write all bytes to a file descriptor, even if another process has set it to non-blocking mode."""
    import os
    import select

    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:
            select.select([], [number], [])


class _BlockingWriter(io.RawIOBase):
    """Blocking writes to a file descriptor in non-blocking mode.

    Processes share the mode with the open file. Node and some terminals set it, and need it to stay.
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


def with_blocking_writes(stream: TextIO) -> TextIO:
    """Return a standard stream with blocking writes, even if its file descriptor is in non-blocking mode."""
    import os

    if sys.platform == "win32" or os.get_blocking(stream.fileno()):
        return stream
    raw = io.BufferedWriter(_BlockingWriter(stream.fileno()))
    return io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=True)

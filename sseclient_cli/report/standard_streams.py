"""Writing to stdout and stderr past Python's buffers, which keep what was interrupted and fail once more at exit."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress


def say(line: str) -> None:
    """Write a line to stderr; where that fails, nothing is lost but the line, and no buffer fails again at exit."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{line}\n".encode(sys.stderr.encoding or "utf-8", "backslashreplace"))


def write_out(data: bytes) -> None:
    """Write to stdout past its buffer, which would keep what a signal interrupted, and block once more at exit."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(sys.stdout.fileno(), rest) :]
        except BlockingIOError:  # node and some terminals leave a pipe in non-blocking mode
            select.select([], [sys.stdout.fileno()], [])


class UnbufferedStdout(io.TextIOBase):
    """stdout for rich, past its buffer: a write that is stuck in a thread would lock the buffer, and Python's exit.

    What the terminal's encoding lacks is shown as escapes.
    """

    encoding = property(lambda _: sys.stdout.encoding or "utf-8")

    def fileno(self) -> int:
        """Return stdout's descriptor."""
        return sys.stdout.fileno()

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return sys.stdout.isatty()

    def write(self, text: str) -> int:
        """Write at once."""
        write_out(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        return len(text)

"""Write to stdout and stderr without Python's buffers, which keep interrupted writes and fail again at exit."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import Protocol


class Sink(Protocol):
    """A destination of lines for a program. ``begin`` is called before the first line, when a stream is open."""

    @property
    def encoding(self) -> str:
        """The encoding of its text."""

    def begin(self) -> None:
        """Prepare for the first line; called again after each reconnection."""

    def write(self, data: bytes) -> None:
        """Write at once. Raises an error that names the destination."""


class Stdout:
    """stdout as a sink, unbuffered."""

    @property
    def encoding(self) -> str:
        """The encoding of the locale."""
        return sys.stdout.encoding or "utf-8"

    def begin(self) -> None:
        """Do nothing."""

    def write(self, data: bytes) -> None:
        """Write to stdout."""
        write_out(data)


def say(line: str) -> None:
    """Write a line to stderr, unbuffered: an error loses only this line, and nothing fails again at exit."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{line}\n".encode(sys.stderr.encoding or "utf-8", "backslashreplace"))


def write_out(data: bytes) -> None:
    """Write to stdout, unbuffered: a buffer would keep an interrupted write, and block again at exit."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(sys.stdout.fileno(), rest) :]
        except BlockingIOError:  # node and some terminals leave a pipe in non-blocking mode
            select.select([], [sys.stdout.fileno()], [])


class UnbufferedStdout(io.TextIOBase):
    """stdout for rich, unbuffered: a blocked write in a thread would lock the buffer, and with it Python's exit.

    Characters that the terminal's encoding lacks are shown as escapes.
    """

    encoding = property(lambda _: sys.stdout.encoding or "utf-8")

    def fileno(self) -> int:
        """Return stdout's descriptor."""
        return sys.stdout.fileno()

    def isatty(self) -> bool:
        """Return whether stdout is a terminal."""
        return sys.stdout.isatty()

    def write(self, text: str) -> int:
        """Write at once."""
        write_out(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        return len(text)

"""Writing to stdout and stderr past Python's buffers, which keep what was interrupted and fail once more at exit."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import Protocol


class Sink(Protocol):
    """Where lines for a program go. ``begin`` comes before the first of them, when a stream is open."""

    @property
    def encoding(self) -> str:
        """How text becomes bytes there."""

    def begin(self) -> None:
        """Make room for what follows; called again after each reconnection."""

    def write(self, data: bytes) -> None:
        """Write at once. Raises an error that says where that failed."""


class Stdout:
    """stdout as a sink, past its buffer."""

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

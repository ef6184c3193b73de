"""The output file of ``sse watch -o FILE``.

It is written in place, event by event, so that ``tail -f`` can follow it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sseclient_cli.cli.stdout import write_all
from sseclient_cli.errors import LimitError, UsageError


class EventFile:
    """Opened at once, truncated when a stream is open; a context manager. Raises UsageError if it is not writable.

    If no stream opens, an old file keeps its content, and a new one is removed.
    """

    encoding = "utf-8"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._has_begun = False
        try:
            self._is_new = not path.exists()
            # O_BINARY: otherwise Windows changes line ends.
            flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(path, flags, 0o666)
        except (OSError, ValueError) as exc:
            raise UsageError(f"cannot write {path}: {reason_of(exc)}") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        if self._is_new and not self._has_begun:
            with suppress(OSError):
                self._path.unlink()

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def begin(self) -> None:
        """Truncate the file, at the first call only."""
        if not self._has_begun:
            self._has_begun = True
            if stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                os.ftruncate(self._descriptor, 0)

    def write(self, data: bytes) -> None:
        """Write without buffering. Raises LimitError, and BrokenPipeError if the reader of a pipe has exited."""
        self.begin()  # with --quiet, no view says that the stream is open
        try:
            write_all(self._descriptor, data)
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise LimitError(
                f"cannot write {self._path}: {reason_of(exc)}; it contains the events until then: give another file"
            ) from exc


def reason_of(exc: OSError | ValueError) -> str:
    """Return why a file cannot be opened or written, in lower case."""
    return str(getattr(exc, "strerror", None) or exc).lower()

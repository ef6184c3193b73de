"""The file of ``sse watch --record FILE``.

It may hold secrets of events, so only its owner can read it (mode 0600). Each line is one write at the end of the file:
after a crash, a line that ends with a line feed is complete. Linux may cut a write of more than one page when the
process is killed; readers skip such a last line.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sseclient_cli.cli.event_file import reason_of
from sseclient_cli.cli.stdout import write_all
from sseclient_cli.client.recording import DamagedLineError, Header, Record, RecordedEvent, decode_header, encode
from sseclient_cli.errors import LimitError, UsageError

MAX_HEADER_BYTES = 1024 * 1024
"""A header has the URLs of the streams; a longer line is another file's."""


class RecordingFile:
    """Opened at once, truncated at the first record; a context manager.

    Raises UsageError if the file is not writable, or has other content than a recording. Without a record, an old file
    keeps its content, and a new one is removed. ``events`` counts the written events.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = 0
        self.is_failed = False
        self.events = 0
        if str(path) == "-":
            raise UsageError("a recording needs a file: `sse watch URL --json` writes the events to stdout")
        try:
            self._is_new = not path.exists()
            if not self._is_new and not (stat.S_ISREG(path.stat().st_mode) or stat.S_ISCHR(path.stat().st_mode)):
                # A blocked write to a pipe would stop the event loop.
                raise UsageError(f"cannot write {path}: a recording needs a regular file")
            if not self._is_new and path.is_file():
                _refuse_other_content(path)
            # O_BINARY: otherwise Windows changes line ends.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(path, flags, 0o600)
            self._is_regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
            if self._is_regular and sys.platform != "win32":
                os.fchmod(self._descriptor, 0o600)
        except (OSError, ValueError) as exc:
            raise UsageError(f"cannot write {path}: {reason_of(exc)}") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        if self._is_new and not self._end:
            with suppress(OSError):
                self._path.unlink()

    @property
    def is_begun(self) -> bool:
        """Whether the header is written."""
        return bool(self._end)

    def is_same(self, path: Path) -> bool:
        """Return whether a path is this file."""
        try:
            return os.path.samestat(path.stat(), os.fstat(self._descriptor))
        except (OSError, ValueError):
            return False

    def begin(self, header: Header) -> None:
        """Truncate the file and write the header."""
        if self._is_regular:
            os.ftruncate(self._descriptor, 0)
        self._write(encode(header))

    def write(self, record: Record) -> None:
        """Write without buffering. Raises LimitError, with only complete lines in the file; then it does nothing."""
        if not self.is_failed:
            self._write(encode(record))
            self.events += isinstance(record, RecordedEvent)

    def _write(self, line: bytes) -> None:
        try:
            write_all(self._descriptor, line)
        except OSError as exc:
            self.is_failed = True
            if self._is_regular:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self._end)
            raise LimitError(
                f"cannot write {self._path}: {reason_of(exc)}; it contains the {self.events:,} events until then"
            ) from exc
        self._end += len(line)


def _refuse_other_content(path: Path) -> None:
    """Raise UsageError if the file has content that is not a recording: a mistyped name must not cost a file."""
    with path.open("rb") as file:
        first = file.readline(MAX_HEADER_BYTES)
    try:
        if first:
            decode_header(first)
    except DamagedLineError as exc:
        raise UsageError(f"{path} is not a recording and is not overwritten: give another file, or remove it") from exc

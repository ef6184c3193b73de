"""Read a recording line by line, in bounded memory: a damaged line is passed to a handler, and skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sseclient_cli.client.recording import DamagedLineError, Header, Record, decode, decode_header
from sseclient_cli.errors import UsageError
from sseclient_cli.escaping import visible
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES

MAX_LINE_BYTES = 6 * DEFAULT_MAX_EVENT_BYTES + 64 * 1024
"""JSON escapes a byte with at most six."""

MAX_HEADER_BYTES = 1024 * 1024
"""A header has only the URLs. A file of another kind may be one long line."""

MAX_NAMED_LINES = 20
"""A file with other content has a damaged line for each of its lines."""

_SKIPPED_AT_ONCE_BYTES = 1024 * 1024


class DamagedLine(NamedTuple):
    """A line that was skipped."""

    number: int
    reason: str


class DamageLog:
    """Names the first damaged lines of a file, and counts them all. ``say`` writes a message."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._name = visible(str(path), keep_lines=False)
        self._say = say
        self.count = 0

    def add(self, line: DamagedLine) -> None:
        """Name a line, unless there are too many."""
        self.count += 1
        if self.count <= MAX_NAMED_LINES:
            self._say(f"{self._name}: line {line.number} is skipped: {visible(line.reason, keep_lines=False)}")

    def end(self) -> None:
        """Say how many lines were not named."""
        if self.count > MAX_NAMED_LINES:
            self._say(f"{self._name}: {self.count - MAX_NAMED_LINES:,} more lines are skipped")


class Located(NamedTuple):
    """A record, and where its line is in the file."""

    offset: int
    size_bytes: int
    record: Record


def opened(path: Path) -> BinaryIO:
    """Open a file to read it. Raises UsageError."""
    try:
        return path.open("rb")
    except (OSError, ValueError) as exc:  # ValueError: a name with a zero byte
        reason = str(getattr(exc, "strerror", None) or exc).lower()
        raise UsageError(f"cannot read {path}: {reason}") from exc


class RecordingReader:
    """Iterates over the records of a file, from its second line. Raises UsageError unless the first is a header.

    ``offset`` is the position of the next line.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        on_damage: Callable[[DamagedLine], None],
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        self._file = file
        self._on_damage = on_damage
        self._max_line_bytes = max_line_bytes
        line = file.readline(MAX_HEADER_BYTES)
        self.offset = len(line)
        try:
            self.header: Header = decode_header(line)
        except DamagedLineError as exc:
            raise UsageError(f"{name} is not a recording: line 1 is no header ({exc})", code="not-a-recording") from exc

    def __iter__(self) -> Iterator[Located]:
        number = 1
        while line := self._file.readline(self._max_line_bytes):
            number += 1
            offset, size_bytes = self.offset, len(line)
            if size_bytes == self._max_line_bytes and not line.endswith(b"\n"):
                self._skip_line(size_bytes)
                self._on_damage(DamagedLine(number, f"it is longer than {self._max_line_bytes:,} bytes"))
                continue
            self.offset += size_bytes
            try:
                record = decode(line)
                if record.stream >= len(self.header.streams):
                    raise DamagedLineError(f"the header has no stream {record.stream}")  # noqa: TRY301
            except DamagedLineError as exc:
                self._on_damage(DamagedLine(number, str(exc)))
            else:
                yield Located(offset, size_bytes, record)

    def _skip_line(self, read_bytes: int) -> None:
        """Skip the rest of a line, in pieces."""
        self.offset += read_bytes
        piece = b"more"
        while piece and not piece.endswith(b"\n"):
            piece = self._file.readline(_SKIPPED_AT_ONCE_BYTES)
            self.offset += len(piece)

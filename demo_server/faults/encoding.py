"""Encode events with faults: other line endings, multi-byte text, huge padding.

Pure: no I/O, no clock. Random choices depend only on the seed and the number of the event (parameters.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from demo_server.faults.parameters import FaultParameters
from demo_server.streams.stream import Notice

BOM = b"\xef\xbb\xbf"
LINE_ENDS = {"lf": b"\n", "cr": b"\r", "crlf": b"\r\n"}
MIXED = tuple(LINE_ENDS.values())

# Characters of two, three and four bytes. Not escaped as JSON: escapes are ASCII, which cannot be split.
TEXT = "Grüße, 世界 🌍"
TEXT_BYTES = TEXT.encode()
SPLITS = [offset for offset, byte in enumerate(TEXT_BYTES) if byte & 0xC0 == 0x80]  # offsets inside a character

PIECE_BYTES = 65536  # size of one write of a huge event


@dataclass(frozen=True, slots=True)
class Event:
    """An event in parts, so that its padding can be sent in pieces and its blank line left out."""

    seq: int
    before: bytes
    padding_bytes: int
    after: bytes
    blank_line: bytes
    split_at: int | None
    """Offset at which to split the event inside a character."""

    def without_blank_line(self) -> bytes:
        """Return the event without its blank line. No client may dispatch it."""
        return self.before + b"x" * self.padding_bytes + self.after

    def whole(self) -> bytes:
        """Return the event."""
        return self.without_blank_line() + self.blank_line

    def rest(self) -> Iterator[bytes]:
        """Yield the event after ``before``, in pieces of limited size."""
        whole, rest_bytes = divmod(self.padding_bytes, PIECE_BYTES)
        for _ in range(whole):
            yield b"x" * PIECE_BYTES
        yield b"x" * rest_bytes + self.after + self.blank_line


class EventEncoder:
    """Encodes the events and comments of a stream with the given faults."""

    def __init__(self, faults: FaultParameters) -> None:
        self._faults = faults
        self._name = b"" if faults.event is None else b"event: %s" % faults.event.encode()

    def event(self, seq: int, ts_ns: int, *, is_huge: bool = False) -> Event:
        """Return the event with this number."""
        faults = self._faults
        padding_bytes = faults.huge_bytes if is_huge else faults.size
        data = b'{"seq":%d,"ts":%d' % (seq, ts_ns)
        if faults.split_utf8:
            data += b',"text":"%s"' % TEXT_BYTES
        data, closing = (data + b',"pad":"', b'"}') if padding_bytes else (data, b"}")
        *ends, end_of_data, blank_line = self._line_ends(seq, 4)
        before = (self._name + ends[0] if self._name else b"") + b"id: %d" % seq + ends[1] + b"data: " + data
        split_at = (
            before.index(TEXT_BYTES) + SPLITS[faults.chance("cut", seq) % len(SPLITS)] if faults.split_utf8 else None
        )
        return Event(seq, before, padding_bytes, closing + end_of_data, blank_line, split_at)

    def notice(self, notice: Notice) -> bytes:
        """Return a comment."""
        end, blank_line = self._line_ends(0, 2)
        return b": %s" % notice.value.encode() + end + blank_line

    def preamble(self) -> bytes:
        """Return the bytes before the first event."""
        faults = self._faults
        end, blank_line = self._line_ends(0, 2)
        retry = b"" if faults.retry is None else b"retry: %d" % faults.retry + end + blank_line
        return (BOM if faults.bom else b"") + retry

    def _line_ends(self, seq: int, lines: int) -> list[bytes]:
        """Return the line endings of an event. The last one is that of the blank line."""
        faults = self._faults
        if faults.line_end != "mixed":
            return [LINE_ENDS[faults.line_end]] * lines
        ends = [MIXED[faults.chance(f"line_end:{line}", seq) % len(MIXED)] for line in range(lines)]
        if ends[-2:] == [b"\r", b"\n"]:
            ends[-1] = b"\r\n"  # CR and LF in a row would be a single line ending, without a blank line
        return ends

"""The bytes of faulty events: any line end, text of many bytes per character, padding without end.

Pure: no I/O, no clock. What chance decides depends on the seed and the event's number alone (faults.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from demo_server.faults.parameters import FaultParameters
from demo_server.streams.stream import Notice

BOM = b"\xef\xbb\xbf"
LINE_ENDS = {"lf": b"\n", "cr": b"\r", "crlf": b"\r\n"}
MIXED = tuple(LINE_ENDS.values())

# Characters of two, three and four bytes. And why not of JSON's \u escapes: those are ASCII, nothing to cut.
TEXT = "Grüße, 世界 🌍"
TEXT_BYTES = TEXT.encode()
CUTS = [offset for offset, byte in enumerate(TEXT_BYTES) if byte & 0xC0 == 0x80]  # before a character's second.. byte

PIECE_BYTES = 65536  # one write of a huge event


@dataclass(frozen=True, slots=True)
class Event:
    """An event in parts: its padding may be too large to make at once, its blank line may be withheld."""

    seq: int
    before: bytes
    padding_bytes: int
    after: bytes
    blank_line: bytes
    cut: int | None
    """Where to cut it inside a character, if that was asked for."""

    def without_blank_line(self) -> bytes:
        """Return the event as it is when its blank line never comes: no client may dispatch it."""
        return self.before + b"x" * self.padding_bytes + self.after

    def whole(self) -> bytes:
        """Return the event."""
        return self.without_blank_line() + self.blank_line

    def rest(self) -> Iterator[bytes]:
        """Yield what is behind ``before`` in pieces, none of them large."""
        whole, rest_bytes = divmod(self.padding_bytes, PIECE_BYTES)
        for _ in range(whole):
            yield b"x" * PIECE_BYTES
        yield b"x" * rest_bytes + self.after + self.blank_line


class EventEncoder:
    """Makes the bytes of a stream with the given faults."""

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
        cut = before.index(TEXT_BYTES) + CUTS[faults.chance("cut", seq) % len(CUTS)] if faults.split_utf8 else None
        return Event(seq, before, padding_bytes, closing + end_of_data, blank_line, cut)

    def notice(self, notice: Notice) -> bytes:
        """Return a comment."""
        end, blank_line = self._line_ends(0, 2)
        return b": %s" % notice.value.encode() + end + blank_line

    def preamble(self) -> bytes:
        """Return what comes before all events."""
        faults = self._faults
        end, blank_line = self._line_ends(0, 2)
        retry = b"" if faults.retry is None else b"retry: %d" % faults.retry + end + blank_line
        return (BOM if faults.bom else b"") + retry

    def _line_ends(self, seq: int, lines: int) -> list[bytes]:
        """Return the ends of an event's lines; the last line is the blank one."""
        faults = self._faults
        if faults.line_end != "mixed":
            return [LINE_ENDS[faults.line_end]] * lines
        ends = [MIXED[faults.chance(f"line_end:{line}", seq) % len(MIXED)] for line in range(lines)]
        if ends[-2:] == [b"\r", b"\n"]:
            ends[-1] = b"\r\n"  # CR and LF, side by side, would be one line end, and there would be no blank line
        return ends

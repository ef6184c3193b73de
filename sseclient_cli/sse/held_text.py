"""How much memory the text takes that a parser holds: strings as Python has them, not bytes as they came.

Very short lines take eight times as much as strings, and a line with one emoji four times as much.
"""

from __future__ import annotations

from sys import getsizeof

SMALL_BYTES = 2048
"""Not counted up to this size: 20,000 streams that hold as much hold 40 MB together."""


def large_text_bytes(text: str) -> int:
    """Return the memory that a text takes; 0 if it is small."""
    return getsizeof(text) if len(text) > SMALL_BYTES else 0


class HeldLines:
    """The memory of a list of lines that grows. Each line is looked at once."""

    __slots__ = ("_count", "total_bytes")

    def __init__(self) -> None:
        self._count = 0
        self.total_bytes = 0

    def count(self, lines: list[str]) -> None:
        """Count the lines that were added since the last call."""
        self.total_bytes += sum(map(getsizeof, lines[self._count :]))
        self._count = len(lines)

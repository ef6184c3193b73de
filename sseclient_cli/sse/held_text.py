"""Measure the memory of the text that a parser holds: the size of Python's strings, not the bytes on the wire.

As Python strings, very short lines take eight times their bytes on the wire, and a line with one emoji four times.
"""

from __future__ import annotations

from sys import getsizeof

SMALL_BYTES = 2048
"""Text up to this size is not counted: with 20,000 streams, it amounts to 40 MB at most."""


def large_text_bytes(text: str) -> int:
    """Return the memory of a text; 0 if it is small."""
    return getsizeof(text) if len(text) > SMALL_BYTES else 0


class HeldLines:
    """The memory of a growing list of lines. Each line is measured once."""

    __slots__ = ("_count", "total_bytes")

    def __init__(self) -> None:
        self._count = 0
        self.total_bytes = 0

    def count(self, lines: list[str]) -> None:
        """Count the lines that were added since the last call."""
        self.total_bytes += sum(map(getsizeof, lines[self._count :]))
        self._count = len(lines)

"""A line of the live view: pieces of text with styles, drawn without a library.

A frame must cost little while a run is on.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from rich.cells import cell_len, set_cell_size


class Style(Enum):
    """Styles, by their SGR codes. Colours are those of the terminal's own palette."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    CYAN = "36"
    BLUE = "34"
    GREEN = "32"
    WARNING = "33"
    BAD = "31"
    ALARM = "1;31"


Piece = str | tuple[str, Style]


class Line:
    """One line. Its text must be safe for a terminal (``visible``)."""

    __slots__ = ("_pieces", "width")

    def __init__(self, *pieces: Piece) -> None:
        self._pieces: list[tuple[str, Style]] = []
        self.width = 0
        self.add(*pieces)

    def add(self, *pieces: Piece) -> Line:
        """Append pieces, and return the line."""
        for piece in pieces:
            text, style = (piece, Style.PLAIN) if isinstance(piece, str) else piece
            if text:
                self._pieces.append((text, style))
                self.width += len(text) if text.isascii() else cell_len(text)
        return self

    def then(self, other: Line) -> Line:
        """Append another line, and return this one."""
        return self.add(*other._pieces)

    def padded(self, width: int) -> Line:
        """Return the line with exactly this width."""
        if self.width <= width:
            return Line(*self._pieces, " " * (width - self.width))
        return Line(*self._cut(width))

    def text(self) -> str:
        """Return the text without styles."""
        return "".join(text for text, _ in self._pieces)

    def ansi(self, width: int) -> str:
        """Return the line with its escape codes, cut to a width."""
        pieces = self._pieces if self.width <= width else self._cut(width)
        return "".join(f"\x1b[{style.value}m{text}\x1b[0m" if style.value else text for text, style in pieces)

    def _cut(self, width: int) -> Iterator[tuple[str, Style]]:
        left = width
        for text, style in self._pieces:
            size = cell_len(text)
            if size >= left:
                yield set_cell_size(text, left), style
                return
            yield text, style
            left -= size

"""A table with fixed columns, in which a narrow terminal loses whole columns, never digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sseclient_cli.render.live.line import Line, Style

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its figures with their styles, and its least width."""

    title: str
    figures: Sequence[tuple[str, Style]] = field(default_factory=tuple)
    least: int = 0
    """So that a column does not move when its figure gets longer."""
    importance: int = 0
    """The column with the lowest importance is dropped first."""

    @property
    def width(self) -> int:
        """The width of its longest text."""
        return max(self.least, len(self.title), *(len(text) for text, _ in self.figures))


def table(labels: Sequence[str], columns: Sequence[Column], width: int) -> list[Line]:
    """Return a line of titles and one line per label, with the columns that fit."""
    label_width = max((len(label) for label in labels), default=0)
    shown = list(columns)
    while shown and label_width + sum(GAP + column.width for column in shown) > width:
        shown.remove(min(shown, key=lambda column: column.importance))
    titles = Line(" " * label_width, *((" " * GAP + column.title.rjust(column.width), Style.DIM) for column in shown))
    rows = [
        Line(label.ljust(label_width), *(_cell(column, place) for column in shown))
        for place, label in enumerate(labels)
    ]
    return [titles, *rows]


def _cell(column: Column, place: int) -> tuple[str, Style]:
    text, style = column.figures[place]
    return " " * GAP + text.rjust(column.width), style

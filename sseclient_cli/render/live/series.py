"""A figure over the whole run, in memory of fixed size, and its chart. Pure.

The cells of a chart keep their times while the run goes on. When a chart is full, each two cells become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

FIRST_CELL_S = 0.25
MAX_CELLS = 512

_EIGHTHS = " ▁▂▃▄▅▆▇█"

_Cell = tuple[float, int]
"""Sum and number of values. For the maximum: the value and 1."""

_EMPTY: _Cell = (0.0, 0)


class Series:
    """The mean of a figure per interval, or its maximum."""

    def __init__(self, *, of_maxima: bool = False) -> None:
        self._of_maxima = of_maxima
        self._cell_s = FIRST_CELL_S
        self._cells: list[_Cell] = []

    def add(self, at_s: float, value: float | None) -> None:
        """Add a value that covers the time since the previous one; None if nothing was measured."""
        cell = _EMPTY if value is None else (value, 1)
        while int(at_s / self._cell_s) >= MAX_CELLS:
            self._cells = self._joined(self._cells, 2)
            self._cell_s *= 2
        place = int(at_s / self._cell_s)
        if place < len(self._cells):
            self._cells[-1] = self._together([self._cells[-1], cell])
        else:
            before = cell if self._cells else _EMPTY
            self._cells += [before] * (place - len(self._cells)) + [cell]

    def values(self, width: int) -> list[float | None]:
        """Return at most ``width`` values from the start of the run until now."""
        size = 1
        while ceil(len(self._cells) / size) > width:
            size *= 2
        return [total / count if count else None for total, count in self._joined(self._cells, size)]

    def _joined(self, cells: Sequence[_Cell], size: int) -> list[_Cell]:
        return [self._together(cells[place : place + size]) for place in range(0, len(cells), size)]

    def _together(self, cells: Sequence[_Cell]) -> _Cell:
        known = [cell for cell in cells if cell[1]]
        if not known:
            return _EMPTY
        if self._of_maxima:
            return max(known)
        return sum(total for total, _ in known), sum(count for _, count in known)


def chart(values: Sequence[float | None], width: int, rows: int) -> list[str]:
    """Return a bar chart of ``rows`` lines, the highest value at full height. A zero has no bar."""
    highest = max((value for value in values if value is not None), default=0) or 1
    heights = [ceil(8 * rows * (value or 0) / highest) for value in values]
    return [
        "".join(_EIGHTHS[min(max(height - 8 * row, 0), 8)] for height in heights).ljust(width)
        for row in reversed(range(rows))
    ]

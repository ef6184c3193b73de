"""Figures with their units in one row, for tables of the terminal."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

LABEL_WIDTH = 7
"""Labels of rows have the width of ``streams`` and ``warning``, so that all texts begin in one column."""


class Facts:
    """Figures with their units, wrapped only between two of them."""

    def __init__(self, *facts: Text) -> None:
        self._facts = facts

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for fact in self._facts:
            if line and line.cell_len + 2 + fact.cell_len > options.max_width:
                yield line
                line = Text()
            line.append("  " if line else "").append_text(fact)
        yield line

    def __rich_measure__(self, _console: Console, options: ConsoleOptions) -> Measurement:
        widths = [fact.cell_len for fact in self._facts]
        return Measurement(max(widths), min(sum(widths) + 2 * (len(widths) - 1), options.max_width))


def fact(number: float, unit: str, style: str = "") -> Text:
    """Return a figure with its unit."""
    figure = f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
    return Text(f"{figure}{unit}", style)


def if_any(number: int, unit: str, style: str = "") -> tuple[Text, ...]:
    """Return a figure with its unit; nothing if it is 0."""
    return (fact(number, unit, style),) if number else ()

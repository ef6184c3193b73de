"""Rows of the summary: a label, and a text or figures wrapped beside it, without spaces at the ends of lines."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

LABEL_WIDTH = len("streams")
"""All texts begin in one column. The longest labels are ``streams`` and ``warning``."""

_SPACES = 2


class Facts:
    """Figures with their units, wrapped only between two of them."""

    def __init__(self, *facts: Text) -> None:
        self._facts = facts

    def wrap(self, _console: Console, width: int) -> list[Text]:
        """Return the lines."""
        lines = [Text()]
        for fact in self._facts:
            if lines[-1] and lines[-1].cell_len + _SPACES + fact.cell_len > width:
                lines.append(Text())
            lines[-1].append(" " * _SPACES if lines[-1] else "").append_text(fact)
        return lines


class Row:
    """A label, and a text or figures beside it."""

    def __init__(self, label: Text, content: Text | Facts, label_width: int = LABEL_WIDTH) -> None:
        self._label = label
        self._content = content
        self._label_width = label_width

    def beside(self, label: str) -> Row:
        """Return the row with its text in the column of a row with this label."""
        return Row(self._label, self._content, len(label))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent = max(self._label_width, self._label.cell_len) + _SPACES
        for number, line in enumerate(self._content.wrap(console, max(options.max_width - indent, 1))):
            line.rstrip()
            label = Text() if number else self._label
            # Appended to the label itself, the line would inherit its style.
            yield Text.assemble(label, " " * (indent - label.cell_len), line)


class Paragraph:
    """A text over the whole width."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._text.wrap(console, options.max_width):
            line.rstrip()
            yield line


def fact(number: float, unit: str, style: str = "") -> Text:
    """Return a figure with its unit."""
    figure = f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
    return Text(f"{figure}{unit}", style)


def if_any(number: int, unit: str, style: str = "") -> tuple[Text, ...]:
    """Return a figure with its unit; nothing if it is 0."""
    return (fact(number, unit, style),) if number else ()

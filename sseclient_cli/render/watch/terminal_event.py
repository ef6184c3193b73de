"""Format one event or comment for a terminal.

Text from the server goes through ``visible`` and into ``rich.text.Text``, never into markup.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.watch.event_view import INDENT, clock_time, comment_as_line
from sseclient_cli.render.watch.json_text import in_many_lines, in_one_line, json_tokens
from sseclient_cli.sse.event_stream import Event

MAX_SHAPED_CHARS = 8 * 1024
"""Longer data is shown unformatted: it exceeds a screen, and rich needs 0.2 s for this much in short lines."""

MAX_HEAD_CHARS = 200
"""A longer type or ID is cut on a terminal, where it would fill most of the screen."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """Text of any size that the terminal wraps. It must be ``visible``; print it with ``soft_wrap``."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # One segment: rich would split a Text into lines and words, even without wrapping.
        yield Segment(self.text + "\n")


def is_huge(text: str) -> bool:
    """Return whether a text is too long to be formatted."""
    return len(text) > MAX_SHAPED_CHARS


def render_event(event: Event, time_s: float, width: int, label: str = "") -> RenderableType:
    """Return the event for a terminal ``width`` cells wide: on one line if it fits, else data below head.

    Data that ``is_huge`` is neither formatted nor indented: print it with ``soft_wrap``.
    """
    head = Text(overflow="fold")
    head.append(clock_time(time_s), "dim")
    if label:
        head.append(f" {label}", "magenta")
    head.append(" " + visible(_cut(event.type, MAX_HEAD_CHARS), keep_lines=False), "bold cyan")
    if event.id:
        head.append(f" id={visible(_cut(event.id, MAX_HEAD_CHARS), keep_lines=False)}", "dim")
    if is_huge(event.data):
        return Group(head, Unwrapped(visible(event.data)))
    tokens = json_tokens(event.data)
    data = in_one_line(tokens) if tokens else Text(visible(event.data))
    cells = cell_len(data.plain.expandtabs())
    if "\n" not in data.plain and head.cell_len + 1 + cells <= width:
        return Text.assemble(head, " ", data) if data else head
    if tokens and len(INDENT) + cells > width:
        data = in_many_lines(tokens)
    data.overflow = "fold"
    return Group(head, Padding(data, (0, 0, 0, len(INDENT))))


def render_comment(comment: str, time_s: float, label: str = "") -> Text:
    """Return a comment for a terminal; a huge one is cut."""
    return Text(comment_as_line(_cut(comment, MAX_SHAPED_CHARS), time_s, label), "dim", overflow="fold")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"

"""Format one event for a terminal: time, gap, type and ID, and the data as text or JSON.

Text from the server goes through ``visible`` and into ``rich.text.Text``, never into markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import size
from sseclient_cli.render.watch.event_view import INDENT
from sseclient_cli.render.watch.json_text import in_many_lines, in_one_line, json_tokens
from sseclient_cli.render.watch.live_entries import Arrived
from sseclient_cli.render.watch.time_column import TimeColumn, gap_text
from sseclient_cli.sse.error_event import is_error_event
from sseclient_cli.sse.event_stream import Event

MAX_SHAPED_CHARS = 8 * 1024
"""Longer data is shown unformatted: it exceeds a screen, and rich needs 0.2 s for this much in short lines."""

MAX_HEAD_CHARS = 200
"""A longer type or ID is cut on a terminal, where it would fill most of the screen."""

MAX_LINES = 12
"""Longer data is folded."""

FOLDED_LINES = 10
"""The lines that folded data shows."""

ERROR_COLOUR = 196
TYPE_COLOURS = (130, 64, 28, 30, 31, 27, 98, 133, 163)
"""Colours of the 256-colour palette with a contrast of 3.9 or more to black and to white, and none of them red."""


def type_colour(event: Event) -> int:
    """Return the colour of an event's type. A type has the same colour in every run."""
    if is_error_event(event):
        return ERROR_COLOUR
    return TYPE_COLOURS[crc32(event.type.encode("utf-8", "surrogatepass")) % len(TYPE_COLOURS)]


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """Text of any size that the terminal wraps. It must be ``visible``; print it with ``soft_wrap``."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # One segment: rich would split a Text into lines and words, even without wrapping.
        yield Segment(self.text + "\n")


class _Folded:
    """The first lines of long data. ``whole`` is the size of the data in bytes."""

    def __init__(self, data: Text, whole: int, *, is_cut: bool) -> None:
        self._data = data
        self._whole = whole
        self._is_cut = is_cut

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = self._data.wrap(console, options.max_width, overflow="fold")
        is_folded = self._is_cut or len(lines) > MAX_LINES
        yield from lines[:FOLDED_LINES] if is_folded else lines
        if is_folded:
            yield Text(f"… {size(self._whole)} in all (--full)", "dim")


def is_huge(text: str) -> bool:
    """Return whether a text is too long to be formatted."""
    return len(text) > MAX_SHAPED_CHARS


def render_event(arrived: Arrived, times: TimeColumn, width: int, *, is_full: bool = False) -> RenderableType:
    """Return the event for a terminal ``width`` cells wide: on one line if it fits, else data below head.

    Long data is folded, unless ``is_full``. Then data that ``is_huge`` is neither formatted nor indented: print it with
    ``soft_wrap``.
    """
    event, head = arrived.event, event_head(arrived, times)
    if is_huge(event.data) and is_full:
        return Group(head, Unwrapped(visible(event.data)))
    # More than this is folded in any case.
    most_chars = MAX_SHAPED_CHARS if is_full else min((MAX_LINES + 1) * width, MAX_SHAPED_CHARS)
    tokens = [] if is_huge(event.data) else json_tokens(event.data)
    data = in_one_line(tokens) if tokens else Text(visible(event.data[:most_chars]))
    cells = cell_len(data.plain.expandtabs())
    if "\n" not in data.plain and head.cell_len + 1 + cells <= width:
        return Text.assemble(head, " ", data) if data else head
    if tokens and len(INDENT) + cells > width:
        data = in_many_lines(tokens, None if is_full else MAX_LINES + 1)
    data.overflow = "fold"
    is_cut = not tokens and len(event.data) > most_chars
    below = data if is_full else _Folded(data, len(event.data.encode("utf-8", "surrogatepass")), is_cut=is_cut)
    return Group(head, Padding(below, (0, 0, 0, len(INDENT))))


def event_head(arrived: Arrived, times: TimeColumn) -> Text:
    """Return the line before the data."""
    event, head = arrived.event, Text(overflow="fold")
    head.append(times.text(arrived.time_s), "dim")
    if times.has_gaps:
        head.append(gap_text(arrived.gap_s) + " ", "dim")
    if arrived.label:
        head.append(arrived.label + " ", "magenta")
    head.append(visible(cut(event.type, MAX_HEAD_CHARS), keep_lines=False), f"bold color({type_colour(event)})")
    if event.id:
        head.append(f" id={visible(cut(event.id, MAX_HEAD_CHARS), keep_lines=False)}", "dim")
    return head


def cut(text: str, length: int) -> str:
    """Return the start of a text that is longer than ``length``, with an ellipsis."""
    return text if len(text) <= length else text[:length] + "…"

"""Format one event: for a terminal, as a plain line, or as a line of JSON.

Text from the server goes through ``visible`` and into ``rich.text.Text``, never into markup. JSON data is formatted
from its tokens, not from parsed values: numbers stay as they were sent (1.10 is not 1.1, 1e400 is not Infinity), and a
duplicate key is shown twice. String escapes are decoded, because escaped non-Latin text is unreadable.

This file must not know clocks: times are arguments, in seconds since the epoch.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.sse.event_stream import Event

MAX_SHAPED_CHARS = 8 * 1024
"""Longer data is shown unformatted: it exceeds a screen, and rich needs 0.2 s for this much in short lines."""

MAX_HEAD_CHARS = 200
"""A longer type or ID is cut on a terminal, where it would fill most of the screen."""

MAX_DEPTH = 32
"""Deeper JSON would be mostly indentation."""

INDENT = "  "

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_WORD_STYLES = {"true": "json.bool_true", "false": "json.bool_false", "null": "json.null"}


class _Token(NamedTuple):
    text: str
    style: str


def clock_time(time_s: float) -> str:
    """Return the local time of day, HH:MM:SS.mmm; ``time_s`` is seconds since the epoch."""
    return datetime.fromtimestamp(time_s).astimezone().strftime("%H:%M:%S.%f")[:-3]


def event_as_json(event: Event, time_s: float) -> str:
    """Return one line of ASCII: ``time`` (seconds since the epoch, to the millisecond), type, id and data."""
    return json.dumps({"time": round(time_s, 3), "type": event.type, "id": event.id, "data": event.data})


def comment_as_json(comment: str, time_s: float) -> str:
    """Return one line of ASCII: ``time`` and ``comment``."""
    return json.dumps({"time": round(time_s, 3), "comment": comment})


def event_as_line(event: Event, time_s: float) -> str:
    """Return the event as plain text: one line; data of several lines follows, indented."""
    first, *more = visible(event.data).split("\n")
    words = [clock_time(time_s), visible(event.type, keep_lines=False)]
    if event.id:
        words.append(f"id={visible(event.id, keep_lines=False)}")
    if more:
        return "\n".join([" ".join(words), *(INDENT + line for line in (first, *more))])
    return " ".join([*words, first]) if first else " ".join(words)


def comment_as_line(comment: str, time_s: float) -> str:
    """Return a comment as one line of plain text, with the colon of the wire format."""
    return f"{clock_time(time_s)} :{visible(comment, keep_lines=False)}"


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


def render_event(event: Event, time_s: float, width: int) -> RenderableType:
    """Return the event for a terminal ``width`` cells wide: on one line if it fits, else data below head.

    Data that ``is_huge`` is neither formatted nor indented: print it with ``soft_wrap``.
    """
    head = Text(overflow="fold")
    head.append(clock_time(time_s), "dim")
    head.append(" " + visible(_cut(event.type, MAX_HEAD_CHARS), keep_lines=False), "bold cyan")
    if event.id:
        head.append(f" id={visible(_cut(event.id, MAX_HEAD_CHARS), keep_lines=False)}", "dim")
    if is_huge(event.data):
        return Group(head, Unwrapped(visible(event.data)))
    tokens = json_tokens(event.data)
    data = _in_one_line(tokens) if tokens else Text(visible(event.data))
    cells = cell_len(data.plain.expandtabs())
    if "\n" not in data.plain and head.cell_len + 1 + cells <= width:
        return Text.assemble(head, " ", data) if data else head
    if tokens and len(INDENT) + cells > width:
        data = _in_many_lines(tokens)
    data.overflow = "fold"
    return Group(head, Padding(data, (0, 0, 0, len(INDENT))))


def render_comment(comment: str, time_s: float) -> Text:
    """Return a comment for a terminal; a huge one is cut."""
    return Text(comment_as_line(_cut(comment, MAX_SHAPED_CHARS), time_s), "dim", overflow="fold")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"


def json_tokens(data: str) -> list[_Token]:
    """Return the tokens of a JSON object or array; none for other values, invalid JSON, and too deep JSON."""
    if data.lstrip(" \t\n")[:1] not in ("{", "["):
        return []
    try:
        # parse_int: Python limits the digits of an int. NaN and Infinity are extensions of Python, not JSON.
        json.loads(data, parse_int=float, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return []
    tokens: list[_Token] = []
    depth = 0
    for text in _TOKEN.findall(data):
        if text == ":":
            tokens[-1] = tokens[-1]._replace(style="json.key")
        depth += (text in "[{") - (text in "]}")
        if depth > MAX_DEPTH:
            return []
        tokens.append(_styled(text))
    return tokens


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _styled(text: str) -> _Token:
    if text.startswith('"'):
        # json.dumps escapes backslash, quote and C0 controls again; visible() escapes all other controls.
        return _Token(visible(json.dumps(json.loads(text), ensure_ascii=False), keep_lines=False), "json.str")
    if text in "[]{}":
        return _Token(text, "json.brace")
    if text in ":,":
        return _Token(text, "")
    return _Token(text, _WORD_STYLES.get(text, "json.number"))


def _in_one_line(tokens: list[_Token]) -> Text:
    line = Text()
    for token in tokens:
        line.append(token.text + " " if not token.style else token.text, token.style)
    return line


def _in_many_lines(tokens: list[_Token]) -> Text:
    lines = Text()
    depth = 0
    before = ""
    for text, style in tokens:
        closes = style == "json.brace" and text in "]}"
        depth -= closes
        # Empty objects and arrays stay on one line.
        if (before in ("[", "{") and not closes) or before == "," or (closes and before not in ("[", "{")):
            lines.append("\n" + INDENT * depth)
        lines.append(text + " " if text == ":" and not style else text, style)
        depth += style == "json.brace" and not closes
        before = text if style in ("json.brace", "") else "value"
    return lines

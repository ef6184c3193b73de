"""Format one event as a plain line, or as a line of JSON. ``terminal_event.py`` formats it for a terminal.

This file must not know clocks: times are arguments, in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as _quoted  # the encoder of strings of json.dumps: a third of its time

from sseclient_cli.escaping import visible
from sseclient_cli.render.watch.time_column import clock_time
from sseclient_cli.sse.event_stream import Event

INDENT = "  "


def events_as_json(events: Iterable[Event], label: str = "") -> list[str]:
    """Return a line of ASCII for each event: ``time`` (seconds since the epoch, to the millisecond), type, id and data.

    With a label, also ``stream``.
    """
    stream = f'"stream": {_quoted(label)}, ' if label else ""
    lines: list[str] = []
    head, head_ns = "", -1
    for type_, data, id_, arrived_ns in events:
        if arrived_ns != head_ns:  # the events of one read have the same arrival time
            head, head_ns = f'{{"time": {round(arrived_ns / 1e9, 3)!r}, {stream}"type": ', arrived_ns
        lines.append(f'{head}{_quoted(type_)}, "id": {_quoted(id_)}, "data": {_quoted(data)}}}')
    return lines


def comment_as_json(comment: str, time_s: float, label: str = "") -> str:
    """Return one line of ASCII: ``time`` and ``comment``; with a label, also ``stream``."""
    stream = f'"stream": {_quoted(label)}, ' if label else ""
    return f'{{"time": {round(time_s, 3)!r}, {stream}"comment": {_quoted(comment)}}}'


def event_as_line(event: Event, time_s: float, label: str = "") -> str:
    """Return the event as plain text: one line; data of several lines follows, indented."""
    first, *more = visible(event.data).split("\n")
    words = [clock_time(time_s), *([label] if label else []), visible(event.type, keep_lines=False)]
    if event.id:
        words.append(f"id={visible(event.id, keep_lines=False)}")
    if more:
        return "\n".join([" ".join(words), *(INDENT + line for line in (first, *more))])
    return " ".join([*words, first]) if first else " ".join(words)


def comment_as_line(comment: str, time_s: float, label: str = "") -> str:
    """Return a comment as one line of plain text, with the colon of the wire format."""
    return f"{clock_time(time_s)} {f'{label} ' if label else ''}:{visible(comment, keep_lines=False)}"

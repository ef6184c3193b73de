"""Format one event as a plain line, or as a line of JSON. ``terminal_event.py`` formats it for a terminal.

This file must not know clocks: times are arguments, in seconds since the epoch.
"""

from __future__ import annotations

import json
from datetime import datetime

from sseclient_cli.escaping import visible
from sseclient_cli.sse.event_stream import Event

INDENT = "  "


def clock_time(time_s: float) -> str:
    """Return the local time of day, HH:MM:SS.mmm; ``time_s`` is seconds since the epoch."""
    return datetime.fromtimestamp(time_s).astimezone().strftime("%H:%M:%S.%f")[:-3]


def event_as_json(event: Event, time_s: float, label: str = "") -> str:
    """Return one line of ASCII: ``time`` (seconds since the epoch, to the millisecond), type, id and data.

    With a label, also ``stream``.
    """
    return json.dumps(_head(time_s, label) | {"type": event.type, "id": event.id, "data": event.data})


def comment_as_json(comment: str, time_s: float, label: str = "") -> str:
    """Return one line of ASCII: ``time`` and ``comment``; with a label, also ``stream``."""
    return json.dumps(_head(time_s, label) | {"comment": comment})


def _head(time_s: float, label: str) -> dict[str, object]:
    time = {"time": round(time_s, 3)}
    return {**time, "stream": label} if label else {**time}


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

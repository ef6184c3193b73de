"""What the values in an event say: a moment, a number, and where in the event they are.

Pure. ``scalars`` lists the places that could hold a timestamp or a sequence number: the id, and the JSON data down to
four levels.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from itertools import islice

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.units import NS_PER_S

MAX_DEPTH = 4
"""Levels of JSON that are searched: Centrifugo's ``push.pub.data.ts`` has four."""

MAX_SCALARS = 100
"""Values that are looked at in one event; a document with more than that holds no envelope."""

MAX_SCALAR_CHARS = 64
"""A longer string is neither a time nor a number, and a longer name is not one that a person would type."""

MAX_SEARCHED_CHARS = 64 * 1024
"""Longer data is not searched: to decode megabytes takes longer than other streams may wait."""

# Units by magnitude: in seconds, 10^11 is the year 5138; in milliseconds, it is 1973. The same factor parts ms from us
# and us from ns.
_UNITS = ((10**11, NS_PER_S), (10**14, 1_000_000), (10**17, 1_000), (2**63, 1))

_MAX_DIGITS = 32

_decoder = json.JSONDecoder()


def timestamp_ns(value: object) -> int | None:
    """Return a wall-clock time in ns since 1970, its unit told by its magnitude, or None if this is not one.

    Takes numbers, decimal strings, ISO 8601 strings with an offset, and ids like ``1700000000000-0`` (Redis).
    """
    number = value if type(value) is int else _number(value)
    if number is None:
        return _iso_ns(value) if isinstance(value, str) else None
    if not number > 0:
        return None
    for below, factor in _UNITS:
        if number < below:
            if type(number) is int:
                return number * factor
            # The whole part apart: 1.7 billion seconds times 10^9 in floating point is 128 ns off.
            return int(number) * factor + round(number % 1 * factor)
    return None


def sequence_number(value: object) -> int | None:
    """Return a whole number, or a string of digits as one, or None if this is neither."""
    if isinstance(value, str) and value.isdigit() and value.isascii() and len(value) <= _MAX_DIGITS:
        value = int(value)
    # 64 bits, as every counter has: a number of thousands of digits could not even be printed. True is an int, too.
    return value if type(value) is int and -(2**63) < value < 2**63 else None


def _number(value: object) -> int | float | None:
    if isinstance(value, str):
        text = value.partition("-")[0] if value[:1].isdigit() and value.count("-") == 1 else value
        if not text.isascii() or len(text) > _MAX_DIGITS:
            return None
        try:
            return int(text) if text.isdigit() else float(text)
        except ValueError:
            return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _iso_ns(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    # Whole microseconds, not timestamp(): a float of seconds since 1970 has lost the last digits.
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def value_at(path: tuple[str, ...], data: object) -> object:
    """Return what decoded JSON holds at a path; None where there is no such place."""
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def json_value(text: str) -> object:
    """Decode JSON; None for anything else."""
    try:
        # Half the time of decode(), which looks for white space around first. As a rule there is none.
        value, end = _decoder.raw_decode(text)
        if end == len(text):
            return value
    except (ValueError, RecursionError):
        pass
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        return None


def scalars(event: Event, callers_id: str = "") -> dict[Field, object]:
    """Return the numbers and short strings of an event by their place, the shallowest first.

    ``callers_id`` is the Last-Event-ID of the request: events carry it until the server names an id of its own.
    """
    found: dict[Field, object] = {}
    if event.id and event.id != callers_id and len(event.id) <= MAX_SCALAR_CHARS:
        found[Field()] = event.id
    data = json_value(event.data) if len(event.data) <= MAX_SEARCHED_CHARS else None
    todo: deque[tuple[tuple[str, ...], object]] = deque([((), data)])
    while todo and len(found) < MAX_SCALARS:
        path, value = todo.popleft()
        if isinstance(value, dict):
            if len(path) < MAX_DEPTH:
                room = MAX_SCALARS - len(todo)
                names = [name for name in islice(value, room) if len(name) <= MAX_SCALAR_CHARS]
                todo.extend(((*path, name), value[name]) for name in names)
        elif path and _could_say_something(value):
            found[Field(path)] = value
    return found


def _could_say_something(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= MAX_SCALAR_CHARS
    return isinstance(value, (int, float)) and not isinstance(value, bool)

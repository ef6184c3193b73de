"""Reads values of an event as timestamps or sequence numbers, and lists the candidates in an event.

Pure. The candidates (``scalars``) are the id and the values of JSON data, down to four levels.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from itertools import islice
from json.scanner import make_scanner

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.units import NS_PER_S

MAX_DEPTH = 4
"""Levels of JSON that are searched: Centrifugo's ``push.pub.data.ts`` has four."""

MAX_SCALARS = 100
"""Maximum of values examined in one event: an envelope has fewer."""

MAX_SCALAR_CHARS = 64
"""A longer string is neither a time nor a number. A longer name is not one that a user would type."""

MAX_SEARCHED_CHARS = 64 * 1024
"""Longer data is not searched: decoding megabytes would delay the other streams too long."""

# Units by magnitude: 10^11 is the year 5138 in seconds and 1973 in milliseconds. The same factor separates ms from us
# and us from ns. The smallest unit is first, because it is the most frequent one.
_UNITS = ((10**17, 1), (10**14, 1_000), (10**11, 1_000_000), (0, NS_PER_S))

_MAX_DIGITS = 32

_decoder = json.JSONDecoder()
# In C. raw_decode(), a Python function, only renames its exception. typeshed (mypy 2.4) has the wrong argument.
_scan_once = make_scanner(_decoder)  # type: ignore[arg-type]


def timestamp_ns(value: object) -> int | None:
    """Return a wall-clock time in ns since 1970, or None if the value is not one. The magnitude determines the unit.

    Accepts numbers, decimal strings, ISO 8601 strings with an offset, and ids like ``1700000000000-0`` (Redis).
    """
    number = value if type(value) is int else _number(value)
    if number is None:
        return _iso_ns(value) if isinstance(value, str) else None
    if not 0 < number < 2**63:
        return None
    for least, factor in _UNITS:
        if number >= least:
            if type(number) is int:
                return number * factor
            # Convert the integer part separately: 1.7 billion seconds times 10^9 in floating point is 128 ns off.
            return int(number) * factor + round(number % 1 * factor)
    return None


def sequence_number(value: object) -> int | None:
    """Return an integer, or a string of digits as an integer; None for any other value."""
    if isinstance(value, str) and value.isdigit() and value.isascii() and len(value) <= _MAX_DIGITS:
        value = int(value)
    # 64 bits, like every counter: Python refuses to print an int of thousands of digits. True is an instance of int.
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
    # Whole microseconds instead of timestamp(): a float of seconds since 1970 loses the last digits.
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def value_at(path: tuple[str, ...], data: object) -> object:
    """Return the value at a path in decoded JSON; None if the path does not exist."""
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def json_value(text: str) -> object:
    """Decode JSON; None for anything else."""
    try:
        # Takes a third of the time of decode(), which also skips white space around the value. Usually there is none.
        value, end = _scan_once(text, 0)
        if end == len(text):
            return value
    except (StopIteration, ValueError, RecursionError):
        pass
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        return None


def scalars(event: Event, callers_id: str = "") -> dict[Field, object]:
    """Return the numbers and short strings of an event by their place, the shallowest first.

    ``callers_id`` is the Last-Event-ID of the request: events inherit it until the server sends an id of its own.
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
                remaining = MAX_SCALARS - len(todo)
                names = [name for name in islice(value, remaining) if len(name) <= MAX_SCALAR_CHARS]
                todo.extend(((*path, name), value[name]) for name in names)
        elif path and _is_candidate(value):
            found[Field(path)] = value
    return found


def _is_candidate(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= MAX_SCALAR_CHARS
    return isinstance(value, (int, float)) and not isinstance(value, bool)

"""Where in an event its timestamp and its sequence number are, and what they say.

Pure. ``FieldReader`` is told the fields, or finds them: in two events that follow each other on one stream, a field
that holds a plausible, changing wall-clock time is the timestamp, and one that grows by exactly one is the sequence.
A whole number of seconds is never chosen by itself: it could not measure a latency.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sseclient_cli.load.plan import NS_PER_S, Choice, Field, FieldChoice
from sseclient_cli.protocol.event_stream import Event

MAX_CLOCK_DISTANCE_NS = 3600 * NS_PER_S
"""A number further than an hour from the arrival is not taken for the event's time by itself."""

MAX_UNDECIDED_EVENTS = 1_000
"""How many events wait for the decision; the later ones go unmeasured if it takes even longer."""

MAX_TRIES = 20
"""After so many pairs of events without any candidate there is none."""

# Units by magnitude: in seconds, 10^11 is the year 5138; in milliseconds, it is 1973. The same factor parts ms from us
# and us from ns.
_UNITS = ((10**11, NS_PER_S), (10**14, 1_000_000), (10**17, 1_000), (2**63, 1))

_MAX_DIGITS = 32

_decode = json.JSONDecoder().decode
"""What ``json.loads`` calls in the end; a third of its time is spent on the way there."""


def timestamp_ns(value: object) -> int | None:
    """Return a wall-clock time in ns since 1970, its unit told by its magnitude, or None if this is not one.

    Takes numbers, decimal strings, ISO 8601 strings with an offset, and ids like ``1700000000000-0`` (Redis).
    """
    number = _number(value)
    if number is None:
        return _iso_ns(value) if isinstance(value, str) else None
    if not number > 0:
        return None
    for below, factor in _UNITS:
        if number < below:
            # The whole part apart: 1.7 billion seconds times 10^9 in floating point is 128 ns off.
            return int(number) * factor + round(number % 1 * factor)
    return None


def sequence_number(value: object) -> int | None:
    """Return a whole number, or a string of digits as one, or None if this is neither."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    # 64 bits, as every counter has: a number of thousands of digits could not even be printed.
    return value if abs(value) < 2**63 else None


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


def _value_at(field: Field, event: Event, data: object) -> object:
    if not field.path:
        return event.id
    for name in field.path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def _json(event: Event) -> object:
    try:
        return _decode(event.data)
    except (ValueError, RecursionError):
        return None


class FieldReader:
    """Reads timestamp and sequence of each event; chooses the fields first where the plan says ``auto``."""

    undecided: bool
    """Whether a choice is still open; ``offer`` events until it is not."""
    timestamp_undecided: bool
    """Whether the timestamp's field is still open."""
    needed: bool
    """Whether there is anything to read from events."""

    def __init__(self, timestamp: FieldChoice, sequence: FieldChoice) -> None:
        self.timestamp = timestamp
        self.sequence = sequence
        self._tries = 0
        self._settle()

    def read(self, event: Event) -> tuple[int | None, int | None]:
        """Return the event's timestamp in ns and its sequence number, None where it has none."""
        data = _json(event) if self._needs_json else None
        stamp = None if self._timestamp is None else timestamp_ns(_value_at(self._timestamp, event, data))
        number = None if self._sequence is None else sequence_number(_value_at(self._sequence, event, data))
        return stamp, number

    def offer(self, earlier: Event, later: Event, arrival_ns: int) -> None:
        """Look at two events that followed each other on one stream; the later one arrived at ``arrival_ns``."""
        self._tries += 1
        before, after = _candidates(earlier), _candidates(later)
        for field, value in after.items():
            if field not in before:
                continue
            if self.sequence is Choice.AUTO and _grows_by_one(before[field], value):
                self.sequence = field
            elif self.timestamp is Choice.AUTO and _is_time(before[field], value, arrival_ns):
                self.timestamp = field
        if self._tries >= MAX_TRIES:
            self.give_up()
        self._settle()

    def give_up(self) -> None:
        """Take what is undecided as not there."""
        self.timestamp = Choice.NONE if self.timestamp is Choice.AUTO else self.timestamp
        self.sequence = Choice.NONE if self.sequence is Choice.AUTO else self.sequence
        self._settle()

    def _settle(self) -> None:
        # Plain attributes: they are asked for once per read.
        self.timestamp_undecided = self.timestamp is Choice.AUTO
        self.undecided = self.timestamp_undecided or self.sequence is Choice.AUTO
        self._timestamp = self.timestamp if isinstance(self.timestamp, Field) else None
        self._sequence = self.sequence if isinstance(self.sequence, Field) else None
        self.needed = self._timestamp is not None or self._sequence is not None
        self._needs_json = any(field is not None and field.path for field in (self._timestamp, self._sequence))


def _candidates(event: Event) -> dict[Field, object]:
    """Return what could be a timestamp or a sequence: the id and the top level of the JSON data."""
    found: dict[Field, object] = {Field(): event.id}
    data = _json(event)
    if isinstance(data, dict):
        found.update({Field((name,)): value for name, value in data.items()})
    return found


def _grows_by_one(before: object, after: object) -> bool:
    first, second = sequence_number(before), sequence_number(after)
    return first is not None and second == first + 1


def _is_time(before: object, after: object, arrival_ns: int) -> bool:
    first, second = timestamp_ns(before), timestamp_ns(after)
    if first is None or second is None or first == second:
        return False
    near = abs(arrival_ns - first) < MAX_CLOCK_DISTANCE_NS and abs(arrival_ns - second) < MAX_CLOCK_DISTANCE_NS
    return near and (first % NS_PER_S != 0 or second % NS_PER_S != 0)

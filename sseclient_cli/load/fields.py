"""Where in an event its timestamp and its sequence number are, and what they say.

Pure. ``FieldReader`` is told the fields, or finds them, by looking at pairs of events that follow each other on one
stream. In three pairs, a field that holds a plausible, changing wall-clock time is the timestamp (of several, the one
nearest to the arrival); in three pairs in a row, one that grows by exactly one is the sequence. A whole number of
seconds is never chosen by itself: it could not measure a latency.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sseclient_cli.load.plan import NS_PER_S, Choice, Field, FieldChoice
from sseclient_cli.protocol.event_stream import Event

MAX_CLOCK_DISTANCE_NS = 3600 * NS_PER_S
"""A number further than an hour from the arrival is not taken for the event's time by itself."""

MAX_UNDECIDED_CHARS = 64 * 1024 * 1024
"""How much data may wait for the decision. After more there is none: an event that was left out would look lost."""

MAX_PAIRS = 30
"""After so many pairs of events, what has not been found is not there."""

ENOUGH_PAIRS = 3
"""One pair can lie: a count of users grows by one now and then, and so do milliseconds."""

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
    """Whether a choice is still open; ``offer`` pairs of events until it is not."""
    needed: bool
    """Whether there is anything to read from events."""

    def __init__(self, timestamp: FieldChoice, sequence: FieldChoice) -> None:
        self.timestamp = timestamp
        self.sequence = sequence
        self._pairs = 0
        self._runs: dict[Field, int] = {}
        """In how many pairs in a row a field has grown by one."""
        self._distances_ns: dict[Field, list[int]] = {}
        """How far from the arrival a field's times were."""
        self._settle()

    def read(self, event: Event, *, with_timestamp: bool) -> tuple[int | None, int | None]:
        """Return the event's timestamp in ns, if wanted, and its sequence number; None where it has none."""
        timestamp = self._timestamp if with_timestamp else None
        sequence = self._sequence
        needs_json = (timestamp is not None and timestamp.path) or (sequence is not None and sequence.path)
        data = _json(event) if needs_json else None
        return (
            None if timestamp is None else timestamp_ns(_value_at(timestamp, event, data)),
            None if sequence is None else sequence_number(_value_at(sequence, event, data)),
        )

    def offer(self, earlier: Event, later: Event, arrival_ns: int) -> None:
        """Look at two events that followed each other on one stream; the later one arrived at ``arrival_ns``."""
        self._pairs += 1
        before = _candidates(earlier)
        for field, value in _candidates(later).items():
            distance_ns = _distance_ns(before.get(field), value, arrival_ns)
            if distance_ns is not None:
                self._distances_ns.setdefault(field, []).append(distance_ns)
                continue  # a time in milliseconds may grow by one, and is no sequence
            self._runs[field] = self._runs.get(field, 0) + 1 if _grows_by_one(before.get(field), value) else 0
        if self.sequence is Choice.AUTO:
            proven = [field for field, run in self._runs.items() if run >= ENOUGH_PAIRS]
            self.sequence = proven[0] if proven else Choice.AUTO
        if self.timestamp is Choice.AUTO:
            times = {field: max(found) for field, found in self._distances_ns.items() if len(found) >= ENOUGH_PAIRS}
            self.timestamp = min(times, key=times.__getitem__) if times else Choice.AUTO
        if self._pairs >= MAX_PAIRS:
            self.give_up()
        self._settle()

    def give_up(self) -> None:
        """Take what is undecided as not there."""
        self.timestamp = Choice.NONE if self.timestamp is Choice.AUTO else self.timestamp
        self.sequence = Choice.NONE if self.sequence is Choice.AUTO else self.sequence
        self._settle()

    def _settle(self) -> None:
        # Plain attributes: they are asked for once per read.
        self.undecided = Choice.AUTO in (self.timestamp, self.sequence)
        self._timestamp = self.timestamp if isinstance(self.timestamp, Field) else None
        self._sequence = self.sequence if isinstance(self.sequence, Field) else None
        self.needed = self._timestamp is not None or self._sequence is not None


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


def _distance_ns(before: object, after: object, arrival_ns: int) -> int | None:
    """Return how far from the arrival a time is; None for what is no time near it that has changed."""
    first, second = timestamp_ns(before), timestamp_ns(after)
    if first is None or second is None or first == second:
        return None
    if first % NS_PER_S == 0 and second % NS_PER_S == 0:
        return None
    farthest_ns = max(abs(arrival_ns - first), abs(arrival_ns - second))
    return farthest_ns if farthest_ns < MAX_CLOCK_DISTANCE_NS else None

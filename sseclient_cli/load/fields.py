"""Where in an event its timestamp and its sequence number are, and what they say.

Pure. ``FieldReader`` is told the fields, or finds them, by looking at pairs of events of one stream. A field that holds
a plausible wall-clock time, and another one in the last event of the next read, three times, is the timestamp (of
several, the one nearest to the arrival); one that grows by exactly one in three pairs of neighbours in a row is the
sequence. A whole number of seconds is never chosen by itself: it could not measure a latency.
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

MAX_UNDECIDED_EVENTS = 100_000
"""The same for events, which take some 300 bytes each, however small their data are."""

MAX_PAIRS = 30
"""After so many pairs of events, what has not been found is not there."""

ENOUGH_PAIRS = 3
"""One pair can lie: a count of users grows by one now and then, and so do milliseconds."""

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


def _value_at(path: tuple[str, ...], data: object) -> object:
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def _json(text: str) -> object:
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


class FieldReader:
    """Reads timestamp and sequence of each event; chooses the fields first where the plan says ``auto``."""

    undecided: bool
    """Whether a choice is still open; offer pairs of events until it is not."""
    needed: bool
    """Whether there is anything to read from events."""

    def __init__(self, timestamp: FieldChoice, sequence: FieldChoice, callers_id: str = "") -> None:
        self.timestamp = timestamp
        self.sequence = sequence
        self._callers_id = callers_id
        """What the caller gave as Last-Event-ID: events have it until the server names an id, and it says nothing."""
        self._neighbours = 0
        self._arrivals = 0
        self._runs: dict[Field, int] = {}
        """In how many pairs in a row a field has grown by one."""
        self._distances_ns: dict[Field, list[int]] = {}
        """How far from the arrival a field's times were."""
        self._settle()

    def read(self, event: Event, *, with_timestamp: bool) -> tuple[int | None, int | None]:
        """Return the event's timestamp in ns, if wanted, and its sequence number; None where it has none."""
        data = None
        event_id = "" if event.id == self._callers_id else event.id
        if self._sequence_path or (with_timestamp and self._timestamp_path):
            data = _json(event.data)
        sent_ns = number = None
        if with_timestamp and self._timestamp_path is not None:
            sent_ns = timestamp_ns(_value_at(self._timestamp_path, data) if self._timestamp_path else event_id)
        if self._sequence_path is not None:
            number = sequence_number(_value_at(self._sequence_path, data) if self._sequence_path else event_id)
        return sent_ns, number

    def numbers(self, events: list[Event]) -> list[int]:
        """Return the sequence numbers of events, without those that have none."""
        if self._sequence_path is None:
            return []
        if not self._sequence_path and not self._callers_id:
            ids = [event.id for event in events]
            together = "".join(ids)
            if together.isdigit() and together.isascii() and max(map(len, ids)) < 19 and all(ids):
                return list(map(int, ids))
        found = [self.read(event, with_timestamp=False)[1] for event in events]
        return [number for number in found if number is not None]

    def offer_neighbours(self, earlier: Event, later: Event, arrival_ns: int) -> None:
        """Look for a sequence in two events that followed each other on one stream, and arrived about then."""
        if self.sequence is not Choice.AUTO:
            return
        self._neighbours += 1
        before = _candidates(earlier)
        for field, value in _candidates(later).items():
            # A time in milliseconds may grow by one, and is no sequence.
            grows = _grows_by_one(before.get(field), value) and _distance_ns(value, arrival_ns) is None
            self._runs[field] = self._runs.get(field, 0) + 1 if grows else 0
            if self._runs[field] >= ENOUGH_PAIRS and self.sequence is Choice.AUTO:
                self.sequence = field
        if self._neighbours >= MAX_PAIRS and self.sequence is Choice.AUTO:
            self.sequence = Choice.NONE
        self._settle()

    def offer_arrivals(self, earlier: Event, later: Event, arrival_ns: int) -> None:
        """Look for a timestamp in the last events of two reads of one stream; the later one arrived at that time.

        What a server sends at once may have one timestamp: it tells nothing that within a read none changes.
        """
        if self.timestamp is not Choice.AUTO:
            return
        self._arrivals += 1
        before = _candidates(earlier)
        for field, value in _candidates(later).items():
            first_ns, second_ns = timestamp_ns(before.get(field)), timestamp_ns(value)
            distance_ns = _distance_ns(value, arrival_ns)
            if distance_ns is None or first_ns is None or second_ns is None or first_ns == second_ns:
                continue
            if first_ns % NS_PER_S or second_ns % NS_PER_S:
                self._distances_ns.setdefault(field, []).append(distance_ns)
        found = {field: max(values) for field, values in self._distances_ns.items() if len(values) >= ENOUGH_PAIRS}
        if found:
            self.timestamp = min(found, key=found.__getitem__)
        elif self._arrivals >= MAX_PAIRS:
            self.timestamp = Choice.NONE
        self._settle()

    def give_up(self) -> None:
        """Take what is undecided as not there."""
        self.timestamp = Choice.NONE if self.timestamp is Choice.AUTO else self.timestamp
        self.sequence = Choice.NONE if self.sequence is Choice.AUTO else self.sequence
        self._settle()

    def _settle(self) -> None:
        # Plain attributes: they are asked for once per read.
        self.undecided = Choice.AUTO in (self.timestamp, self.sequence)
        self._timestamp_path = self.timestamp.path if isinstance(self.timestamp, Field) else None
        self._sequence_path = self.sequence.path if isinstance(self.sequence, Field) else None
        self.needed = self._timestamp_path is not None or self._sequence_path is not None


def _candidates(event: Event) -> dict[Field, object]:
    """Return what could be a timestamp or a sequence: the id and the top level of the JSON data."""
    found: dict[Field, object] = {Field(): event.id}
    data = _json(event.data)
    if isinstance(data, dict):
        found.update({Field((name,)): value for name, value in data.items()})
    return found


def _grows_by_one(before: object, after: object) -> bool:
    first, second = sequence_number(before), sequence_number(after)
    return first is not None and second == first + 1


def _distance_ns(value: object, arrival_ns: int) -> int | None:
    """Return how far from the arrival a time is; None for what is no time near it."""
    time_ns = timestamp_ns(value)
    distance_ns = None if time_ns is None else abs(arrival_ns - time_ns)
    return distance_ns if distance_ns is not None and distance_ns < MAX_CLOCK_DISTANCE_NS else None

"""Detects the timestamp field and the sequence field of a stream from its events.

Pure. One ``FieldSearch`` examines one stream, so streams never confirm each other: if three streams see a counter grow
once, it has grown only once. The rules:

* A **timestamp** is a wall-clock time within one hour before the arrival. It must grow three times in a row, or twelve
  times if it is more than 10 s old; a fall starts the count again. A time in the future (``expiresAt``) is not a send
  time, and whole seconds cannot measure a latency. Of several candidates, the one closest to the arrival is taken.
* A **sequence** grows by exactly one three times in a row, in all events or in those of one type. Its name determines
  how far it is trusted: see ``Trust``.

The audit can refute a detected sequence later (``sequence_audit.py``).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.field_values import scalars, sequence_number, timestamp_ns
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.units import NS_PER_S

MAX_CLOCK_DISTANCE_NS = 3600 * NS_PER_S
"""A number further than one hour from the arrival is not detected as the event's time."""

MAX_FUTURE_NS = 2 * NS_PER_S
"""Clock difference that the Date header, with its whole seconds, may not show. A time further ahead is an expiry."""

ENOUGH_STEPS = 3
"""One step proves nothing: a count of users grows by one now and then, and so do milliseconds."""

RECENT_NS = 10 * NS_PER_S
"""The maximum age of a time that is probably the event's send time."""

ENOUGH_OLD_STEPS = 12
"""Steps in a row that an older time needs: four random times are in growing order in one case of 24, and a stream that
finds a field passes it on to the others."""

RISES_PER_FALL = 4
"""The last change of an entity (``updated_at``) falls as often as it rises. A send time almost never falls."""

MAX_SEARCHED_EVENTS = 40
"""Length of one search. A field that it does not find is searched again later (``event_fields.py``)."""

MAX_TYPES = 8
"""Event types of one stream that are examined separately."""

# Names of the position in a stream. ``id`` in JSON is not among them: it often names an entity.
_POSITION_NAME = re.compile(
    r"seq(uence)?([_-]?(no|nr|num|number|id))?|(event|message|msg)[_-]?(id|no|nr|num|number)|offset|serial|ordinal",
    re.IGNORECASE,
)


class Trust(IntEnum):
    """How far a field is trusted to be a sequence."""

    ONLY_WITHOUT_FAULT = 0
    """Only its values look like a sequence; those of a percentage or a version do too. One fault refutes it."""
    POSITION = 1
    """Its name is that of a position in the stream (``seq``, ``offset``, ``message_id``)."""
    EVENT_ID = 2
    """The event's ``id``, from which a client resumes."""


def trust_of(place: Field) -> Trust:
    """Return how far a field is trusted, by its name."""
    if not place.path:
        return Trust.EVENT_ID
    return Trust.POSITION if _POSITION_NAME.fullmatch(place.path[-1]) else Trust.ONLY_WITHOUT_FAULT


class Now(NamedTuple):
    """The arrival of an event in ns since 1970: by our clock, and by the server's according to its Date header."""

    client_ns: int
    server_ns: int

    def distance_ns(self, time_ns: int) -> int:
        """Return how far a time is from now, by the clock that is closer to it: a Date may come from a cache."""
        return min(abs(self.client_ns - time_ns), abs(self.server_ns - time_ns))

    def is_before(self, time_ns: int) -> bool:
        """Return whether a time lies in the future by both clocks."""
        return time_ns > max(self.client_ns, self.server_ns) + MAX_FUTURE_NS


@dataclass(slots=True)
class _Times:
    """The times that a field has held."""

    last_ns: int
    run: int = 0
    """Rises in a row."""
    rises: int = 0
    falls: int = 0
    largest_distance_ns: int = 0

    @property
    def enough(self) -> int:
        """How many times in a row the time must grow."""
        return ENOUGH_STEPS if self.largest_distance_ns <= RECENT_NS else ENOUGH_OLD_STEPS


@dataclass(slots=True)
class _Numbers:
    """The numbers that a field has held. A run is the number of steps by one in a row."""

    last: int
    run: int = 0
    longest_run: int = 0


@dataclass(slots=True)
class FieldSearch:
    """The search in one stream. ``timestamp`` and ``sequence`` are the fields found so far."""

    wants_timestamp: bool
    wants_sequence: bool
    callers_id: str = ""
    refuted: Collection[Field] = ()
    """Fields that the audit has refuted on this stream."""
    timestamp: Field | None = None
    sequence: Field | None = None
    events: int = 0
    future: Field | None = None
    """A field that was rejected as timestamp because its times lie in the future."""
    _times: dict[Field, _Times] = field(default_factory=dict)
    _numbers: dict[tuple[Field, str], _Numbers] = field(default_factory=dict)
    _types: set[str] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        """Whether all wanted fields are found, or the search has reached its length."""
        return self.events >= MAX_SEARCHED_EVENTS or not (self._seeks_timestamp or self._seeks_sequence)

    @property
    def _seeks_timestamp(self) -> bool:
        return self.wants_timestamp and self.timestamp is None

    @property
    def _seeks_sequence(self) -> bool:
        return self.wants_sequence and self.sequence is None

    def offer(self, event: Event, now: Now) -> None:
        """Examine the stream's next event, which arrived now."""
        self.events += 1
        if event.type not in self._types and len(self._types) < MAX_TYPES:
            self._types.add(event.type)
        for place, value in scalars(event, self.callers_id).items():
            time_ns = timestamp_ns(value)
            distance_ns = None if time_ns is None else now.distance_ns(time_ns)
            if time_ns is not None and distance_ns is not None and distance_ns < MAX_CLOCK_DISTANCE_NS:
                if self.wants_timestamp:
                    self._note_time(place, time_ns, distance_ns, is_future=now.is_before(time_ns))
            elif self.wants_sequence and place not in self.refuted:
                number = sequence_number(value)
                if number is not None:
                    self._note_number(place, event.type, number)
        if self._seeks_timestamp:
            self._choose_timestamp()
        if self._seeks_sequence:
            self._choose_sequence()

    def _note_time(self, place: Field, time_ns: int, distance_ns: int, *, is_future: bool) -> None:
        if is_future:
            self.future = self.future or place
            self._times.pop(place, None)
            return
        times = self._times.setdefault(place, _Times(time_ns))
        if time_ns < times.last_ns:
            times.run = 0
            times.falls += 1
        elif time_ns > times.last_ns and (time_ns % NS_PER_S or times.last_ns % NS_PER_S):
            times.run += 1
            times.rises += 1
        # Equal times are of events that were sent at once: they prove nothing.
        times.last_ns = time_ns
        times.largest_distance_ns = max(times.largest_distance_ns, distance_ns)

    def _note_number(self, place: Field, event_type: str, number: int) -> None:
        for key in ((place, ""), (place, event_type)):
            numbers = self._numbers.get(key)
            if numbers is None:
                if event_type in self._types:
                    self._numbers[key] = _Numbers(number)
                continue
            numbers.run = numbers.run + 1 if number == numbers.last + 1 else 0
            numbers.longest_run = max(numbers.longest_run, numbers.run)
            numbers.last = number

    def _choose_timestamp(self) -> None:
        found = [
            place
            for place, times in self._times.items()
            if times.run >= times.enough and times.rises >= RISES_PER_FALL * times.falls
        ]
        if found:
            self.timestamp = min(found, key=lambda place: self._times[place].largest_distance_ns)

    def _choose_sequence(self) -> None:
        """Take the most trusted field with enough steps. Wait while a more trusted one has started to step."""
        runs: dict[Field, int] = {}
        for (place, _), numbers in self._numbers.items():
            runs[place] = max(runs.get(place, 0), numbers.longest_run)
        shown = [place for place, run in runs.items() if run >= ENOUGH_STEPS]
        if not shown:
            return
        best = max(shown, key=trust_of)
        may_follow = any(run and trust_of(place) > trust_of(best) for place, run in runs.items())
        if not may_follow or self.events >= MAX_SEARCHED_EVENTS:
            self.sequence = best

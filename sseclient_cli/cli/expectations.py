"""The expectations of a script for ``sse watch``, and whether the events of a run meet them.

Pure: events are arguments, and the result is a line that says which expectation was not met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sseclient_cli.cli.reading_words import MAX_DATA_CHARS, error_in, note_on, notes_on, unmet_by
from sseclient_cli.escaping import visible, visible_start
from sseclient_cli.payload.event_filter import EventFilter
from sseclient_cli.payload.expected_event import ExpectedEvent
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.payload.reading import Reading, WholeEvents
from sseclient_cli.sse.error_event import is_error_event
from sseclient_cli.sse.event_stream import Event

MAX_TYPES = 20
"""Types listed by name: a server could send a new one with each event."""

MAX_TYPE_CHARS = 100
"""The part of a received type that is kept and written to stderr."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """Which events to select, and when to stop.

    ``until`` and ``expect`` are the event that ends the run. ``first_within_s`` limits the time to the first selected
    event, ``within_s`` the time until the expectations are met.
    """

    selected: EventFilter = field(default_factory=EventFilter)
    count: int | None = None
    until: ExpectedEvent | None = None
    expect: ExpectedEvent | None = None
    first_within_s: float | None = None
    within_s: float | None = None
    no_error_event: bool = False

    def doubts(self) -> list[str]:
        """Return why expressions may have another meaning than their author thinks, for the start of a run."""
        where, expect = self.selected.where, self.expect
        return [
            *([f"--where: {where.hint}"] if where is not None and where.hint else []),
            *([f"--expect is read {expect.how_read}"] if expect is not None and expect.doubt else []),
        ]


class Verdict:
    """Compares the events of one run with the expectations. ``reading`` chooses the part of an event to show."""

    def __init__(self, expected: Expectations, reading: Reading | None = None) -> None:
        self._expected = expected
        self._reading: Reading = WholeEvents() if reading is None else reading
        self._awaited = expected.expect or expected.until
        self._shows_all = (
            isinstance(self._reading, WholeEvents)
            and expected.selected == EventFilter()
            and not (self._awaited or expected.no_error_event)
        )
        self._is_found = False
        self._error: Event | None = None
        self._other_types: Counter[str] = Counter()
        self._is_overdue = False
        self._is_noted = False
        self.selected = 0
        """Events that the filter selects."""
        self.shown = 0
        """Selected events with something to show."""
        self.is_enough = False
        """Whether to end the run: the expectations are met, nothing more can be read, or an error event came."""

    def read(self, event: Event) -> Event | None:
        """Add the next event; return it as it is shown, None if it is not."""
        if self.is_enough:
            return None  # an event of another stream, before it closes
        expected = self._expected
        if self._shows_all:  # the usual case, at 150,000 events per second
            self.selected = self.shown = self.selected + 1
            self.is_enough = self.shown == expected.count
            return event
        parsed = ParsedEvent(event)
        if expected.no_error_event and is_error_event(event):
            self._error, self.is_enough = event, True
        if not expected.selected.selects(parsed):
            self._count_other_type(event.type)
            return None
        self.selected += 1
        if self._awaited is not None and self._awaited.is_met(parsed):
            self._is_found = self.is_enough = True
        shown = self._reading.read(parsed)
        self.shown += shown is not None
        self.is_enough = self.is_enough or self._reading.is_ended or self._has_count
        return shown

    def _count_other_type(self, name: str) -> None:
        start = name[: MAX_TYPE_CHARS + 1]
        is_counted = start in self._other_types or len(self._other_types) < MAX_TYPES
        self._other_types[start if is_counted else "(other)"] += 1

    def note(self) -> str:
        """Return a note to show during the run, once; empty if there is none."""
        note = "" if self._is_noted else note_on(self._reading)
        self._is_noted = self._is_noted or note != ""
        return note

    def notes(self) -> list[str]:
        """Return the notes on parts that were not shown, for the end of the run."""
        return notes_on(self._reading)

    def time_limits(self) -> Iterator[tuple[float, Callable[[], bool]]]:
        """Yield each limit in seconds, and the function to call then. It returns whether to end the run."""
        if self._expected.first_within_s is not None:
            yield self._expected.first_within_s, self._expire_first
        if self._expected.within_s is not None:
            yield self._expected.within_s, self._expire

    def _expire_first(self) -> bool:
        return not self.selected

    def _expire(self) -> bool:
        self._is_overdue = not self.is_enough
        return self._is_overdue

    @property
    def _has_count(self) -> bool:
        return self._expected.count is not None and self.shown >= self._expected.count

    def unmet(self) -> str:
        """Return the expectation that was not met, in words; empty if all were met."""
        return self._error_words() or error_in(self._reading) or self._unmet_wait() or self._unmet_end()

    def _error_words(self) -> str:
        if self._error is None:
            return ""
        name, data = visible_start(self._error.type, MAX_TYPE_CHARS), visible_start(self._error.data, MAX_DATA_CHARS)
        return f"received an error event: {name} {data}"

    def _unmet_wait(self) -> str:
        limit_s = self._expected.first_within_s
        if limit_s is None or self.selected:  # without an event, also if the stream ended before the limit
            return ""
        return f"no event within {limit_s:g} s (--expect-within){self.types_seen()}"

    def _unmet_end(self) -> str:
        expected = self._expected
        if self._awaited is not None:
            return "" if self._is_found else f"{self._not_found()}{self.types_seen()}"
        if expected.count is not None:
            received = f"received {self.shown:,} of {_events(expected.count)}{self._late} (-n)"
            return "" if self._has_count else f"{received}{self.types_seen()}"
        if not self.selected and expected.selected != EventFilter():
            return f"{self._nothing_selected()}{self.types_seen()}"
        return unmet_by(self._reading, self._late)

    @property
    def _late(self) -> str:
        return f" within {self._expected.within_s or 0:g} s" if self._is_overdue else ""

    def _not_found(self) -> str:
        """Return that the expected event did not arrive, and how it was read."""
        awaited, is_expect = self._awaited, self._expected.expect is not None
        assert awaited is not None
        meets = "contains" if awaited.query is None else "meets"
        option = f"--expect, read {awaited.how_read}" if is_expect else "--until"
        return f"no event {meets} {awaited.text!a}{self._late} ({option}): received {_events(self.selected)}"

    def _nothing_selected(self) -> str:
        """Return that the filter selected no event, with its conditions."""
        selected = self._expected.selected
        if selected.where is None and selected.grep is None:
            wanted = ", ".join(visible(name, keep_lines=False) for name in sorted(selected.types))
            return f"no event of type {wanted} (--event)"
        conditions = [
            *(["--event"] if selected.types else []),
            *([] if selected.where is None else [f"--where {selected.where.expression!a}"]),
            *([] if selected.grep is None else [f"--grep {selected.grep.pattern!a}"]),
        ]
        return f"no event meets {' and '.join(conditions)}"

    def types_seen(self) -> str:
        """Return the received types as the end of a line if no event was selected: a name may be misspelled."""
        if self._expected.selected == EventFilter() or self.selected:
            return ""
        if not self._other_types:
            return "; no event of another type either" if self._expected.selected.types else "; no event arrived"
        types = ", ".join(
            f"{visible_start(name, MAX_TYPE_CHARS)} ({count:,})" for name, count in self._other_types.most_common()
        )
        return f"; received types: {types}"


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"

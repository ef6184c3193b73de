"""The expectations of a script for ``sse watch``, and whether the events of a run meet them.

Pure: events are arguments, and the result is a line that says which expectation was not met.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sseclient_cli.escaping import visible
from sseclient_cli.sse.error_event import is_error_event
from sseclient_cli.sse.event_stream import Event

MAX_TYPES = 20
"""Types listed by name: a server could send a new one with each event."""

MAX_DATA_CHARS = 300
"""The part of an error event's data that is written to stderr."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """Which events to select, and when to stop. ``within_s`` limits the time to the first selected event."""

    event_types: frozenset[str] = frozenset()
    count: int | None = None
    until: str | None = None
    within_s: float | None = None
    no_error_event: bool = False


class Verdict:
    """Compares the events of one run with the expectations."""

    def __init__(self, expected: Expectations) -> None:
        self._expected = expected
        self._is_found = False
        self._error: Event | None = None
        self._other_types: Counter[str] = Counter()
        self.selected = 0
        self.is_enough = False
        """Whether to end the run: the expectations are met, or an error event came."""
        self.is_late = False
        """Whether the time limit for the first event is over without one."""

    def selects(self, event: Event) -> bool:
        """Add the next event; return whether to show it."""
        expected = self._expected
        if self.is_enough:
            return False  # an event of another stream, before it closes
        if expected.no_error_event and is_error_event(event):
            self._error, self.is_enough = event, True
        if expected.event_types and event.type not in expected.event_types:
            known = event.type in self._other_types or len(self._other_types) < MAX_TYPES
            self._other_types[event.type if known else "(other)"] += 1
            return False
        self.selected += 1
        if expected.until is not None and expected.until in event.data:
            self._is_found = self.is_enough = True
        if self.selected == expected.count:
            self.is_enough = True
        return True

    def unmet(self) -> str:
        """Return the expectation that was not met, in words; empty if all were met."""
        expected = self._expected
        if self._error is not None:
            data = visible(self._error.data, keep_lines=False)
            cut = data[:MAX_DATA_CHARS] + ("..." if len(data) > MAX_DATA_CHARS else "")
            return f"received an error event: {visible(self._error.type, keep_lines=False)} {cut}"
        if self.is_late or (
            expected.within_s is not None and not self.selected
        ):  # also if the stream ended before the limit
            return f"no event within {expected.within_s or 0:g} s (--expect-within){self.types_seen()}"
        if expected.until is not None and not self._is_found:
            return (
                f"no event contains {expected.until!a} (--until): received {_events(self.selected)}{self.types_seen()}"
            )
        if expected.until is None and expected.count is not None and self.selected < expected.count:
            return f"received {self.selected:,} of {_events(expected.count)} (-n){self.types_seen()}"
        if expected.event_types and not self.selected:
            wanted = ", ".join(visible(name, keep_lines=False) for name in sorted(expected.event_types))
            return f"no event of type {wanted} (--event){self.types_seen()}"
        return ""

    def types_seen(self) -> str:
        """Return the received types as the end of a line if no event was selected: the name may be misspelled."""
        if not self._expected.event_types or self.selected:
            return ""
        if not self._other_types:
            return "; no event of another type either"
        types = ", ".join(
            f"{visible(name, keep_lines=False)} ({count:,})" for name, count in self._other_types.most_common()
        )
        return f"; received types: {types}"


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"

"""What a script expects of ``sse watch``, and whether the events of a run have met it.

Pure: events and the end of the run come in, a line that says what is missing comes out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sseclient_cli.escaping import visible
from sseclient_cli.sse.error_event import is_error_event
from sseclient_cli.sse.event_stream import Event

MAX_TYPES = 20
"""Types that are listed by name: a server could send a new one with each event."""

MAX_DATA_CHARS = 300
"""How much of an error event is repeated on stderr."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """Which events are selected, and when it is enough. ``within_s`` limits the time to the first selected event."""

    event_types: frozenset[str] = frozenset()
    count: int | None = None
    until: str | None = None
    within_s: float | None = None
    no_error_event: bool = False


class Verdict:
    """Takes the events of one run, one by one."""

    def __init__(self, expected: Expectations) -> None:
        self._expected = expected
        self._is_found = False
        self._error: Event | None = None
        self._other_types: Counter[str] = Counter()
        self.selected = 0
        self.is_enough = False
        """Whether the run may end: all there is to wait for has come, or an event that must not come."""
        self.is_late = False
        """Whether the first event had to come by now, and has not."""

    def selects(self, event: Event) -> bool:
        """Take the next event; return whether to show it."""
        expected = self._expected
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
        """Return what did not come as expected, in words; empty if all did."""
        expected = self._expected
        if self._error is not None:
            data = visible(self._error.data, keep_lines=False)
            cut = data[:MAX_DATA_CHARS] + ("..." if len(data) > MAX_DATA_CHARS else "")
            return f"an error event came: {visible(self._error.type, keep_lines=False)} {cut}"
        if self.is_late or (expected.within_s is not None and not self.selected):  # not even if the stream ended sooner
            return f"no event came within {expected.within_s or 0:g} s (--expect-within){self.types_seen()}"
        if expected.until is not None and not self._is_found:
            return f"no event contains {expected.until!a} (--until): {_events(self.selected)} came{self.types_seen()}"
        if expected.until is None and expected.count is not None and self.selected < expected.count:
            return f"{self.selected:,} of {_events(expected.count)} came (-n){self.types_seen()}"
        if expected.event_types and not self.selected:
            wanted = ", ".join(visible(name, keep_lines=False) for name in sorted(expected.event_types))
            return f"no event of type {wanted} came (--event){self.types_seen()}"
        return ""

    def types_seen(self) -> str:
        """Return which types came while none was selected, to end a line with: often the name is spelled otherwise."""
        if not self._expected.event_types or self.selected:
            return ""
        if not self._other_types:
            return "; no event of another type came either"
        types = ", ".join(
            f"{visible(name, keep_lines=False)} ({count:,})" for name, count in self._other_types.most_common()
        )
        return f"; types seen: {types}"


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"

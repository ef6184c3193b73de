"""The entries that the live view draws next: a pause, a filter, and samples when there are too many events.

Pure. A view that cannot keep up draws the newest events and counts the others: it must not slow the server down, and
memory must stay flat. Each event is drawn, ``hidden`` by the filter, or counted as ``not_drawn``.
"""

from __future__ import annotations

from collections import Counter

from sseclient_cli.render.quantities import counted
from sseclient_cli.render.watch.live_entries import ENTRY_CHARS, Arrived, BoundedQueue, Bounds, Entry, Line, LineKind
from sseclient_cli.render.watch.typed_filter import TypedFilter
from sseclient_cli.sse.event import Event

LIVE = Bounds(5_000, 2 * 1024 * 1024)
"""The entries that may wait to be drawn: more than the history that most servers send first, drawn in some seconds."""

PAUSED = Bounds(10_000, 8 * 1024 * 1024)
"""The entries that a pause keeps, and the recent events that a new filter searches."""

AFTER_PAUSE = 1_000
"""How many of the kept entries are drawn when the display continues."""

SHOWN_AGAIN = 50
"""How many recent events a new filter shows again."""


class LiveFeed:
    """Takes events and lines, and gives out the entries to draw next."""

    def __init__(self) -> None:
        self._waiting = BoundedQueue(LIVE)
        self._recent = BoundedQueue(PAUSED)
        self._at_once: list[Entry] = []
        self._skipped_events = self._skipped_lines = 0
        self.events = 0
        self._not_drawn: Counter[str] = Counter()
        self.hidden = 0
        self.filter = TypedFilter()
        self.is_paused = False

    @property
    def kept(self) -> int:
        """The number of events that wait to be drawn."""
        return self._waiting.events

    @property
    def skipped(self) -> int:
        """The number of events that were left out since the latest drawn entry."""
        return self._skipped_events

    def not_drawn(self, label: str) -> int:
        """Return the number of events of a stream that were left out, or still wait."""
        waiting = sum(isinstance(entry, Arrived) and entry.label == label for entry in self._waiting)
        return self._not_drawn[label] + waiting

    @property
    def oldest_s(self) -> float | None:
        """The arrival of the oldest event that waits to be drawn; None while there is none, and during a pause."""
        if self.is_paused:
            return None
        return next((entry.time_s for entry in self._waiting if isinstance(entry, Arrived)), None)

    def __bool__(self) -> bool:
        """Return whether there is something to draw now."""
        return bool(self._at_once) or (bool(self._waiting) and not self.is_paused)

    def event(self, event: Event, time_s: float, gap_s: float | None, label: str = "") -> None:
        """Add an event, unless the filter hides it."""
        self.events += 1
        chars = len(event.data) + len(event.type) + len(event.id) + ENTRY_CHARS
        arrived = Arrived(event, time_s, gap_s, label, self.events, chars)
        self._recent.add(arrived)
        if self.filter.text and not self.filter.matches(event, label):
            self.hidden += 1
        else:
            self._wait(arrived)

    def line(self, line: Line) -> None:
        """Add a line between the events."""
        self._wait(line)

    def line_at_once(self, kind: LineKind, text: str) -> None:
        """Add a line that is drawn next, even during a pause."""
        self._at_once.append(Line(kind, text))

    def pause(self) -> None:
        """Keep all entries from now on."""
        self.is_paused = True
        self._waiting.bounds = PAUSED

    def resume(self) -> None:
        """Draw the kept entries; of very many, the newest ones."""
        self.is_paused = False
        self._waiting.bounds = LIVE
        self._skip_all_but(AFTER_PAUSE)
        self._at_once += self._taken_skips()

    def apply_filter(self, text: str) -> None:
        """Show from now on only events that the filter matches, and show recent ones again."""
        self.filter = TypedFilter(text)
        self.hidden = 0
        waiting = [self._waiting.take() for _ in range(len(self._waiting))]
        unseen = [entry for entry in waiting if isinstance(entry, Arrived)]
        recent = [entry for entry in self._recent if isinstance(entry, Arrived)]
        older = [entry for entry in unseen if entry.number < recent[0].number]
        matching = [entry for entry in (*older, *recent) if self.filter.matches(entry.event, entry.label)]
        shown = matching[-SHOWN_AGAIN:]
        for entry in unseen:
            if not self.filter.matches(entry.event, entry.label):
                self.hidden += 1
            elif entry.number < shown[0].number:
                self._skip(entry)
        self._at_once += [*self._taken_skips(), *(entry for entry in waiting if isinstance(entry, Line))]
        self._at_once += [Line(LineKind.RULE, self._rule(len(matching), len(older) + len(recent))), *shown]

    def _rule(self, matching: int, searched: int) -> str:
        if not self.filter:
            return f"no filter: the last {min(matching, SHOWN_AGAIN)} events again"
        found = f"filter {self.filter.text}: {matching:,} of the last {searched:,} events"
        return f"{found}, the newest {SHOWN_AGAIN} again" if matching > SHOWN_AGAIN else found

    def take(self, most: int, newest: int) -> list[Entry]:
        """Return the next entries, at most ``most``; if entries had to be left out, only the ``newest`` ones."""
        if self._at_once:
            entries, self._at_once = self._at_once, []
            return entries
        if self.is_paused:
            return []
        if self._skipped_events or self._skipped_lines:
            self._skip_all_but(newest)
        return [*self._taken_skips(), *(self._waiting.take() for _ in range(min(most, len(self._waiting))))]

    def _wait(self, entry: Entry) -> None:
        for dropped in self._waiting.add(entry):
            self._skip(dropped)

    def _skip_all_but(self, newest: int) -> None:
        while len(self._waiting) > newest:
            self._skip(self._waiting.take())

    def _skip(self, entry: Entry) -> None:
        if isinstance(entry, Arrived):
            self._skipped_events += 1
            self._not_drawn[entry.label] += 1
        else:
            self._skipped_lines += 1

    def _taken_skips(self) -> list[Entry]:
        """Return a line that says how much was left out since the last such line, if anything was."""
        events, lines = self._skipped_events, self._skipped_lines
        self._skipped_events = self._skipped_lines = 0
        if not events and not lines:
            return []
        counts = [counted(events, "event")] if events else []
        counts += [counted(lines, "other line")] if lines else []
        return [Line(LineKind.NOT_DRAWN, f"… {' and '.join(counts)} not drawn")]

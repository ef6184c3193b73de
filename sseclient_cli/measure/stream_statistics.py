"""The figures of one watched stream: events by type, gaps, the longest silence, reconnections.

Pure: events, comments and connections are fed in the order of their arrival, with times in wall-clock ns since 1970. A
live view and a recording make the same summary from the same stream.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sseclient_cli.measure.rounding import ROUNDED_BITS, percentile_us
from sseclient_cli.sse.event import Event
from sseclient_cli.units import NS_PER_S

MAX_TYPES = 1000
"""Types counted by name: a server could send a new one with each event."""

MAX_TYPE_CHARS = 200
"""A longer type is counted under its start: 1,000 types of megabytes would not fit into memory."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """The times between two consecutive events, in us; percentiles are up to 1/64 too low."""

    p50_us: int
    p99_us: int
    longest_us: int


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """The figures of a stream. None: there was nothing to measure."""

    duration_s: float
    """From the first connection, event or comment to the end."""
    events: int
    types: tuple[tuple[str, int], ...]
    """Types with their events, the most frequent first."""
    events_of_more_types: int
    """Events of types beyond the first MAX_TYPES."""
    events_not_selected: int
    """Events that the options of the command leave out: they are in no other figure, and end a silence."""
    data_bytes: int
    comments: int
    connections: int
    gaps: Gaps | None
    longest_silence_s: float | None
    """The longest time in which no event, no comment and no response arrived."""
    last_event_id: str

    @property
    def reconnections(self) -> int:
        """Connections after the first one."""
        return max(self.connections - 1, 0)

    @property
    def events_per_s(self) -> float | None:
        """The mean rate; None without a duration."""
        return self.events / self.duration_s if self.duration_s > 0 else None


class StreamStatistics:
    """Adds up one stream over all its connections, in bounded memory."""

    def __init__(self) -> None:
        self._types: Counter[str] = Counter()
        self._more_types = 0
        self._not_selected = self._not_selected_at_event = 0
        self._data_bytes = 0
        self._comments = self._comments_at_event = 0
        self._connections = 0
        self._gaps_us: Counter[int] = Counter()
        self._longest_gap_us = 0
        self._began_ns: int | None = None
        self._latest_ns = 0
        self._longest_silence_ns = 0
        self.last_event_id = ""
        """The last event ID, also of events that are not selected."""
        self.last_event_ns: int | None = None
        """The arrival of the latest event; None before the first one."""

    @property
    def began_ns(self) -> int | None:
        """The time of the first connection, event or comment; None before it."""
        return self._began_ns

    @property
    def comments_since_event(self) -> int:
        """The comments (usually heartbeats) since the latest event."""
        return self._comments - self._comments_at_event

    @property
    def not_selected_since_event(self) -> int:
        """The events that were not selected since the latest one that was."""
        return self._not_selected - self._not_selected_at_event

    def opened(self, time_ns: int) -> None:
        """Add a connection; ``time_ns`` is the arrival of its response head."""
        self._connections += 1
        self._sign_of_life(time_ns)

    def event(self, event: Event) -> None:
        """Add an event, with its own arrival time."""
        name, data, self.last_event_id, now_ns = event
        if now_ns == self._latest_ns == self.last_event_ns:  # one of several events of one read
            self._gaps_us[0] += 1
            self._comments_at_event, self._not_selected_at_event = self._comments, self._not_selected
        else:
            self._later_event(now_ns)
        if name in self._types:
            self._types[name] += 1
        else:
            self._new_type(name)
        self._data_bytes += len(data) if data.isascii() else len(data.encode("utf-8", "surrogatepass"))

    def _new_type(self, name: str) -> None:
        kept = name if len(name) <= MAX_TYPE_CHARS else name[:MAX_TYPE_CHARS] + "…"
        if kept in self._types or len(self._types) < MAX_TYPES:
            self._types[kept] += 1
        else:
            self._more_types += 1

    def _later_event(self, now_ns: int) -> None:
        if self.last_event_ns is not None:
            gap_us = max((now_ns - self.last_event_ns) // 1000, 0)
            self._longest_gap_us = max(self._longest_gap_us, gap_us)
            shift = gap_us.bit_length() - ROUNDED_BITS
            self._gaps_us[gap_us >> shift << shift if shift > 0 else gap_us] += 1
        self.last_event_ns = now_ns
        self._comments_at_event, self._not_selected_at_event = self._comments, self._not_selected
        self._sign_of_life(now_ns)

    def not_selected(self, latest: Event, count: int) -> None:
        """Add events that the options of the command leave out."""
        self._not_selected += count
        self._sign_of_life(latest.arrived_ns)
        self.last_event_id = latest.id

    def comment(self, time_ns: int) -> None:
        """Add a comment."""
        self._comments += 1
        self._sign_of_life(time_ns)

    def _sign_of_life(self, time_ns: int) -> None:
        if self._began_ns is None:
            self._began_ns = time_ns
        else:
            self._longest_silence_ns = max(self._longest_silence_ns, time_ns - self._latest_ns)
        self._latest_ns = time_ns

    def summary(self, end_ns: int) -> StreamSummary:
        """Return the figures at the end of the run, which also ends the last silence."""
        began_ns = end_ns if self._began_ns is None else self._began_ns
        silence_ns = None if self._began_ns is None else max(self._longest_silence_ns, end_ns - self._latest_ns)
        return StreamSummary(
            duration_s=max(end_ns - began_ns, 0) / NS_PER_S,
            events=self._types.total() + self._more_types,
            types=tuple(self._types.most_common()),
            events_of_more_types=self._more_types,
            events_not_selected=self._not_selected,
            data_bytes=self._data_bytes,
            comments=self._comments,
            connections=self._connections,
            gaps=self._gaps(),
            longest_silence_s=None if silence_ns is None else silence_ns / NS_PER_S,
            last_event_id=self.last_event_id,
        )

    def _gaps(self) -> Gaps | None:
        if not self._gaps_us:
            return None
        p50_us, p99_us = (percentile_us(self._gaps_us, each) for each in (50, 99))
        return Gaps(p50_us, p99_us, self._longest_gap_us)

"""What all streams of a worker share: where to connect, when it is over, what to read in events, where samples go."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from time import monotonic_ns, time_ns
from typing import Any, NamedTuple, Protocol

from sseclient_cli.load.audit import AuditCounts
from sseclient_cli.load.fields import MAX_UNDECIDED_CHARS, MAX_UNDECIDED_EVENTS, FieldReader
from sseclient_cli.load.metrics import Recorder
from sseclient_cli.load.poller import Poller
from sseclient_cli.load.route import Route
from sseclient_cli.protocol.event_stream import Event

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Less than the parser's own limit: there are thousands of streams, and one event may have to wait in each."""

UNFINISHED_EVENTS_BYTES = 1024 * 1024 * 1024
"""What the events that are not complete may take in all streams of a worker together; it makes MAX_EVENT_BYTES less."""

LEAST_MAX_EVENT_BYTES = 1024 * 1024
"""... but not less than this, which is more than any sane event."""


def max_event_bytes_of(streams: int) -> int:
    """Return how large an event of one of so many streams may be."""
    return max(min(MAX_EVENT_BYTES, UNFINISHED_EVENTS_BYTES // streams), LEAST_MAX_EVENT_BYTES)


def clock_offset_ns() -> int:
    """Return the monotonic clock less the wall clock; of three readings the one that was least interrupted."""
    readings = []
    for _ in range(3):
        before_ns, wall_ns, after_ns = monotonic_ns(), time_ns(), monotonic_ns()
        readings.append((after_ns - before_ns, (before_ns + after_ns) // 2 - wall_ns))
    return min(readings)[1]


class Arrival(NamedTuple):
    """When something arrived (wall clock), and by how much earlier that may have been."""

    at_ns: int
    uncertainty_ns: int


class Sampled(Protocol):
    """What takes samples of a stream's events: its meter."""

    def sample(self, event: Event, arrival: Arrival | None) -> None:
        """Read what an event says of itself; the arrival is None where it is not known."""

    def resume(self) -> None:
        """Take the next event as the first of a new connection."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """Shared by the streams of one worker, and read by them at each event."""

    route: Route
    poller: Poller
    fields: FieldReader
    events_per_stream: int | None = None
    max_event_bytes: int = MAX_EVENT_BYTES
    retry_statuses: frozenset[int] = frozenset()
    ends_ns: int = 0
    """When the run is over (monotonic)."""
    ends_wall_ns: int = 0
    """The same by the wall clock. What is read later does not count, and costs nothing any more."""
    warm_ns: int = 0
    """When the warm-up is over (monotonic)."""
    warm_wall_ns: int = 0
    monotonic_less_wall_ns: int = 0
    """What turns an arrival into monotonic time."""
    connecting: deque[tuple[int, Any]] = field(default_factory=deque)
    """Attempts to connect in the order of their starts, with their start (monotonic); some of them may be over."""
    requesting: deque[tuple[int, Any]] | None = None
    """With a limit for the response head: attempts in the order of their requests, with their start (monotonic)."""
    attempts: int = 0
    """How many are under way, up to the response head."""
    recorder: Recorder = field(default_factory=Recorder)
    audit: AuditCounts = field(default_factory=AuditCounts)
    waiting: list[tuple[Sampled, Event | None, Arrival | None]] = field(default_factory=list)
    """Events that came while it was still open what to read in them, each with its arrival; None: a new connection."""
    waiting_chars: int = 0
    latest: dict[Sampled, Event] = field(default_factory=dict)
    """The latest event of each stream, as long as it is open what to read in them."""

    def look_at_clocks(self) -> None:
        """Measure the offset between the clocks anew: the wall clock may be set."""
        self.monotonic_less_wall_ns = clock_offset_ns()
        self.ends_wall_ns = self.ends_ns - self.monotonic_less_wall_ns
        self.warm_wall_ns = self.warm_ns - self.monotonic_less_wall_ns

    def is_over(self) -> bool:
        """Return whether the run is really over, and it is not that somebody has set the wall clock forward."""
        if monotonic_ns() >= self.ends_ns:
            return True
        self.look_at_clocks()
        return False

    def end_now(self) -> None:
        """Let nothing count from now on: what the loop has still to do in this turn then takes no time."""
        self.ends_ns = self.ends_wall_ns = 0

    def keep_until_decided(
        self, meter: Sampled, events: list[Event], arrivals: list[Arrival | None], at_ns: int
    ) -> None:
        """Show the events of a read to whoever chooses the fields; they wait, and are measured when that is done."""
        earlier = self.latest.get(meter)
        if earlier is not None:
            self.fields.offer_arrivals(earlier, events[-1], at_ns)
        for event, arrival in zip(events, arrivals, strict=True):
            # What came in the warm-up has no latency, however long it waits.
            self.waiting.append((meter, event, arrival if at_ns >= self.warm_wall_ns else None))
            self.waiting_chars += len(event.data)
            if earlier is not None:
                self.fields.offer_neighbours(earlier, event, at_ns)
            earlier = event
        self.latest[meter] = events[-1]
        if self.waiting_chars > MAX_UNDECIDED_CHARS or len(self.waiting) > MAX_UNDECIDED_EVENTS:
            self.fields.give_up()
        if not self.fields.undecided:
            self.measure_waiting()

    def connection_lost(self, meter: Sampled) -> None:
        """Keep the events of two connections of a stream apart."""
        self.latest.pop(meter, None)
        if self.fields.undecided:
            self.waiting.append((meter, None, None))
        else:
            meter.resume()

    def measure_waiting(self) -> None:
        """Measure the events that waited, now that it is decided what to read in them."""
        for meter, event, arrival in self.waiting:
            if event is None:
                meter.resume()
            else:
                meter.sample(event, arrival)
        self.waiting.clear()
        self.latest.clear()

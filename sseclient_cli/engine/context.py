"""What all streams of a worker share: where to connect, when it is over, what to read in events, where samples go."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic_ns, time_ns
from typing import Any

from sseclient_cli.engine.connector import Connector
from sseclient_cli.engine.held_memory import HeldMemory
from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.clocks import MAX_DRIFT_NS, ClockWatch
from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.reach import ReachSample
from sseclient_cli.measure.samples import Samples
from sseclient_cli.measure.undecided_events import UndecidedEvents

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Less than the parser's own limit: a stream of a load test that never ends an event is to be noticed soon. What all
streams hold together has a limit of its own (``memory.py``)."""

MAX_CODING_CHARS = 40
"""A coding that can be undone has a short name, or two."""


def clock_offset_ns() -> int:
    """Return the monotonic clock less the wall clock; of three readings the one that was least interrupted."""
    readings = []
    for _ in range(3):
        before_ns, wall_ns, after_ns = monotonic_ns(), time_ns(), monotonic_ns()
        readings.append((after_ns - before_ns, (before_ns + after_ns) // 2 - wall_ns))
    return min(readings)[1]


@dataclass(slots=True, kw_only=True)
class Bench:
    """Shared by the streams of one worker, and read by them at each event."""

    route: Connector
    poller: Poller
    events_per_stream: int | None = None
    max_event_bytes: int = MAX_EVENT_BYTES
    held_memory: HeldMemory = field(default_factory=HeldMemory)
    retry_statuses: frozenset[int] = frozenset()
    counts_error_events: bool = False
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
    recorder: Samples = field(default_factory=Samples)
    undecided: UndecidedEvents
    """The streams of which it is not known yet what to read in their events, and the fields that are known."""
    remembers: bool = False
    """Whether streams may reconnect: then a replay must be told from a new numbering."""
    audits: dict[str, FieldAudit] = field(default_factory=dict)
    """By field: what the checks of the streams that are over have found."""
    reach: ReachSample = field(default_factory=ReachSample)
    heads_with_events: int = 0
    """Response heads that came together with a part of the body."""
    encodings: Counter[str] = field(default_factory=Counter)
    """Content-Encodings of the responses, with how many had each."""
    clocks: ClockWatch = field(default_factory=ClockWatch)
    since_wall_ns: int = 0
    """A kernel stamp before this moment (wall clock) is from before a step of the clock."""
    server_less_client_ns: int = 0
    """By how much the server's clock is ahead, as far as its Date headers tell."""

    def audit_of(self, place: Field, trust: Trust | None) -> FieldAudit:
        """Return where the checks of a field are added up."""
        return self.audits.setdefault(str(place), FieldAudit(trust))

    def note_head(self, headers: Mapping[str, str], arrival_ns: int, waited_ns: int, *, is_alone: bool) -> None:
        """Note what the head of a stream's response says of the server's clock and of its coding.

        It arrived then (wall clock), after so long a wait.
        """
        self.heads_with_events += not is_alone
        if "date" in headers:
            self.server_less_client_ns = self.clocks.note_date(headers["date"], arrival_ns, waited_ns)
        coding = headers.get("content-encoding")
        if coding:
            self.encodings[coding[:MAX_CODING_CHARS]] += 1

    def look_at_clocks(self) -> None:
        """Measure the offset between the clocks anew: the wall clock may be set."""
        before_ns = self.monotonic_less_wall_ns
        self.monotonic_less_wall_ns = clock_offset_ns()
        self.ends_wall_ns = self.ends_ns - self.monotonic_less_wall_ns
        self.warm_wall_ns = self.warm_ns - self.monotonic_less_wall_ns
        step_ns = before_ns - self.monotonic_less_wall_ns
        if before_ns and abs(step_ns) > MAX_DRIFT_NS:
            self.since_wall_ns = time_ns() if step_ns > 0 else 0
            self.clocks.note_step(monotonic_ns(), step_ns)

    def notice_clock_step(self) -> None:
        """Look whether the wall clock has been set. Cheap: it is done in each turn of the loop."""
        if abs(monotonic_ns() - time_ns() - self.monotonic_less_wall_ns) > MAX_DRIFT_NS:
            self.look_at_clocks()

    def is_over(self) -> bool:
        """Return whether the run is really over, and it is not that somebody has set the wall clock forward."""
        if monotonic_ns() >= self.ends_ns:
            return True
        self.look_at_clocks()
        return False

    def end_now(self) -> None:
        """Let nothing count from now on: what the loop has still to do in this turn then takes no time."""
        self.ends_ns = self.ends_wall_ns = 0

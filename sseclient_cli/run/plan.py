"""What a run is to do, as data: how many streams, when each is meant to start, when all stop.

Pure: times are offsets in nanoseconds from the start of the run. A mode of load is a different schedule that comes
out of here, never a different loop in the worker.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from heapq import merge
from itertools import chain, count
from operator import itemgetter
from typing import NamedTuple

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.field_choice import Choice, FieldChoice
from sseclient_cli.units import NS_PER_S

MAX_INTERVALS = 900
"""Rows of the timeline: a row holds its delivery times (30 KB while it is open to merges), and nobody reads more."""

DEFAULT_STARTS_PER_S = 1_000
"""Streams opened per second unless told: well below what one process can open, so that the time to connect is the
server's and not our own queue's."""

DEFAULT_RAMP_SHARE = 0.25
"""... but opening never takes more than this share of the run."""

MAX_CONNECTIONS = 10**12
"""More than any machine holds, and few enough for Python to count."""

MIN_LIFETIME_S = 0.01
"""A schedule has a row for each time that the streams are replaced; streams that live less measure only opening."""


class OnEnd(Enum):
    """What becomes of a stream that the server ends, in order or not."""

    STOP = "stop"
    RECONNECT = "reconnect"
    """As a browser does: after the reconnection time, with the Last-Event-ID."""
    RESTART = "restart"
    """A new stream in its place, at once."""


class Action(StrEnum):
    """What is due at a moment of the plan."""

    START = "start"
    """A new stream begins in its slot; one that is still there is complete and makes room."""
    STOP = "stop"
    """The stream in its slot is complete."""
    STORM = "storm"
    """Every stream loses its connection and makes a new one, all at once."""


class Moment(NamedTuple):
    """A moment of the plan, in ns from the start of the run, and what is due then; a storm is in every slot."""

    at_ns: int
    action: Action
    slot: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run: ``duration_s`` from the first intended start, ramp included; it is over when no stream is left, too.

    A plan has ``connections`` slots, each of which holds one stream at a time. After ``lifetime_s`` a stream is closed;
    with ``refill`` the next one begins in its slot then. ``events`` is how many a stream takes before it is complete.
    """

    connections: int
    duration_s: float
    ramp_up_s: float
    warmup_s: float = 0.0
    """Latencies that are measured before this moment are left out."""
    lifetime_s: float | None = None
    refill: bool = True
    storm_s: float | None = None
    events: int | None = None
    on_end: OnEnd = OnEnd.STOP
    retry_statuses: frozenset[int] = frozenset()
    """With RECONNECT: the statuses that do not end a stream for good."""
    timestamp: FieldChoice = Choice.AUTO
    sequence: FieldChoice = Choice.AUTO
    max_event_bytes: int | None = None
    """How large an event may be; None: what the engine holds to be enough."""
    idle_timeout_s: float | None = None
    """How long a stream may bring no bytes before it is closed."""
    counts_error_events: bool = False
    """Whether to look for errors in the data of events, which takes time."""
    first_slot: int = 0
    stride: int = 1

    def __post_init__(self) -> None:
        run_s = f"a run of {self.duration_s:g} s"
        for problem, argument, words in (
            (self.connections < 1, "connections", "must be at least 1"),
            (self.connections > MAX_CONNECTIONS, "connections", f"must be at most {MAX_CONNECTIONS:,}"),
            (self.duration_s <= 0, "duration_s", "must be above 0 s"),
            (
                not 0 <= self.ramp_up_s <= self.duration_s,
                "ramp_up_s",
                f"of {self.ramp_up_s:g} s does not fit into {run_s}",
            ),
            (
                not 0 <= self.warmup_s < self.duration_s,
                "warmup_s",
                f"of {self.warmup_s:g} s leaves nothing of {run_s}",
            ),
            (
                self.storm_s is not None and not 0 < self.storm_s < self.duration_s,
                "storm_s",
                f"at {self.storm_s or 0:g} s is not within {run_s}",
            ),
            (
                self.lifetime_s is not None and self.lifetime_s < MIN_LIFETIME_S,
                "lifetime_s",
                f"must be at least {MIN_LIFETIME_S:g} s",
            ),
            (self.events is not None and self.events < 1, "events", "must be at least 1"),
            (self.max_event_bytes is not None and self.max_event_bytes < 1, "max_event_bytes", "must be at least 1"),
            (self.idle_timeout_s is not None and self.idle_timeout_s <= 0, "idle_timeout_s", "must be above 0 s"),
            (
                bool(self.retry_statuses) and self.on_end is not OnEnd.RECONNECT,
                "retry_statuses",
                "only applies to streams that reconnect",
            ),
        ):
            if problem:
                raise UsageError(f"`{argument}` {words}", code="plan", arguments=[argument])

    @property
    def interval_s(self) -> int:
        """The length of a row of the timeline in seconds: 1, or more in a run of more than MAX_INTERVALS."""
        return max(1, math.ceil(self.duration_s / MAX_INTERVALS))

    @property
    def planned(self) -> int:
        """How many streams this plan (or this shard of one) starts."""
        if self._lifetime_ns is None or not self.refill:
            return len(self._slots)
        return sum(-((start.at_ns - self._end_ns) // self._lifetime_ns) for start in self._starts(0))

    @property
    def most_open(self) -> int:
        """The most streams that this plan (or this shard of one) has open at once."""
        slots, ramp_ns = len(self._slots), self._ramp_ns
        if self._lifetime_ns is None or self.refill or not ramp_ns:
            return slots
        return min(slots, slots * self._lifetime_ns // ramp_ns + 2)

    @property
    def _slots(self) -> range:
        return range(self.first_slot, self.connections, self.stride)

    @property
    def _end_ns(self) -> int:
        return round(self.duration_s * NS_PER_S)

    @property
    def _ramp_ns(self) -> int:
        return round(self.ramp_up_s * NS_PER_S)

    @property
    def _lifetime_ns(self) -> int | None:
        return None if self.lifetime_s is None else round(self.lifetime_s * NS_PER_S)

    def moments(self) -> Iterator[Moment]:
        """Yield what is due when, in order, up to the end of the run.

        An open model: the moments depend on nothing that happens, so a late start counts against the measurement
        and is never hidden (coordinated omission).
        """
        schedules = [self._starts(0)]
        if self._lifetime_ns is not None:
            schedules = self._rounds(self._lifetime_ns) if self.refill else [*schedules, self._stops(self._lifetime_ns)]
        if self.storm_s is not None:
            schedules.append(iter([Moment(round(self.storm_s * NS_PER_S), Action.STORM)]))
        for moment in merge(*schedules, key=itemgetter(0)):
            if moment.at_ns >= self._end_ns:
                break
            yield moment

    def _starts(self, after_ns: int) -> Iterator[Moment]:
        """Yield the start in each slot, so long after the moment that its first stream is meant to start."""
        ramp_ns = self._ramp_ns
        for slot in self._slots:
            yield Moment(after_ns + ramp_ns * slot // self.connections, Action.START, slot)

    def _stops(self, lifetime_ns: int) -> Iterator[Moment]:
        for at_ns, _, slot in self._starts(lifetime_ns):
            yield Moment(at_ns, Action.STOP, slot)

    def _rounds(self, lifetime_ns: int) -> list[Iterator[Moment]]:
        """Return the starts of all rounds, without end: each schedule has those rounds that do not overlap."""
        apart = self._ramp_ns // lifetime_ns + 1 if self._slots else 0
        return [
            chain.from_iterable(self._starts(number * lifetime_ns) for number in count(first, apart))
            for first in range(apart)
        ]

    def shard(self, index: int, count: int) -> Plan:
        """Return the part of the plan that worker ``index`` of ``count`` does: every count-th slot, same times."""
        return replace(self, first_slot=self.first_slot + index * self.stride, stride=self.stride * count)


def default_ramp_up_s(connections: int, duration_s: float | None) -> float:
    """Return the time to open all streams in when the user named none; without a duration it may be any."""
    ramp_up_s = connections / DEFAULT_STARTS_PER_S
    return ramp_up_s if duration_s is None else min(ramp_up_s, duration_s * DEFAULT_RAMP_SHARE)

"""The plan of a run: the number of streams, the planned start of each, and the end.

This module is pure. Times are offsets in nanoseconds from the start of the run. All load models differ only in their
schedule: the worker has a single loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from heapq import merge
from itertools import chain, count
from operator import itemgetter
from typing import NamedTuple

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.answer_choice import LlmChoice, McpChoice
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.measure.field_choice import Choice, FieldChoice
from sseclient_cli.run.arrivals import MAX_RANDOM_ARRIVALS, Arrivals, most_within, poisson_starts_ns
from sseclient_cli.run.bad_clients import BadClients
from sseclient_cli.units import NS_PER_S

MAX_INTERVALS = 900
"""Maximum number of timeline rows. A row holds its delivery latencies, 30 KB until all workers are merged."""

DEFAULT_STARTS_PER_S = 1_000
"""Default arrival rate: well below what one process can open, so that connect times contain no queueing in the load
generator."""

DEFAULT_RAMP_SHARE = 0.25
"""Maximum default ramp-up, as a share of the duration."""

DEFAULT_STREAMS_PER_CONNECTION = 100
"""RFC 9113 6.5.2 recommends that a server allows no fewer."""

MAX_CONNECTIONS = 10**12
"""More than any machine can hold, and small enough for ``len(range(...))``."""

MIN_LIFETIME_S = 0.01
"""Shorter lifetimes would measure only connects, and ``moments`` needs an iterator per lifetime of the ramp-up."""


Check = tuple[bool, str, str]
"""Whether an argument is wrong, its name, and the rest of the message."""


class OnEnd(Enum):
    """The action when a stream ends, properly or by an error."""

    STOP = "stop"
    RECONNECT = "reconnect"
    """Reconnect after the reconnection time, with Last-Event-ID, like a browser."""
    RESTART = "restart"
    """Start a new stream in the same slot at once."""


class Action(StrEnum):
    """An action of the plan."""

    START = "start"
    """Start a new stream in the slot. A previous stream in the slot is complete and is closed."""
    STOP = "stop"
    """Close the stream in the slot: it is complete."""
    STORM = "storm"
    """Drop the connections of all streams at once, then reconnect."""


class Moment(NamedTuple):
    """A scheduled action, with its time in ns from the start of the run. A storm applies to all slots."""

    at_ns: int
    action: Action
    slot: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan of a run that lasts ``duration_s``, ramp-up included, or until no stream is left.

    A plan has ``connections`` slots. Each slot holds one stream at a time. After ``lifetime_s`` a stream is closed;
    with ``refill`` the next stream then starts in its slot. A stream is complete after ``events`` events.
    """

    connections: int
    duration_s: float
    ramp_up_s: float
    rate_per_s: float | None = None
    """The arrival rate that ``connections`` and ``ramp_up_s`` follow from, for the report."""
    arrivals: Arrivals = Arrivals.CONSTANT
    """How the starts are spread over ``ramp_up_s``."""
    seed: int | None = None
    """The seed of random arrivals."""
    warmup_s: float = 0.0
    """Latencies before this time are not reported."""
    lifetime_s: float | None = None
    refill: bool = True
    storm_s: float | None = None
    events: int | None = None
    on_end: OnEnd = OnEnd.STOP
    retry_statuses: frozenset[int] = frozenset()
    """With RECONNECT: response statuses after which a stream reconnects instead of ending."""
    timestamp: FieldChoice = Choice.AUTO
    sequence: FieldChoice = Choice.AUTO
    max_event_bytes: int | None = None
    """Size limit of an event; None means the default of the engine."""
    idle_timeout_s: float | None = None
    """Timeout for a stream that receives no bytes."""
    counts_error_events: bool = False
    """Whether to search the data of events for errors, which takes time."""
    streams_per_connection: int | None = None
    """Limit of the streams that share an HTTP/2 connection; None for the default."""
    requests: int | None = None
    """Number of streams in all; None for no limit. A slot starts no stream after this number."""
    llm: LlmChoice | None = None
    """Each stream is the answer of an LLM to one request; None for other streams."""
    mcp: McpChoice | None = None
    """Each stream is the answer to one MCP request; None for other streams."""
    bad_clients: BadClients | None = None
    """The slots whose clients behave badly from some time on. ``moments`` and ``planned`` leave them out."""
    first_slot: int = 0
    stride: int = 1

    def __post_init__(self) -> None:
        for is_wrong, argument, words in (*self._checks_of_sizes(), *self._checks_of_times(), *self._checks_of_ends()):
            if is_wrong:
                raise UsageError(f"`{argument}` {words}", code="plan", arguments=[argument])
        if self.bad_clients is not None:
            self.bad_clients.check(self.connections, self.duration_s)
            if self.storm_s is not None:
                raise UsageError("bad clients and `storm_s` exclude each other", code="plan", arguments=["storm_s"])

    def _checks_of_sizes(self) -> tuple[Check, ...]:
        most_random = f"must be at most {MAX_RANDOM_ARRIVALS:,} with random arrivals"
        is_random = self.arrivals is Arrivals.POISSON
        return (
            (self.connections < 1, "connections", "must be at least 1"),
            (self.connections > MAX_CONNECTIONS, "connections", f"must be at most {MAX_CONNECTIONS:,}"),
            (is_random and self.connections > MAX_RANDOM_ARRIVALS, "connections", most_random),
            ((self.seed is None) is is_random, "seed", "and random arrivals need each other"),
        )

    def _checks_of_times(self) -> tuple[Check, ...]:
        run_s, storm_s, lifetime_s = f"a run of {self.duration_s:g} s", self.storm_s, self.lifetime_s
        no_ramp_up = not 0 <= self.ramp_up_s <= self.duration_s
        no_warmup = not 0 <= self.warmup_s < self.duration_s
        no_storm = storm_s is not None and not 0 < storm_s < self.duration_s
        no_lifetime = lifetime_s is not None and lifetime_s < MIN_LIFETIME_S
        return (
            (self.duration_s <= 0, "duration_s", "must be above 0 s"),
            (no_ramp_up, "ramp_up_s", f"of {self.ramp_up_s:g} s does not fit into {run_s}"),
            (no_warmup, "warmup_s", f"of {self.warmup_s:g} s leaves nothing of {run_s}"),
            (no_storm, "storm_s", f"at {storm_s or 0:g} s is not within {run_s}"),
            (no_lifetime, "lifetime_s", f"must be at least {MIN_LIFETIME_S:g} s"),
        )

    def _checks_of_ends(self) -> tuple[Check, ...]:
        too_few = self.requests is not None and self.requests < self.connections
        never_retries = bool(self.retry_statuses) and self.on_end is not OnEnd.RECONNECT
        return (
            (self.events is not None and self.events < 1, "events", "must be at least 1"),
            (too_few, "requests", f"must be at least {self.connections:,}, one for each slot"),
            (self.has_requests and self.reopens, "on_end", "must be stop or restart for requests: each is sent once"),
            (self.max_event_bytes is not None and self.max_event_bytes < 1, "max_event_bytes", "must be at least 1"),
            (self.idle_timeout_s is not None and self.idle_timeout_s <= 0, "idle_timeout_s", "must be above 0 s"),
            (never_retries, "retry_statuses", "only applies to streams that reconnect"),
        )

    @property
    def interval_s(self) -> int:
        """Length of a timeline row in seconds: 1, or more if the run is longer than MAX_INTERVALS seconds."""
        return max(1, math.ceil(self.duration_s / MAX_INTERVALS))

    def row_at(self, elapsed_s: float) -> int:
        """Return the number of the timeline row of this time; times after the end are in the last row."""
        return int(max(min(elapsed_s, math.ceil(self.duration_s) - 1), 0)) // self.interval_s

    @property
    def reopens(self) -> bool:
        """Whether a stream that has lost its connection is opened again."""
        return self.on_end is OnEnd.RECONNECT or self.storm_s is not None

    @property
    def has_requests(self) -> bool:
        """Whether each stream is a request with an end that its API defines."""
        return self.llm is not None or self.mcp is not None

    @property
    def request_numbers(self) -> range:
        """The numbers of the requests of this plan, or this shard of a plan, in their order."""
        return range(self.first_slot, self.requests or MAX_CONNECTIONS, self.stride)

    @property
    def shared_by(self) -> int:
        """The limit of the streams that share an HTTP/2 connection."""
        return self.streams_per_connection or DEFAULT_STREAMS_PER_CONNECTION

    @property
    def planned(self) -> int:
        """Number of good streams that this plan, or this shard of a plan, starts."""
        if self._lifetime_ns is None or not self.refill:
            return len(self._slots)
        return sum(-((start.at_ns - self._end_ns) // self._lifetime_ns) for start in self._starts(0))

    @property
    def most_open(self) -> int:
        """Maximum number of streams that this plan, or this shard of a plan, has open at once, bad clients included."""
        slots, bad, ramp_ns = len(self._slots), len(self.bad_slots), self._ramp_ns
        if self._lifetime_ns is None or self.refill or not ramp_ns:
            return slots + bad
        if self.arrivals is Arrivals.POISSON:
            return most_within([start.at_ns for start in self._starts(0)], self._lifetime_ns) + bad
        return min(slots, slots * self._lifetime_ns // ramp_ns + 2) + bad

    @property
    def start_interval_ns(self) -> int:
        """Mean time from the start of a slot's first stream to that of the next slot, in the whole plan."""
        return self._ramp_ns // self.connections

    @property
    def bad_slots(self) -> Mapping[int, BadKind]:
        """The slots of bad clients in this plan, or this shard of a plan, with their kind."""
        if self.bad_clients is None:
            return {}
        roles, slots = self.bad_clients.roles(self.connections), self._all_slots
        return {slot: kind for slot, kind in roles.items() if slot in slots}

    @property
    def _slots(self) -> Sequence[int]:
        if self.bad_clients is None:
            return self._all_slots
        roles = self.bad_clients.roles(self.connections)
        return [slot for slot in self._all_slots if slot not in roles]

    @property
    def _all_slots(self) -> range:
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
        """Yield the scheduled actions in order, up to the end of the run.

        The schedule is an open model: it does not depend on responses. A late start is measured from its planned time,
        which avoids coordinated omission.
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
        """Yield a start for each slot, ``after_ns`` after the planned start of the slot's first stream."""
        for slot in self._slots:
            yield Moment(after_ns + self.start_ns(slot), Action.START, slot)

    def start_ns(self, slot: int) -> int:
        """Return the planned start of the first stream in a slot. Slots start in their order."""
        if self.arrivals is Arrivals.POISSON and self.seed is not None:
            return poisson_starts_ns(self.connections, self._ramp_ns, self.seed)[slot]
        return self._ramp_ns * slot // self.connections

    def _stops(self, lifetime_ns: int) -> Iterator[Moment]:
        for at_ns, _, slot in self._starts(lifetime_ns):
            yield Moment(at_ns, Action.STOP, slot)

    def _rounds(self, lifetime_ns: int) -> list[Iterator[Moment]]:
        """Return endless schedules of starts, one for each set of rounds that do not overlap."""
        apart = self._ramp_ns // lifetime_ns + 1 if self._slots else 0
        return [
            chain.from_iterable(self._starts(number * lifetime_ns) for number in count(first, apart))
            for first in range(apart)
        ]

    def shard(self, index: int, count: int) -> Plan:
        """Return the part of the plan for worker ``index`` of ``count``: every count-th slot, at unchanged times."""
        return replace(self, first_slot=self.first_slot + index * self.stride, stride=self.stride * count)


def default_ramp_up_s(connections: int, duration_s: float | None) -> float:
    """Return the default ramp-up. It is not limited if the run has no duration."""
    ramp_up_s = connections / DEFAULT_STARTS_PER_S
    return ramp_up_s if duration_s is None else min(ramp_up_s, duration_s * DEFAULT_RAMP_SHARE)

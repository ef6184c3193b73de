"""Does every event of a broadcast reach every stream? Judged by the events themselves, without a sequence number.

Pure. The first streams of a worker are sampled: each event that one of them receives is kept by a digest of its id and
data, with the streams that received it. Behind two server processes that each have a publish/subscribe of their own,
every stream gets half of the events, and the numbers of each half have no gap: only a look across the streams shows it.

Only events count that came while all sampled streams were open, and only where the events are those of a broadcast: an
event reaches several streams, and all of them at about the same time, whenever they were opened. Streams that play the
same script by themselves receive the same event as far apart as they were opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from statistics import median

from sseclient_cli.measure.merging import Merging, largest, mergeable, own, parts, smallest, summed
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.units import NS_PER_S

MAX_STREAMS = 50
"""Streams sampled by a worker: a loss of one event in fifty is seen, and 4,000 streams cost no more than these."""

MAX_EVENTS = 2_000
"""Events kept by a worker, some 200 bytes each; the sample ends when there are more."""

LEAST_STREAMS = 3
LEAST_EVENTS = 10
"""With fewer, nothing is said."""

SETTLING_NS = NS_PER_S
"""What came later than this before the end may still be under way to some streams."""

MAX_SPREAD_NS = NS_PER_S // 4
"""How far apart the first and the last stream get an event of a broadcast, by the median. A server that is later than
that is in trouble that needs no sample to be seen."""

MAX_SPREAD_SHARE = 1 / 4
"""... and at most this share of the time in which the sampled streams were opened: scripts are that far apart."""

MAX_SPREAD_OF_PERIOD = 1 / 4
"""... and at most this share of the time between two events: streams that poll a value get it at any time."""

LEAST_SHARED = 0.9
"""The share of events that several streams must have received: other events are for one user each."""

MAX_REPEATED = 0.02
"""The share of events that came twice on one stream: what repeats (``data: ping``) does not identify itself."""


@mergeable
@dataclass(slots=True)
class Arrivals(Merging):
    """When an event was first and last seen on a sampled stream (ns), and how many of these received it."""

    first_ns: int = smallest()
    last_ns: int = largest()
    streams: int = summed()


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the events of a broadcast got, in a sample of streams and events."""

    streams: int
    events: int
    reached_all: int
    share: float
    """Received by the mean stream, of all events."""


@mergeable
@dataclass(slots=True)
class ReachSample(Merging):
    """The sample of one worker, or of several, merged: each has streams of its own."""

    every: int = largest(1)
    """Each stream of so many is sampled, so that the sample is spread over the time in which all are opened."""
    offered: int = summed()
    streams: int = summed()
    opened_ns: int = smallest(2**63 - 1)
    """When the first of the sampled streams had opened (monotonic)."""
    since_ns: int = largest(0)
    """When the last of them had opened."""
    until_ns: int = smallest(2**63 - 1)
    """When the first of them ended, or the sample was full."""
    repeated: int = summed()
    arrivals: dict[bytes, Arrivals] = parts()
    _receivers: dict[bytes, int] = own(dict)
    """The streams that received an event, as a bit each."""

    def join(self, at_ns: int) -> int:
        """Add a stream that has just opened (monotonic); return its bit, 0 if it is not sampled."""
        self.offered += 1
        if self.streams >= MAX_STREAMS or self.until_ns != 2**63 - 1 or (self.offered - 1) % self.every:
            return 0
        self.streams += 1
        self.opened_ns = min(self.opened_ns, at_ns)
        self.since_ns = at_ns
        # The streams sampled earlier received these events alone.
        self.arrivals.clear()
        self._receivers.clear()
        self.repeated = 0
        return 1 << self.streams

    def leave(self, at_ns: int) -> None:
        """Note that a sampled stream has ended."""
        self.until_ns = min(self.until_ns, at_ns)

    def take(self, events: Sequence[Event], bit: int, at_ns: int) -> None:
        """Note events that a sampled stream has received (monotonic)."""
        if at_ns > self.until_ns:
            return
        for event in events:
            key = blake2b(f"{event.id}\n{event.data}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
            receivers = self._receivers.get(key, 0)
            if receivers & bit:
                self.repeated += 1
                continue
            if not receivers:
                if len(self.arrivals) >= MAX_EVENTS:
                    self.leave(at_ns)
                    return
                self.arrivals[key] = Arrivals(at_ns, at_ns, 0)
            self._receivers[key] = receivers | bit
            arrivals = self.arrivals[key]
            arrivals.streams += 1
            arrivals.last_ns = max(arrivals.last_ns, at_ns)

    def close(self, at_ns: int) -> None:
        """End the sample with the run, and forget what only the worker itself needs."""
        self.leave(at_ns)
        self._receivers.clear()

    def result(self) -> Reach | None:
        """Return how far the events got; None where they are no broadcast, or too few."""
        counted = [
            arrivals
            for arrivals in self.arrivals.values()
            if self.since_ns < arrivals.first_ns < self.until_ns - SETTLING_NS
        ]
        shared = [arrivals for arrivals in counted if arrivals.streams > 1]
        received = sum(arrivals.streams for arrivals in counted)
        firsts = sorted(arrivals.first_ns for arrivals in shared)
        period_ns = median(later - earlier for earlier, later in pairwise(firsts)) if len(firsts) > 1 else 0
        opening_ns = self.since_ns - self.opened_ns
        max_spread_ns = min(MAX_SPREAD_NS, MAX_SPREAD_SHARE * opening_ns, MAX_SPREAD_OF_PERIOD * period_ns)
        if (
            not max_spread_ns
            or self.streams < LEAST_STREAMS
            or len(shared) < LEAST_EVENTS
            or len(shared) < LEAST_SHARED * len(counted)
            or self.repeated > MAX_REPEATED * received
            or median(arrivals.last_ns - arrivals.first_ns for arrivals in shared) > max_spread_ns
        ):
            return None
        # An event that one stream received is for one user: hardly ever does a broadcast miss all others.
        return Reach(
            streams=self.streams,
            events=len(shared),
            reached_all=sum(arrivals.streams == self.streams for arrivals in shared),
            share=sum(arrivals.streams for arrivals in shared) / (len(shared) * self.streams),
        )

"""Checks whether every event of a broadcast reaches every stream, without a sequence number.

Pure. Some streams of a worker are sampled. Each event that one of them receives is stored as a digest of its id and
data, with the streams that received it. Example: two server processes each have their own publish/subscribe. Each
stream then receives half of the events, and the numbers of each half have no gap. Only a comparison of streams shows
the loss.

An event counts only if it arrived while all sampled streams were open. Together, the events must look like a broadcast:
an event reaches several streams, all at about the same time, however far apart the streams were opened. If each stream
plays the same script on its own, the same event arrives as far apart as the streams were opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from heapq import nsmallest
from itertools import pairwise
from statistics import median

from sseclient_cli.measure.merging import Merging, by_rule, largest, mergeable, own, smallest, summed
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.units import NS_PER_S

MAX_STREAMS = 50
"""Sampled streams per worker: a loss of one event in fifty is visible, and 4,000 streams cost no more than 50."""

MAX_EVENTS = 2_000
"""Events stored, about 200 bytes each. The sample of a worker ends when there are more."""

LEAST_STREAMS = 3
LEAST_EVENTS = 10
"""With fewer streams or events, there is no result."""

SETTLING_NS = NS_PER_S
"""Events of this time before the end do not count: they may still be on their way to some streams."""

MAX_SPREAD_NS = NS_PER_S // 4
"""Limit of the spread: the median time between the first and the last arrival of a broadcast event. A slower server has
problems that are visible without a sample."""

MAX_SPREAD_SHARE = 1 / 4
"""Limit of the spread, as a share of the time in which the sampled streams were opened. If each stream plays a script
on its own, the arrivals are as far apart as the openings."""

MAX_SPREAD_OF_PERIOD = 1 / 4
"""Limit of the spread, as a share of the time between two events. Streams that poll a value receive it at any time."""

LEAST_SHARED = 0.9
"""The share of events that several streams must have received. Other events are for one user each."""

MAX_REPEATED = 0.02
"""Limit of the share of events that arrived twice on one stream: a repeated event (``data: ping``) has no identity."""


@mergeable
@dataclass(slots=True)
class Arrivals(Merging):
    """The first and last arrival of an event on the sampled streams (ns), and the number of streams."""

    first_ns: int = smallest()
    last_ns: int = largest()
    streams: int = summed()


def _with_arrivals(ours: dict[bytes, Arrivals], theirs: dict[bytes, Arrivals]) -> dict[bytes, Arrivals]:
    """Merge, and keep the MAX_EVENTS least digests: a random choice of events, the same one in all workers.

    Without a limit, 1,000 workers whose streams receive different events would have two million.
    """
    digests = ours.keys() | theirs.keys()
    if len(digests) > MAX_EVENTS:
        digests = set(nsmallest(MAX_EVENTS, digests))
        for digest in ours.keys() - digests:
            del ours[digest]
    for digest in theirs.keys() & digests:
        if digest in ours:
            ours[digest].merge(theirs[digest])
        else:
            ours[digest] = replace(theirs[digest])
    return ours


@dataclass(frozen=True, slots=True)
class Reach:
    """The reach of a broadcast, in a sample of streams and events."""

    streams: int
    events: int
    reached_all: int
    share: float
    """The share of the events that a stream received on average."""


@mergeable
@dataclass(slots=True)
class ReachSample(Merging):
    """The sample of one worker, or of several, merged: each has its own streams."""

    every: int = largest(1)
    """One in ``every`` streams is sampled, so that the sample covers the whole time in which streams are opened."""
    offered: int = summed()
    """The streams that opened, sampled or not."""
    streams: int = summed()
    opened_ns: int = smallest(2**63 - 1)
    """When the first sampled stream had opened (monotonic)."""
    since_ns: int = largest(0)
    """When the last sampled stream had opened."""
    until_ns: int = smallest(2**63 - 1)
    """When the first sampled stream ended, or the sample was full."""
    repeated: int = summed()
    arrivals: dict[bytes, Arrivals] = by_rule(_with_arrivals, factory=dict)
    _receivers: dict[bytes, int] = own(dict)
    """The streams that received an event, one bit each."""

    def join(self, at_ns: int) -> int:
        """Add a stream that has just opened (monotonic). Return its bit; 0 if it is not sampled."""
        self.offered += 1
        if self.streams >= MAX_STREAMS or self.until_ns != 2**63 - 1 or (self.offered - 1) % self.every:
            return 0
        self.streams += 1
        self.opened_ns = min(self.opened_ns, at_ns)
        self.since_ns = at_ns
        # Drop the events that arrived before this stream opened.
        self.arrivals.clear()
        self._receivers.clear()
        self.repeated = 0
        return 1 << self.streams

    def leave(self, at_ns: int) -> None:
        """Record that a sampled stream has ended."""
        self.until_ns = min(self.until_ns, at_ns)

    def take(self, events: Sequence[Event], bit: int, at_ns: int) -> None:
        """Record events that a sampled stream has received (monotonic)."""
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

    def close(self, at_ns: int, started_ns: int) -> None:
        """End the sample with the run, and drop the state that only the worker itself needs.

        From now on, times count from the start of the run: monotonic clocks of two machines cannot be compared.
        """
        self.leave(at_ns)
        self._receivers.clear()
        self.opened_ns -= started_ns
        self.since_ns -= started_ns
        self.until_ns -= started_ns
        for arrivals in self.arrivals.values():
            arrivals.first_ns -= started_ns
            arrivals.last_ns -= started_ns

    def result(self, uncertainty_ns: int = 0) -> Reach | None:
        """Return the reach of the broadcast; None if the events are no broadcast, or too few.

        ``uncertainty_ns`` is the largest error of a time between moments on two machines.
        """
        counted = [
            arrivals
            for arrivals in self.arrivals.values()
            if self.since_ns + uncertainty_ns < arrivals.first_ns < self.until_ns - SETTLING_NS - uncertainty_ns
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
        # Only shared events count. An event on one stream is for one user: a broadcast rarely misses all other streams.
        return Reach(
            streams=self.streams,
            events=len(shared),
            reached_all=sum(arrivals.streams == self.streams for arrivals in shared),
            share=sum(arrivals.streams for arrivals in shared) / (len(shared) * self.streams),
        )

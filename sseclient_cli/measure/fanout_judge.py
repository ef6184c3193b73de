"""Decides which streams should have received which published events, and counts those that did.

Pure. A stream was expected to receive an event if one of its connections was open for SETTLED_NS before the event was
published, and stayed open until a grace period after it. Other receipts (on a connection that had just opened, or soon
ended, or a replay after a reconnection) change neither side of the reach.

The publisher sends one event after the other, so the events that a connection should have received are a range. Ranges
and the receipts of a stream are integers with a bit per event: 2,000 streams take some milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from sseclient_cli.measure.fanout_totals import (
    FanoutTotals,
    PublisherFacts,
    Shortfall,
    StreamDelay,
    most_missing,
    slowest,
)
from sseclient_cli.measure.publications import Publication
from sseclient_cli.measure.receipts import Receipts, StreamReceipts
from sseclient_cli.units import NS_PER_S

SETTLED_NS = NS_PER_S // 10
"""A server may register a subscriber shortly after it has sent the response head."""

MAX_GROUPS = 64
"""A server has fewer processes. With more groups, each event is for a few streams only."""

LATE_NS = NS_PER_S // 20
"""A publication that began this much after its time is late: far more than the timer of an idle machine."""


def judged(
    receipts: Receipts, publications: Sequence[Publication], facts: PublisherFacts, planned: int
) -> FanoutTotals:
    """Return the fan-out of a run whose workers have ended."""
    found = FanoutTotals(facts, planned=planned)
    _count_publications(found, publications)
    deliveries = _Deliveries(found, publications, facts.grace_s)
    deliveries.count(receipts.streams)
    found.delay, found.rows = receipts.delay, receipts.rows
    found.replayed, found.untimed, found.unfollowed = receipts.replayed, receipts.untimed, receipts.unfollowed
    arrivals = (receipts.arrivals.get(number) for number in deliveries.events)
    spreads = ((each.last_ns - each.first_ns) // 1000 for each in arrivals if each is not None and each.streams > 1)
    found.spread.record(Counter(spreads))
    return found


def _count_publications(found: FanoutTotals, publications: Iterable[Publication]) -> None:
    lateness, request = Counter[int](), Counter[int]()
    for each in publications:
        found.published += each.is_published
        found.failed += not each.is_published
        if each.kind:
            found.errors[each.kind] += 1
            found.examples.setdefault(each.kind, each.message)
        found.late += each.began_ns - each.due_ns >= LATE_NS
        lateness[(each.began_ns - each.due_ns) // 1000] += 1
        if each.is_published and each.took_us is not None:
            request[each.took_us] += 1
    found.lateness.record(lateness)
    found.request.record(request)


class _Groups:
    """Finds out whether the events were divided between groups of streams, as between separate server processes."""

    def __init__(self) -> None:
        self._streams: Counter[int] = Counter()
        """Streams by the events that they were expected to receive."""
        self._received: dict[int, set[int]] = {}
        """By the same events: the different receipts."""

    def add(self, wanted: int, received: int) -> None:
        """Add a stream."""
        self._streams[wanted] += 1
        different = self._received.setdefault(wanted, set())
        if len(different) <= MAX_GROUPS:
            different.add(received)

    @property
    def count(self) -> int:
        """The number of groups, among the streams with the most common expectation; 0 without such groups."""
        if not self._streams:
            return 0
        [(wanted, streams)] = self._streams.most_common(1)
        different = self._received[wanted]
        together = 0
        for received in different:
            if together & received:
                return 0
            together |= received
        is_divided = together == wanted and 2 <= len(different) <= min(MAX_GROUPS, streams // 2)
        return len(different) if is_divided else 0


class _Deliveries:
    """Counts the deliveries of the published events."""

    def __init__(self, found: FanoutTotals, publications: Sequence[Publication], grace_s: float) -> None:
        published = [each for each in publications if each.is_published]
        self._found = found
        self._grace_ns = round(grace_s * NS_PER_S)
        self._numbers = [each.number for each in published]
        self._times_ns = [each.sent_ns or 0 for each in published]
        self._published = bits_of(self._numbers)
        self._failed = bits_of(each.number for each in publications if not each.is_published)
        self.events: list[int] = []
        """The events that at least one stream was expected to receive."""
        self._expected_changes: Counter[int] = Counter()
        """By number: how many more streams are expected to receive it than the number before."""
        self._groups = _Groups()
        self._missed: Counter[int] = Counter()
        """By number: the streams that missed it."""

    def count(self, streams: Iterable[StreamReceipts]) -> None:
        """Count the deliveries on these streams, and compare streams and events."""
        missed_sets: Counter[int] = Counter()
        shortfalls: list[Shortfall] = []
        delays: list[StreamDelay] = []
        for stream in streams:
            missed = self._count_stream(stream, shortfalls)
            if missed:
                missed_sets[missed] += 1
            if stream.timed:
                mean_us = stream.delay_sum_us // stream.timed
                delays.append(StreamDelay(stream.number, stream.timed, mean_us, stream.delay_max_us))
        found = self._found
        found.separate_groups = self._groups.count
        found.missing_streams, found.slowest = most_missing(shortfalls), slowest(delays)
        found.stream_delay.record(Counter(each.mean_us for each in delays))
        # Streams behind one server process miss the same events: each set is looked at once.
        for missed, count in missed_sets.items():
            for number in _bits(missed):
                self._missed[number] += count
        self._count_events()

    def _count_stream(self, stream: StreamReceipts, shortfalls: list[Shortfall]) -> int:
        """Count the deliveries on a stream. Return the events that it missed, as bits."""
        found, received = self._found, stream.received
        wanted = self._wanted(stream)
        found.duplicated += stream.duplicated
        found.out_of_order += stream.out_of_order
        found.unconfirmed += (received & self._failed).bit_count()
        if not wanted:
            return 0
        expected, got = wanted.bit_count(), (wanted & received).bit_count()
        self._groups.add(wanted, wanted & received)
        share = got / expected
        found.streams += 1
        found.expected += expected
        found.received += got
        found.complete_streams += got == expected
        found.streams_without += not got
        found.least_stream_reach = share if found.least_stream_reach is None else min(found.least_stream_reach, share)
        found.most_stream_reach = share if found.most_stream_reach is None else max(found.most_stream_reach, share)
        if got < expected:
            shortfalls.append(Shortfall(stream.number, expected, got))
        return wanted & ~received

    def _wanted(self, stream: StreamReceipts) -> int:
        """Return the events that the stream was expected to receive, as bits."""
        wanted = 0
        for opened_ns, ended_ns in stream.connections:
            first = bisect_left(self._times_ns, opened_ns + SETTLED_NS)
            end = bisect_right(self._times_ns, ended_ns - self._grace_ns)
            if first < end:
                self._expected_changes[first] += 1
                self._expected_changes[end] -= 1
                low, high = self._numbers[first], self._numbers[end - 1]
                wanted |= self._published & ((1 << (high + 1)) - (1 << low))
        return wanted

    def _count_events(self) -> None:
        found = self._found
        shortfalls = []
        shares = []
        changes = accumulate(self._expected_changes[place] for place in range(len(self._numbers)))
        for number, expected in zip(self._numbers, changes, strict=True):
            if not expected:
                continue
            missed = self._missed[number]
            self.events.append(number)
            found.events += 1
            found.reached_all += not missed
            shares.append((expected - missed) / expected)
            if missed:
                shortfalls.append(Shortfall(number, expected, expected - missed))
        found.least_event_reach = min(shares, default=None)
        found.missing_events = most_missing(shortfalls)


def bits_of(numbers: Iterable[int]) -> int:
    """Return an integer with these bits set. Through bytes: each change of a large integer copies all of it."""
    bits = bytearray()
    for number in numbers:
        place = number >> 3
        if place >= len(bits):
            bits.extend(bytes(place + 1 - len(bits)))
        bits[place] |= 1 << (number & 7)
    return int.from_bytes(bits, "little")


def _bits(number: int) -> Iterator[int]:
    """Yield the places of the bits that are set."""
    for place, byte in enumerate(number.to_bytes((number.bit_length() + 7) // 8, "little")):
        if byte:
            yield from (8 * place + bit for bit in range(8) if byte >> bit & 1)

"""What the streams of a worker received of the published events, in a form that merges.

Pure. A stream keeps one bit per event, and its connections as intervals. Which events a stream should have received
follows later from the times of all publications, which a worker does not know: an event that reached no stream of it
left no trace (``fanout_judge.py``).

Times count from the start of the run: monotonic clocks of two machines cannot be compared.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.merging import Merging, counted_by_name, joined, mergeable, own, part, parts, summed
from sseclient_cli.measure.reach import Arrivals
from sseclient_cli.measure.rounding import rounded

MAX_STREAMS = 200_000
"""Streams that a worker follows, about 300 bytes each and a bit per event. A run may replace its streams for hours."""


@dataclass(slots=True, eq=False)
class StreamReceipts:
    """What one stream received."""

    number: int
    """The number of the stream, from 0 on: its slot in the plan. A successor in the same slot has the same number."""
    bits: bytearray = field(default_factory=bytearray)
    """Bit n: whether event n was received."""
    connections: list[tuple[int, int]] = field(default_factory=list)
    """When each connection opened and ended (ns)."""
    latest: int = 0
    """The largest number received."""
    duplicated: int = 0
    out_of_order: int = 0
    timed: int = 0
    """Deliveries with a known delay; ``delay_sum_us`` and ``delay_max_us`` are of these."""
    delay_sum_us: int = 0
    delay_max_us: int = 0

    def take(self, number: int) -> bool:
        """Record the receipt of an event. Return False if it was received before."""
        place, bit = number >> 3, 1 << (number & 7)
        bits = self.bits
        if place >= len(bits):
            bits.extend(bytes(place + 1 - len(bits)))
        elif bits[place] & bit:
            self.duplicated += 1
            return False
        bits[place] |= bit
        if number < self.latest:
            self.out_of_order += 1
        else:
            self.latest = number
        return True

    @property
    def received(self) -> int:
        """The numbers received, as the bits of an integer."""
        return int.from_bytes(self.bits, "little")


@mergeable
@dataclass(slots=True)
class Receipts(Merging):
    """What the streams of a worker received, or those of several, merged: each has its own streams."""

    streams: list[StreamReceipts] = joined()
    arrivals: dict[int, Arrivals] = parts()
    """By number: the first and the last arrival of an event, and how many arrivals have a known time."""
    delay: Histogram = part(Histogram)
    """From the publication of an event to its arrival on a stream that was open before."""
    rows: dict[int, Counter[int]] = counted_by_name()
    """By row of the timeline: the delays, rounded."""
    replayed: int = summed()
    """Events that a stream received though it opened after their publication."""
    untimed: int = summed()
    """Events without a known arrival time: the load generator was late to read."""
    unfollowed: int = summed()
    """Streams beyond MAX_STREAMS."""
    ends_ns: int = own(lambda: 2**63 - 1)
    """The end of the run: the same for all streams, which are ended one after the other."""
    delays_us: array[int] = own(lambda: array("q"))
    """The delays since the last fold."""

    def stream(self, number: int) -> StreamReceipts | None:
        """Return the receipts of a new stream; None if there are too many."""
        if len(self.streams) >= MAX_STREAMS:
            self.unfollowed += 1
            return None
        self.streams.append(StreamReceipts(number))
        return self.streams[-1]

    def arrived(self, number: int, delay_us: int, at_ns: int) -> None:
        """Record the arrival of an event on one stream."""
        self.delays_us.append(delay_us)
        arrivals = self.arrivals.get(number)
        if arrivals is None:
            self.arrivals[number] = Arrivals(at_ns, at_ns, 1)
            return
        arrivals.streams += 1
        if at_ns > arrivals.last_ns:
            arrivals.last_ns = at_ns
        elif at_ns < arrivals.first_ns:
            arrivals.first_ns = at_ns

    def fold(self, row: int) -> None:
        """Move the delays since the last fold into the histogram and a row of the timeline."""
        if self.delays_us:
            counts = Counter(self.delays_us)
            del self.delays_us[:]
            self.delay.record(counts)
            self.rows.setdefault(row, Counter()).update(rounded(counts))

"""What was measured, in a form that merges: counters, histograms, a timeline, errors by kind.

Pure. Hot code appends whole microseconds to the arrays of a ``Recorder``; once per tick they are folded into
``Totals``. That order is the cheap one: an append costs 0.04 us, a fold of a common value 0.12 us, and recording each
value in a histogram 0.7 us. ``Totals.merge`` is associative, so processes, machines and saved runs add up the same way.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from hdrh.histogram import HdrHistogram

from sseclient_cli.load.audit import AuditCounts

HIGHEST_US = 24 * 3600 * 1_000_000
"""The histograms' range is 1 us to a day; a larger value counts as a day, and its true size as the maximum."""

SIGNIFICANT_DIGITS = 3

TIMELINE_BITS = 7
"""Significant bits of a delivery time in the timeline: within 1 %, and a row stays a few hundred numbers."""

MAX_TYPES = 100
"""Event types counted by name. A server could send a new one with each event; the rest is one entry."""

OTHER_TYPES = "(other)"


class Latency(Enum):
    """The durations that are measured, named as the document names them."""

    CONNECT = "connect"
    HEADERS = "headers"
    FIRST_EVENT = "first_event"
    GAP = "gap"
    DELIVERY = "delivery"


class Histogram:
    """Durations in microseconds: an HdrHistogram, with exact minimum, maximum and mean.

    A negative duration (two clocks differ) is counted apart: it belongs into no bucket, and zero would be a lie.
    """

    __slots__ = ("_hdr", "count", "max_us", "min_us", "negative", "sum_us")

    def __init__(self) -> None:
        self._hdr = HdrHistogram(1, HIGHEST_US, SIGNIFICANT_DIGITS)
        self.count = 0
        self.negative = 0
        self.sum_us = 0
        self.min_us = 0
        self.max_us = 0

    def record(self, counts: Mapping[int, int]) -> None:
        """Add values in us with how often each came."""
        if not counts:
            return
        self._extend(min(counts), max(counts))
        for value_us, times in counts.items():
            self.count += times
            self.sum_us += value_us * times
            if value_us < 0:
                self.negative += times
            else:
                self._hdr.record_value(min(value_us, HIGHEST_US), times)

    def merge(self, other: Histogram) -> None:
        """Add another histogram's values."""
        if not other.count:
            return
        self._extend(other.min_us, other.max_us)
        self._hdr.add(other._hdr)
        self.count += other.count
        self.sum_us += other.sum_us
        self.negative += other.negative

    def _extend(self, low_us: int, high_us: int) -> None:
        self.min_us = min(self.min_us, low_us) if self.count else low_us
        self.max_us = max(self.max_us, high_us) if self.count else high_us

    def percentiles_us(self, wanted: Iterable[float]) -> dict[float, int | None]:
        """Return the value at each percentile (0-100); None where it falls among negative values."""
        found: dict[float, int | None] = {}
        for percentile in wanted:
            rank = percentile / 100 * self.count - self.negative
            if rank <= 0:
                found[percentile] = None
            else:
                value_us = self._hdr.get_value_at_percentile(100 * rank / (self.count - self.negative))
                found[percentile] = min(max(value_us, self.min_us), self.max_us)
        return found

    def encoded(self) -> str:
        """Return the HdrHistogram in its standard V2 encoding, base64, values in us."""
        text: bytes = self._hdr.encode()
        return text.decode()


def percentile_us(counts: Mapping[int, int], percentile: float) -> int:
    """Return the value at a percentile (0-100) of values with how often each came; there must be one."""
    rank = percentile / 100 * sum(counts.values())
    seen = 0
    value_us = 0
    for value_us in sorted(counts):
        seen += counts[value_us]
        if seen >= rank:
            break
    return value_us


class Recorder:
    """What streams write into while they run; one per worker, emptied into Totals at each tick."""

    __slots__ = (
        "bytes", "coalesced", "comments", "connect", "delivery", "events", "first_event", "gap", "headers",
        "read_delay", "reads", "stamped_reads", "types",
    )  # fmt: skip

    def __init__(self) -> None:
        self.connect = array("q")
        self.headers = array("q")
        self.first_event = array("q")
        self.gap = array("q")
        self.delivery = array("q")
        self.read_delay = array("q")
        self.reads = 0
        self.stamped_reads = 0
        self.events = 0
        self.coalesced = 0
        self.comments = 0
        self.bytes = 0
        self.types: Counter[str] = Counter()


@dataclass(slots=True)
class ErrorCount:
    """How often an error of one kind came, and the message of the first."""

    count: int
    example: str


@dataclass(slots=True)
class Interval:
    """One row of the timeline. ``open`` is the number of open streams at its end, ``delivery`` in us, rounded."""

    open: int = 0
    events: int = 0
    bytes: int = 0
    errors: int = 0
    delivery: Counter[int] = field(default_factory=Counter)

    def merge(self, other: Interval) -> None:
        """Add the same row of another worker."""
        self.open += other.open
        self.events += other.events
        self.bytes += other.bytes
        self.errors += other.errors
        self.delivery.update(other.delivery)


@dataclass(slots=True)
class Totals:
    """The sum of everything a worker (or several, merged) did and measured."""

    planned: int = 0
    opened: int = 0
    failed: int = 0
    ended_by_server: int = 0
    reconnected: int = 0
    open_now: int = 0
    peak_open: int = 0
    """The most streams open at once; of several workers the sum of theirs, which need not be of the same moment."""
    events: int = 0
    comments: int = 0
    bytes: int = 0
    coalesced: int = 0
    reads: int = 0
    stamped_reads: int = 0
    types: Counter[str] = field(default_factory=Counter)
    latencies: dict[Latency, Histogram] = field(default_factory=lambda: {kind: Histogram() for kind in Latency})
    read_delay: Histogram = field(default_factory=Histogram)
    loop_lag: Histogram = field(default_factory=Histogram)
    cpu_percent: list[float] = field(default_factory=list)
    """Each worker's CPU time in percent of one core."""
    audit: AuditCounts = field(default_factory=AuditCounts)
    errors: dict[str, ErrorCount] = field(default_factory=dict)
    timeline: dict[int, Interval] = field(default_factory=dict)
    """By number of the row: row k begins at k * Plan.interval_s."""
    duration_ns: int = 0
    interrupted: bool = False
    timestamp_fields: set[str] = field(default_factory=set)
    sequence_fields: set[str] = field(default_factory=set)
    """The fields that the workers read, chosen or told."""

    def fold(self, recorder: Recorder, row: int) -> tuple[Counter[int], Counter[int]]:
        """Empty a recorder into these totals and a row of the timeline; return the gaps and deliveries it held."""
        interval = self.timeline.setdefault(row, Interval())
        interval.events += recorder.events
        interval.bytes += recorder.bytes
        interval.open = self.open_now
        self.events += recorder.events
        self.comments += recorder.comments
        self.bytes += recorder.bytes
        self.coalesced += recorder.coalesced
        self.reads += recorder.reads
        self.stamped_reads += recorder.stamped_reads
        self._count_types(recorder.types)
        recorder.events = recorder.comments = recorder.bytes = recorder.coalesced = 0
        recorder.reads = recorder.stamped_reads = 0
        recorder.types.clear()
        _empty_into(self.read_delay, recorder.read_delay)
        for kind in (Latency.CONNECT, Latency.HEADERS, Latency.FIRST_EVENT):
            _empty_into(self.latencies[kind], getattr(recorder, kind.value))
        gaps = _empty_into(self.latencies[Latency.GAP], recorder.gap)
        delivered = _empty_into(self.latencies[Latency.DELIVERY], recorder.delivery)
        for value_us, count in delivered.items():
            shift = max(value_us.bit_length() - TIMELINE_BITS, 0)
            interval.delivery[value_us >> shift << shift] += count
        return gaps, delivered

    def count_error(self, kind: str, example: str, row: int) -> None:
        """Count an error of a kind; the first one's text is kept as the example."""
        known = self.errors.setdefault(kind, ErrorCount(0, example))
        known.count += 1
        self.timeline.setdefault(row, Interval()).errors += 1

    def merge(self, other: Totals) -> None:
        """Add another worker's totals."""
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.duration_ns = max(self.duration_ns, other.duration_ns)
        self.interrupted = self.interrupted or other.interrupted
        self.timestamp_fields |= other.timestamp_fields
        self.sequence_fields |= other.sequence_fields
        self._count_types(other.types)
        for kind, histogram in other.latencies.items():
            self.latencies[kind].merge(histogram)
        self.read_delay.merge(other.read_delay)
        self.loop_lag.merge(other.loop_lag)
        self.audit.merge(other.audit)
        for kind_text, error in other.errors.items():
            self.errors.setdefault(kind_text, ErrorCount(0, error.example)).count += error.count
        for row, interval in other.timeline.items():
            self.timeline.setdefault(row, Interval()).merge(interval)

    def _count_types(self, types: Mapping[str, int]) -> None:
        for name, count in types.items():
            known = name in self.types or len(self.types) < MAX_TYPES
            self.types[name if known else OTHER_TYPES] += count


_SUMMED = (
    "planned", "opened", "failed", "ended_by_server", "reconnected", "open_now", "peak_open", "events", "comments",
    "bytes", "coalesced", "reads", "stamped_reads", "cpu_percent",
)  # fmt: skip


def _empty_into(histogram: Histogram, values_us: array[int]) -> Counter[int]:
    counts = Counter(values_us)
    histogram.record(counts)
    del values_us[:]
    return counts

"""The results of a run in a form that merges: counters, histograms, a timeline, errors by kind.

Pure. Hot code appends whole microseconds to the arrays of a ``Samples``. Once per tick, ``Totals.fold`` moves them into
the totals. This is the cheapest order: an append costs 0.04 us, a fold of a common value 0.12 us, and recording each
value in a histogram 0.7 us. Merging is associative, so processes, machines and saved runs add up in the same manner.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.engine.reads import Reads
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.bad_clients import BadTotals
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.measure.event_counts import COUNTS, EventCounts
from sseclient_cli.measure.fanout_totals import FanoutTotals
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.merging import (
    Merging,
    counted,
    first_given,
    joined,
    largest,
    largest_known,
    mergeable,
    part,
    part_if_any,
    parts,
    same,
    smallest_known,
    summed,
    united,
)  # fmt: skip
from sseclient_cli.measure.reach import ReachSample
from sseclient_cli.measure.receipts import Receipts
from sseclient_cli.measure.recovery import RecoveryTotals
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.measure.rounding import rounded
from sseclient_cli.measure.samples import VALUES, Latency, Samples

MAX_TYPES = 100
"""Event types that a worker counts by name; the rest share one entry. A server could invent one for each event."""

OTHER_TYPES = "(other)"

MAX_TYPE_BYTES = 200
"""Longer names of event types (in UTF-8) are cut before they are counted: a server could send a megabyte."""

MAX_REDIRECTIONS = 20
"""Redirect destinations that a worker counts by URL. A server could invent one for each stream."""

_LATENCIES = frozenset(kind.value for kind in Latency)


@mergeable
@dataclass(slots=True)
class ErrorCount(Merging):
    """The number of errors of one kind, and the message of the first."""

    count: int = summed()
    example: str = first_given("")


@mergeable
@dataclass(slots=True)
class Interval(Merging):
    """One row of the timeline. ``delivery`` and ``gap`` are in us, rounded."""

    open_change: int = summed()
    """Change of the number of open streams since the end of the previous row. A change and not a level, so the sum over
    workers is also right for a row that one worker lacks (it stalled, or had ended)."""
    events: int = summed()
    bytes: int = summed()
    errors: int = summed()
    delivery: Counter[int] = counted()
    gap: Counter[int] = counted()
    """Like ``delivery``."""
    opened: int = summed()
    failed: int = summed()
    reconnected: int = summed()
    cpu_ns: int = summed()
    worker_ns: int = summed()
    """Time that workers spent in this row."""
    read_delay_max_us: int | None = largest_known()
    """None without a read that has a kernel timestamp."""
    loop_lag_max_us: int | None = largest_known()
    requests: int = summed()
    """Requests that succeeded."""


@mergeable
@dataclass(slots=True)
class Totals(Merging, EventCounts):
    """The results of one worker, or of several, merged."""

    planned: int = summed()
    lost: int = summed()
    """Planned streams of lost workers: their results are unknown."""
    opened: int = summed()
    failed: int = summed()
    ended_by_server: int = summed()
    completed: int = summed()
    """Streams that were closed because they reached a limit of the plan (lifetime, events)."""
    reconnected: int = summed()
    broken: int = summed()
    """Streams that opened, and then ended with an error and without a reconnection."""
    connections: Counter[Endpoint] = counted()
    """Connections begun to each address; 0 for a known address that was not used."""
    redirections: Counter[str] = counted()
    """How many times a stream opened after redirects, by the redacted URL of the last one."""
    url_opened: Counter[int] = counted()
    """Streams that opened, by the number of their URL, if the streams have several."""
    url_failed: Counter[int] = counted()
    open_now: int = summed()
    open_in_timeline: int = summed()
    """The sum of all changes in the timeline: ``open_now`` at the last fold."""
    peak_open: int = summed()
    """Maximum of streams open at once. For several workers: the sum of their maxima, possibly at different times."""
    bytes: int = summed()
    reads: int = summed()
    stamped_reads: int = summed()
    """Reads with a kernel timestamp."""
    unanswered: int = summed()
    """Requests without a response head at their timeout, or for at least 1 s at the end of the run."""
    without_event: int = summed()
    """Streams that opened and never received an event."""
    bytes_without_event: int = summed()
    """Those of them whose bytes show the reason: not an event stream, or no complete event."""
    complaint: str = first_given("")
    """The reason shown by the bytes of the first of them."""
    heads_with_events: int = summed()
    """Response heads that arrived together with a part of the body."""
    types: Counter[str] = counted()
    latencies: dict[Latency, Histogram] = parts(lambda: {kind: Histogram() for kind in Latency})
    read_delay: Histogram = part(Histogram)
    start_delay: Histogram = part(Histogram)
    """From the intended to the actual start of a connection."""
    loop_lag: Histogram = part(Histogram)
    receive_queue: Histogram = part(Histogram)
    """Bytes, not us: unread data in the sockets of open streams, sampled."""
    bursts: Histogram = part(Histogram)
    """Events, not us: per read of several events that arrived together."""
    held_back: Histogram = part(Histogram)
    """Time between the sending of the first and the last event of such a read."""
    stream_events: Histogram = part(Histogram)
    """Events, not us: per stream that had opened."""
    open_gap: Histogram = part(Histogram)
    """From the last event of each unfinished stream to the end of the run."""
    silence: Histogram = part(Histogram)
    """For silent streams: from the last byte to the end of the run."""
    cut_silence: Histogram = part(Histogram)
    """For connections that were cut or ended by the server: from the last byte to that moment."""
    heartbeat_interval: Histogram = part(Histogram)
    """From one read with comments to the next one on the same connection."""
    longest_silence: Histogram = part(Histogram)
    """For each stream that had opened: its longest time without a byte on an open connection."""
    cpu_percent: list[float | None] = joined()
    """CPU time of each worker in percent of one core, in the order of the workers. None: the worker was lost, or its
    run was too short to measure."""
    audits: dict[str, FieldAudit] = parts()
    """The results of the audits of the streams, by field."""
    reach: ReachSample = part(ReachSample)
    receipts: Receipts | None = part_if_any()
    """What the streams received of the events of the run's publisher; None without one."""
    fanout: FanoutTotals | None = part_if_any()
    """The result of ``receipts`` and of the publications, once all workers have ended."""
    clock_steps: dict[int, int] = same()
    """Steps of this machine's wall clock in ns, by the second of the run. All workers see the same steps."""
    date_differences: Counter[int] = counted()
    """The server's Date minus our clock in whole seconds, with the number of responses."""
    encodings: Counter[str] = counted()
    """Content-Encodings with the number of responses."""
    max_concurrent_streams: int | None = smallest_known()
    """The lowest limit that a server sets for an HTTP/2 connection."""
    formats: Counter[str] = counted()
    """Formats of streams with the number of responses."""
    workers_lost: int = summed()
    """Workers that ended without a result."""
    errors: dict[str, ErrorCount] = parts()
    timeline: dict[int, Interval] = parts()
    """By row number: row k begins at k * Plan.interval_s."""
    duration_ns: int = largest(0)
    interrupted: bool = first_given(False)
    aborted_by: str = first_given("")
    """The assertion that ended the run early."""
    timestamp_fields: set[str] = united()
    """The timestamp fields that streams read, detected or named."""
    future_fields: set[str] = united()
    """Fields that were rejected as timestamps because their times lie in the future."""
    recovery: RecoveryTotals | None = part_if_any()
    """The losses and returns of streams; None if the plan has neither reconnections nor a storm."""
    requests: RequestTotals | None = part_if_any()
    """The requests and their answers; None if the streams have no end of their own."""
    bad: dict[BadKind, BadTotals] = parts()
    """The results of bad clients; no other figure includes them."""
    hosts: dict[str, HostTotals] = parts()
    """The share of each machine of a cluster, by name; empty without a cluster."""
    against: dict[int, Totals] = parts()
    """The totals of the streams to the other targets of the same run, by the number of the target from 1 on."""

    def fold(self, samples: Samples, reads: Reads, row: int, *, with_latencies: bool = True) -> dict[str, Counter[int]]:
        """Move the samples into these totals and a row of the timeline. Return their values with counts, by name.

        The values in the timeline are returned rounded. Without latencies (during the warm-up), deliveries go only into
        the timeline.
        """
        interval = self.interval(row)
        interval.events += samples.events
        interval.bytes += reads.body_bytes
        interval.open_change += self.open_now - self.open_in_timeline
        self.open_in_timeline = self.open_now
        delays = self._fold_reads(reads)
        if delays:
            interval.read_delay_max_us = max(interval.read_delay_max_us or 0, *delays)
        self._count_types(samples.types)
        samples.types.clear()
        for name, in_warm_up in COUNTS.items():
            if with_latencies or in_warm_up:
                setattr(self, name, getattr(self, name) + getattr(samples, name))
            setattr(samples, name, 0)
        folded = {
            name: _empty_into(self._histogram(name) if with_latencies or in_warm_up else None, getattr(samples, name))
            for name, in_warm_up in VALUES.items()
        }
        delivered, gaps = rounded(folded[Latency.DELIVERY.value]), rounded(folded[Latency.GAP.value])
        interval.delivery.update(delivered)
        interval.gap.update(gaps)
        return {**folded, "read_delay": delays, Latency.DELIVERY.value: delivered, Latency.GAP.value: gaps}

    def _fold_reads(self, reads: Reads) -> Counter[int]:
        """Add the reads to these totals. Return their delays."""
        self.bytes += reads.body_bytes
        self.reads += len(reads.delay_us) + reads.without_timestamp
        self.stamped_reads += len(reads.delay_us)
        reads.body_bytes = reads.without_timestamp = 0
        return _empty_into(self.read_delay, reads.delay_us)

    def _histogram(self, name: str) -> Histogram:
        """Return the histogram of the samples with that name."""
        histogram: Histogram = self.latencies[Latency(name)] if name in _LATENCIES else getattr(self, name)
        return histogram

    def count_error(self, kind: str, example: str, row: int) -> None:
        """Count an error of a kind. The text of the first one is kept as the example."""
        known = self.errors.setdefault(kind, ErrorCount(0, example))
        known.count += 1
        self.interval(row).errors += 1

    def interval(self, row: int) -> Interval:
        """Return this row of the timeline."""
        found = self.timeline.get(row)
        if found is None:
            found = self.timeline[row] = Interval()
        return found

    def count_redirection(self, redacted_url: str) -> None:
        """Count a stream that opened after redirects."""
        known = redacted_url in self.redirections or len(self.redirections) < MAX_REDIRECTIONS
        self.redirections[redacted_url if known else OTHER_TYPES] += 1

    def _count_types(self, types: Mapping[str, int]) -> None:
        for full_name, count in types.items():
            name = _shortened(full_name)
            known = name in self.types or len(self.types) < MAX_TYPES
            self.types[name if known else OTHER_TYPES] += count


def _shortened(name: str) -> str:
    """Cut the name of an event type to MAX_TYPE_BYTES, including the ellipsis."""
    if len(name) <= MAX_TYPE_BYTES // 4:
        return name
    encoded = name[: MAX_TYPE_BYTES + 1].encode()
    if len(encoded) <= MAX_TYPE_BYTES:
        return name
    return encoded[: MAX_TYPE_BYTES - len("…".encode())].decode(errors="ignore") + "…"


def _empty_into(histogram: Histogram | None, values_us: array[int]) -> Counter[int]:
    counts = Counter(values_us)
    if histogram is not None:
        histogram.record(counts)
    del values_us[:]
    return counts

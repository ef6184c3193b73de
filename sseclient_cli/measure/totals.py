"""What was measured, in a form that merges: counters, histograms, a timeline, errors by kind.

Pure. Hot code appends whole microseconds to the arrays of a ``Samples``; once per tick they are folded into
``Totals``. That order is the cheap one: an append costs 0.04 us, a fold of a common value 0.12 us, and recording each
value in a histogram 0.7 us. Merging is associative, so processes, machines and saved runs add up the same way.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.engine.reads import Reads
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.histogram import Histogram, rounded
from sseclient_cli.measure.merging import (
    Merging,
    counted,
    first_given,
    joined,
    largest,
    mergeable,
    part,
    parts,
    same,
    summed,
    united,
)  # fmt: skip
from sseclient_cli.measure.reach import ReachSample
from sseclient_cli.measure.samples import COUNTS, VALUES, Latency, Samples

MAX_TYPES = 100
"""Event types a worker counts by name. A server could send a new one with each event; the rest is one entry."""

OTHER_TYPES = "(other)"

MAX_TYPE_BYTES = 200
"""Of an event type's name in UTF-8, as it is counted and reported: a server could send a megabyte of it."""

MAX_REDIRECTIONS = 20
"""URLs a worker counts by name as those that redirects led to. A server could invent one for each stream."""


_LATENCIES = frozenset(kind.value for kind in Latency)


@mergeable
@dataclass(slots=True)
class ErrorCount(Merging):
    """How often an error of one kind came, and the message of the first."""

    count: int = summed()
    example: str = first_given("")


@mergeable
@dataclass(slots=True)
class Interval(Merging):
    """One row of the timeline. ``delivery`` is in us, rounded."""

    open_change: int = summed()
    """How many more streams were open at its end than at the end of the row before: a change and no level, so that a
    row that one worker has and another has not (it stalled, or had ended) adds up to the right number."""
    events: int = summed()
    bytes: int = summed()
    errors: int = summed()
    delivery: Counter[int] = counted()


@mergeable
@dataclass(slots=True)
class Totals(Merging):
    """The sum of everything a worker (or several, merged) did and measured."""

    planned: int = summed()
    lost: int = summed()
    """Of the planned ones those of workers that were lost: nothing is known of them."""
    opened: int = summed()
    failed: int = summed()
    ended_by_server: int = summed()
    completed: int = summed()
    """Streams that were closed because the plan wanted no more of them."""
    reconnected: int = summed()
    broken: int = summed()
    """Streams that opened, and then ended with an error for good."""
    connections: Counter[Endpoint] = counted()
    """How many connections were begun to each address; 0 for a known address that was not used."""
    redirections: Counter[str] = counted()
    """How many times a stream opened behind redirects, by the redacted URL of the last one."""
    open_now: int = summed()
    open_in_timeline: int = summed()
    """The sum of all changes in the timeline: ``open_now`` as of the last fold."""
    peak_open: int = summed()
    """The most streams open at once; of several workers the sum of theirs, which need not be of the same moment."""
    events: int = summed()
    comments: int = summed()
    error_events: int = summed()
    """Events that report an error, where the plan counts them."""
    bytes: int = summed()
    coalesced: int = summed()
    reads: int = summed()
    stamped_reads: int = summed()
    unanswered: int = summed()
    """Requests that had no response head at the end of the run, or when their time was over."""
    without_event: int = summed()
    """Streams that opened and never brought an event."""
    bytes_without_event: int = summed()
    """Of these, those whose bytes tell why: they are no event stream, or no event of theirs is complete."""
    complaint: str = first_given("")
    """What the bytes of the first of them tell."""
    heads_with_events: int = summed()
    """Response heads that came together with a part of the body."""
    inner_gaps: int = summed()
    """Gaps between events that arrived together, after the warm-up: they are not measured."""
    together_events: int = summed()
    """Events of reads that brought several."""
    types: Counter[str] = counted()
    latencies: dict[Latency, Histogram] = parts(lambda: {kind: Histogram() for kind in Latency})
    read_delay: Histogram = part(Histogram)
    start_delay: Histogram = part(Histogram)
    """From the intended start of a connection to the moment that it was begun."""
    loop_lag: Histogram = part(Histogram)
    receive_queue: Histogram = part(Histogram)
    """Bytes, not us: what lay unread in the sockets of open streams, sampled."""
    bursts: Histogram = part(Histogram)
    """Events, not us: of each read that brought several."""
    held_back: Histogram = part(Histogram)
    """How much later than the first event of such a read its last one was sent."""
    stream_events: Histogram = part(Histogram)
    """Events, not us: of each stream that had opened."""
    open_gap: Histogram = part(Histogram)
    """From the last event of each stream that was not over to the end of the run."""
    silence: Histogram = part(Histogram)
    """Of the streams that had gone silent: from the last byte to the end of the run."""
    cut_silence: Histogram = part(Histogram)
    """Of the connections that were cut or ended by the server: from the last byte to that moment."""
    cpu_percent: list[float | None] = joined()
    """Each worker's CPU time in percent of one core, in the order of the workers; None for one that was lost, or whose
    run was too short to say."""
    audits: dict[str, FieldAudit] = parts()
    """What the audits of the streams found, by field."""
    reach: ReachSample = part(ReachSample)
    clock_steps: dict[int, int] = same()
    """Steps of this machine's wall clock in ns, by the second of the run: all its workers see them."""
    date_differences: Counter[int] = counted()
    """The server's Date less our clock in whole seconds, with how many responses said so."""
    encodings: Counter[str] = counted()
    """Content-Encodings of the responses, with how many had each."""
    workers_lost: int = summed()
    """Of the workers those that ended without a report."""
    errors: dict[str, ErrorCount] = parts()
    timeline: dict[int, Interval] = parts()
    """By number of the row: row k begins at k * Plan.interval_s."""
    duration_ns: int = largest(0)
    interrupted: bool = first_given(False)
    timestamp_fields: set[str] = united()
    """The fields that streams read, chosen or told."""
    future_fields: set[str] = united()
    """Fields that would be the timestamp if they did not lie in the future."""

    def fold(
        self, samples: Samples, reads: Reads, row: int, *, with_latencies: bool = True
    ) -> tuple[Counter[int], Counter[int]]:
        """Empty the samples into these totals and a row of the timeline; return the gaps and deliveries they held.

        Without latencies (while the run warms up) these only go into the timeline.
        """
        interval = self.timeline.setdefault(row, Interval())
        interval.events += samples.events
        interval.bytes += reads.body_bytes
        interval.open_change += self.open_now - self.open_in_timeline
        self.open_in_timeline = self.open_now
        self._fold_reads(reads)
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
        delivered = folded[Latency.DELIVERY.value]
        interval.delivery.update(rounded(delivered))
        return folded[Latency.GAP.value], delivered

    def _fold_reads(self, reads: Reads) -> None:
        self.bytes += reads.body_bytes
        self.reads += len(reads.delay_us) + reads.without_timestamp
        self.stamped_reads += len(reads.delay_us)
        _empty_into(self.read_delay, reads.delay_us)
        reads.body_bytes = reads.without_timestamp = 0

    def _histogram(self, name: str) -> Histogram:
        """Return the histogram of the samples of that name."""
        histogram: Histogram = self.latencies[Latency(name)] if name in _LATENCIES else getattr(self, name)
        return histogram

    def count_error(self, kind: str, example: str, row: int) -> None:
        """Count an error of a kind; the first one's text is kept as the example."""
        known = self.errors.setdefault(kind, ErrorCount(0, example))
        known.count += 1
        self.timeline.setdefault(row, Interval()).errors += 1

    def count_redirection(self, redacted_url: str) -> None:
        """Count a stream that has opened behind redirects."""
        known = redacted_url in self.redirections or len(self.redirections) < MAX_REDIRECTIONS
        self.redirections[redacted_url if known else OTHER_TYPES] += 1

    def _count_types(self, types: Mapping[str, int]) -> None:
        for full_name, count in types.items():
            name = _shortened(full_name)
            known = name in self.types or len(self.types) < MAX_TYPES
            self.types[name if known else OTHER_TYPES] += count


def _shortened(name: str) -> str:
    """Cut the name of an event type to MAX_TYPE_BYTES, the ellipsis included."""
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

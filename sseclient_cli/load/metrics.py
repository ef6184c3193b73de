"""What was measured, in a form that merges: counters, histograms, a timeline, errors by kind.

Pure. Hot code appends whole microseconds to the arrays of a ``Recorder``; once per tick they are folded into
``Totals``. That order is the cheap one: an append costs 0.04 us, a fold of a common value 0.12 us, and recording each
value in a histogram 0.7 us. ``Totals.merge`` is associative, so processes, machines and saved runs add up the same way.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sseclient_cli.load.audit_totals import FieldAudit
from sseclient_cli.load.histogram import Histogram, rounded
from sseclient_cli.load.reach import ReachSample
from sseclient_cli.load.recorder import Latency, Recorder

MAX_TYPES = 100
"""Event types a worker counts by name. A server could send a new one with each event; the rest is one entry."""

OTHER_TYPES = "(other)"

MAX_TYPE_BYTES = 200
"""Of an event type's name in UTF-8, as it is counted and reported: a server could send a megabyte of it."""

MAX_REDIRECTIONS = 20
"""URLs a worker counts by name as those that redirects led to. A server could invent one for each stream."""


class Endpoint(NamedTuple):
    """Where connections go: the host that was resolved, its address, the port; a unix socket has only its path."""

    host: str | None
    address: str
    port: int | None


@dataclass(slots=True)
class ErrorCount:
    """How often an error of one kind came, and the message of the first."""

    count: int
    example: str


@dataclass(slots=True)
class Interval:
    """One row of the timeline. ``delivery`` is in us, rounded."""

    open_change: int = 0
    """How many more streams were open at its end than at the end of the row before: a change and no level, so that a
    row that one worker has and another has not (it stalled, or had ended) adds up to the right number."""
    events: int = 0
    bytes: int = 0
    errors: int = 0
    delivery: Counter[int] = field(default_factory=Counter)

    def merge(self, other: Interval) -> None:
        """Add the same row of another worker."""
        self.open_change += other.open_change
        self.events += other.events
        self.bytes += other.bytes
        self.errors += other.errors
        self.delivery.update(other.delivery)


@dataclass(slots=True)
class Totals:
    """The sum of everything a worker (or several, merged) did and measured."""

    planned: int = 0
    lost: int = 0
    """Of the planned ones those of workers that were lost: nothing is known of them."""
    opened: int = 0
    failed: int = 0
    ended_by_server: int = 0
    completed: int = 0
    """Streams that were closed because the plan wanted no more of them."""
    reconnected: int = 0
    broken: int = 0
    """Streams that opened, and then ended with an error for good."""
    connections: Counter[Endpoint] = field(default_factory=Counter)
    """How many connections were begun to each address; 0 for a known address that was not used."""
    redirections: Counter[str] = field(default_factory=Counter)
    """How many times a stream opened behind redirects, by the redacted URL of the last one."""
    open_now: int = 0
    open_in_timeline: int = 0
    """The sum of all changes in the timeline: ``open_now`` as of the last fold."""
    peak_open: int = 0
    """The most streams open at once; of several workers the sum of theirs, which need not be of the same moment."""
    events: int = 0
    comments: int = 0
    error_events: int = 0
    """Events that report an error, where the plan counts them."""
    bytes: int = 0
    coalesced: int = 0
    reads: int = 0
    stamped_reads: int = 0
    unanswered: int = 0
    """Requests that had no response head at the end of the run, or when their time was over."""
    without_event: int = 0
    """Streams that opened and never brought an event."""
    bytes_without_event: int = 0
    """Of these, those whose bytes tell why: they are no event stream, or no event of theirs is complete."""
    complaint: str = ""
    """What the bytes of the first of them tell."""
    heads_with_events: int = 0
    """Response heads that came together with a part of the body."""
    inner_gaps: int = 0
    """Gaps between events that arrived together, after the warm-up: they are not measured."""
    together_events: int = 0
    """Events of reads that brought several."""
    types: Counter[str] = field(default_factory=Counter)
    latencies: dict[Latency, Histogram] = field(default_factory=lambda: {kind: Histogram() for kind in Latency})
    read_delay: Histogram = field(default_factory=Histogram)
    start_delay: Histogram = field(default_factory=Histogram)
    """From the intended start of a connection to the moment that it was begun."""
    loop_lag: Histogram = field(default_factory=Histogram)
    receive_queue: Histogram = field(default_factory=Histogram)
    """Bytes, not us: what lay unread in the sockets of open streams, sampled."""
    bursts: Histogram = field(default_factory=Histogram)
    """Events, not us: of each read that brought several."""
    held_back: Histogram = field(default_factory=Histogram)
    """How much later than the first event of such a read its last one was sent."""
    stream_events: Histogram = field(default_factory=Histogram)
    """Events, not us: of each stream that had opened."""
    open_gap: Histogram = field(default_factory=Histogram)
    """From the last event of each stream that was not over to the end of the run."""
    silence: Histogram = field(default_factory=Histogram)
    """Of the streams that had gone silent: from the last byte to the end of the run."""
    cut_silence: Histogram = field(default_factory=Histogram)
    """Of the connections that were cut or ended by the server: from the last byte to that moment."""
    cpu_percent: list[float | None] = field(default_factory=list)
    """Each worker's CPU time in percent of one core, in the order of the workers; None for one that was lost, or whose
    run was too short to say."""
    audits: dict[str, FieldAudit] = field(default_factory=dict)
    """What the audits of the streams found, by field."""
    reach: ReachSample = field(default_factory=ReachSample)
    clock_steps: dict[int, int] = field(default_factory=dict)
    """Steps of this machine's wall clock in ns, by the second of the run."""
    date_differences: Counter[int] = field(default_factory=Counter)
    """The server's Date less our clock in whole seconds, with how many responses said so."""
    encodings: Counter[str] = field(default_factory=Counter)
    """Content-Encodings of the responses, with how many had each."""
    workers_lost: int = 0
    """Of the workers those that ended without a report."""
    errors: dict[str, ErrorCount] = field(default_factory=dict)
    timeline: dict[int, Interval] = field(default_factory=dict)
    """By number of the row: row k begins at k * Plan.interval_s."""
    duration_ns: int = 0
    interrupted: bool = False
    timestamp_fields: set[str] = field(default_factory=set)
    """The fields that streams read, chosen or told."""
    future_fields: set[str] = field(default_factory=set)
    """Fields that would be the timestamp if they did not lie in the future."""

    def fold(self, recorder: Recorder, row: int, *, with_latencies: bool = True) -> tuple[Counter[int], Counter[int]]:
        """Empty a recorder into these totals and a row of the timeline; return the gaps and deliveries it held.

        Without latencies (while the run warms up) they go nowhere but into the timeline.
        """
        interval = self.timeline.setdefault(row, Interval())
        interval.events += recorder.events
        interval.bytes += recorder.bytes
        interval.open_change += self.open_now - self.open_in_timeline
        self.open_in_timeline = self.open_now
        self.events += recorder.events
        self.comments += recorder.comments
        self.error_events += recorder.error_events
        self.bytes += recorder.bytes
        self.coalesced += recorder.coalesced
        self.reads += len(recorder.read_delay) + recorder.unstamped_reads
        self.stamped_reads += len(recorder.read_delay)
        self._count_types(recorder.types)
        recorder.events = recorder.comments = recorder.bytes = recorder.coalesced = 0
        recorder.unstamped_reads = recorder.error_events = 0
        recorder.types.clear()
        _empty_into(self.read_delay, recorder.read_delay)
        _empty_into(self.start_delay, recorder.start_delay)
        for name in ("stream_events", "open_gap", "silence", "cut_silence"):
            _empty_into(getattr(self, name), getattr(recorder, name))
        _empty_into(self.bursts if with_latencies else None, recorder.bursts)
        if with_latencies:
            self.inner_gaps += recorder.inner_gaps
        self.together_events += recorder.together_events
        recorder.inner_gaps = recorder.together_events = 0
        _empty_into(self.held_back if with_latencies else None, recorder.held_back)
        for kind in (Latency.CONNECT, Latency.TLS, Latency.HEADERS, Latency.FIRST_EVENT):
            _empty_into(self.latencies[kind] if with_latencies else None, getattr(recorder, kind.value))
        gaps = _empty_into(self.latencies[Latency.GAP] if with_latencies else None, recorder.gap)
        delivered = _empty_into(self.latencies[Latency.DELIVERY] if with_latencies else None, recorder.delivery)
        interval.delivery.update(rounded(delivered))
        return gaps, delivered

    def count_error(self, kind: str, example: str, row: int) -> None:
        """Count an error of a kind; the first one's text is kept as the example."""
        known = self.errors.setdefault(kind, ErrorCount(0, example))
        known.count += 1
        self.timeline.setdefault(row, Interval()).errors += 1

    def count_redirection(self, redacted_url: str) -> None:
        """Count a stream that has opened behind redirects."""
        known = redacted_url in self.redirections or len(self.redirections) < MAX_REDIRECTIONS
        self.redirections[redacted_url if known else OTHER_TYPES] += 1

    def merge(self, other: Totals) -> None:
        """Add another worker's totals. Associative; only the order of workers and of first examples is kept."""
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.duration_ns = max(self.duration_ns, other.duration_ns)
        self.interrupted = self.interrupted or other.interrupted
        self.complaint = self.complaint or other.complaint
        self.timestamp_fields |= other.timestamp_fields
        self.future_fields |= other.future_fields
        # No limit here: which names are kept would depend on the order of merges.
        self.types.update(other.types)
        self.connections.update(other.connections)
        self.redirections.update(other.redirections)
        for kind, histogram in other.latencies.items():
            self.latencies[kind].merge(histogram)
        for name in _HISTOGRAMS:
            getattr(self, name).merge(getattr(other, name))
        for source, audit in other.audits.items():
            self.audits.setdefault(source, FieldAudit(audit.trust)).merge(audit)
        self.reach.merge(other.reach)
        for second, step_ns in other.clock_steps.items():
            self.clock_steps.setdefault(second, step_ns)  # workers of one machine see the same step
        self.date_differences.update(other.date_differences)
        self.encodings.update(other.encodings)
        for kind_text, error in other.errors.items():
            self.errors.setdefault(kind_text, ErrorCount(0, error.example)).count += error.count
        for row, interval in other.timeline.items():
            self.timeline.setdefault(row, Interval()).merge(interval)

    def _count_types(self, types: Mapping[str, int]) -> None:
        for full_name, count in types.items():
            name = _shortened(full_name)
            known = name in self.types or len(self.types) < MAX_TYPES
            self.types[name if known else OTHER_TYPES] += count


_SUMMED = (
    "planned", "lost", "opened", "failed", "ended_by_server", "completed", "reconnected", "broken", "open_now",
    "open_in_timeline", "peak_open", "events", "comments", "bytes", "coalesced", "reads", "stamped_reads",
    "unanswered", "without_event", "inner_gaps", "together_events", "bytes_without_event",
    "heads_with_events", "error_events", "cpu_percent", "workers_lost",
)  # fmt: skip

_HISTOGRAMS = (
    "read_delay", "start_delay", "loop_lag", "receive_queue", "bursts", "held_back", "stream_events", "open_gap",
    "silence", "cut_silence",
)  # fmt: skip


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

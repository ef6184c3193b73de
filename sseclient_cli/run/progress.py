"""The progress of a run, which workers send a few times per second, and the merge for several workers.

This module is pure. Each field is declared once, with its merge rule. Percentiles cannot be merged, so progress
contains the values since the previous progress with their counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Self

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.merging import (
    Merging,
    by_rule,
    counted_by_name,
    first_given,
    joined,
    largest,
    largest_known,
    mergeable,
    part,
    part_if_any,
    smallest_known,
    summed,
    summed_if_known,
)
from sseclient_cli.measure.request_totals import RequestLatency, RequestTotals, per_s
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import ErrorCount, Totals

MAX_AUDIT_ENTRIES = 2_000
"""Maximum of range ends that a worker sends; an audit with more is not sent. Without losses there are a few."""


class Delay(Enum):
    """The distributions that show whether the load generator is the bottleneck, named as in ``Totals``."""

    READ = "read_delay"
    START = "start_delay"
    LOOP = "loop_lag"
    QUEUE = "receive_queue"
    """Bytes, not us."""


AnyLatency = Latency | RequestLatency


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProgress:
    """The state of one worker. Rates and ``recent_cpu_percent`` cover the last second."""

    open_now: int
    events_per_s: float = 0.0
    bytes_per_s: float = 0.0
    cpu_percent: float | None = None
    """CPU time of the run so far in percent of one core; None if unknown."""
    recent_cpu_percent: float | None = None
    host: str = ""
    """The machine of a cluster that it runs on, by name; empty without a cluster."""


@mergeable
@dataclass(slots=True)
class Recent(Merging):
    """The values since the previous progress, rounded, with their counts: us, or bytes in ``Delay.QUEUE``."""

    latencies: dict[AnyLatency, Counter[int]] = counted_by_name()
    warm_up: dict[AnyLatency, Counter[int]] = counted_by_name()
    """Latencies during the warm-up, which the report excludes."""
    delays: dict[Delay, Counter[int]] = counted_by_name()


@mergeable
@dataclass(slots=True)
class RequestProgress(Merging):
    """The requests so far. Tokens and chunks are those of the answers that have ended."""

    planned: int = summed()
    """Requests of the plan; 0 without a limit."""
    succeeded: int = summed()
    failed: int = summed()
    warm_up: int = summed()
    output_tokens: int | None = summed_if_known()
    """None: the server has counted none."""
    chunks: int = summed()
    first_sent_us: int | None = smallest_known()
    last_ended_us: int | None = largest_known()
    is_of_llm: bool = first_given(False)

    @classmethod
    def of(cls, totals: RequestTotals | None, planned: int) -> Self | None:
        """Take the requests from the totals of a worker; None without requests."""
        if totals is None:
            return None
        llm = totals.llm
        return cls(
            planned=planned,
            succeeded=totals.succeeded,
            failed=totals.failed,
            warm_up=totals.warm_up,
            output_tokens=None if llm is None else llm.output_tokens,
            chunks=0 if llm is None else llm.chunks,
            first_sent_us=totals.first_sent_us,
            last_ended_us=totals.last_ended_us,
            is_of_llm=llm is not None,
        )

    @property
    def done(self) -> int:
        """Requests that are over, those of the warm-up included."""
        return self.succeeded + self.failed + self.warm_up

    def per_s(self, count: int) -> float:
        """Return a count of succeeded requests, or of a part of them, per second so far; as in the report."""
        return per_s(count, self.first_sent_us, self.last_ended_us) or 0.0


def _known_sum() -> Any:
    return by_rule(lambda ours, theirs: None if ours is None or theirs is None else ours + theirs, default=0)


def _errors(ours: dict[str, ErrorCount], theirs: dict[str, ErrorCount]) -> dict[str, ErrorCount]:
    for kind, error in theirs.items():
        ours.setdefault(kind, ErrorCount(0, error.example)).count += error.count
    return ours


def _audits(ours: dict[str, FieldAudit] | None, theirs: dict[str, FieldAudit] | None) -> dict[str, FieldAudit] | None:
    if ours is None or theirs is None:
        return None
    for source, audit in theirs.items():
        if source in ours:
            ours[source].merge(audit)
        else:
            ours[source] = audit.copied()
    return ours


@mergeable
@dataclass(slots=True, kw_only=True)
class Progress(Merging):
    """The state of a run. All figures except ``recent`` and the rates are totals since the start."""

    elapsed_s: float = largest(0.0)
    duration_s: float = largest(0.0)
    planned: int = summed()
    lost: int = summed()
    """Planned streams of lost workers."""
    opened: int = summed()
    opening: int = summed()
    """Streams that connect or wait for their first response head now."""
    open_now: int = summed()
    reconnecting: int = summed()
    """Streams that were open, and now wait or connect again."""
    failed: int = summed()
    broken: int = summed()
    ended_by_server: int = summed()
    completed: int = summed()
    reconnected: int = summed()
    silent: int | None = _known_sum()
    """Open streams that are silent now; None until all streams were checked once."""
    events: int = summed()
    bytes: int = summed()
    errors: dict[str, ErrorCount] = by_rule(_errors, factory=dict)
    audits: dict[str, FieldAudit] | None = by_rule(_audits, factory=dict)
    """The sequence checks so far, by field; None if they are unknown."""
    workers: list[WorkerProgress] = joined()
    recent: Recent = part(Recent)
    requests: RequestProgress | None = part_if_any()
    """The requests; None for streams without an end of their own."""

    @classmethod
    def of(cls, totals: Totals, *, planned_requests: int = 0, **others: Any) -> Progress:
        """Create progress from the totals of a worker, and the fields that totals do not have."""
        return cls(
            **{name: getattr(totals, name) for name in _COUNTERS},
            requests=RequestProgress.of(totals.requests, planned_requests),
            **{"errors": _errors({}, totals.errors), **others},
        )

    @classmethod
    def of_ended(cls, totals: Totals, *, elapsed_s: float, duration_s: float) -> Progress:
        """Create the progress of a worker that has ended, from its totals."""
        cpu = totals.cpu_percent[0] if totals.cpu_percent else None
        return cls.of(
            totals,
            elapsed_s=elapsed_s,
            duration_s=duration_s,
            silent=totals.silence.count,
            audits=small_enough(totals.audits),
            planned_requests=0 if totals.requests is None else _ended_requests(totals.requests),
            workers=[WorkerProgress(open_now=totals.open_now, cpu_percent=cpu)],
        )

    @property
    def events_per_s(self) -> float:
        """Events in the last second."""
        return sum(worker.events_per_s for worker in self.workers)

    @property
    def bytes_per_s(self) -> float:
        """Bytes of response bodies in the last second."""
        return sum(worker.bytes_per_s for worker in self.workers)

    @property
    def cpu_percent(self) -> list[float | None]:
        """CPU time of each worker so far, as in ``Totals``."""
        return [worker.cpu_percent for worker in self.workers]

    @property
    def hosts(self) -> dict[str, list[WorkerProgress]]:
        """The workers on each machine of a cluster; empty without a cluster."""
        found: dict[str, list[WorkerProgress]] = {}
        for worker in self.workers:
            if worker.host:
                found.setdefault(worker.host, []).append(worker)
        return found

    def after(self, earlier: Progress) -> Progress:
        """Return this progress with the recent values of an earlier one that was not shown."""
        recent = Recent()
        recent.merge(earlier.recent)
        recent.merge(self.recent)
        return replace(self, recent=recent)

    def shown(self) -> Progress:
        """Return this progress without its recent values, so that these are shown once."""
        return replace(self, recent=Recent())


_COUNTERS = ({each.name for each in fields(Progress)} & {each.name for each in fields(Totals)}) - {
    "errors",
    "audits",
    "requests",
}
"""The fields that progress takes from totals."""


def merged(progresses: Iterable[Progress]) -> Progress:
    """Merge the progress of the workers of a run."""
    total = Progress()
    for progress in progresses:
        total.merge(progress)
    return total


def ended(totals: Totals, *, elapsed_s: float, duration_s: float) -> Progress:
    """Return the progress of a worker that has ended, with the streams to all of its targets."""
    sides = (totals, *totals.against.values())
    progress = merged(Progress.of_ended(side, elapsed_s=elapsed_s, duration_s=duration_s) for side in sides)
    worker = replace(progress.workers[0], open_now=progress.open_now)
    return replace(progress, workers=[worker])


def _ended_requests(totals: RequestTotals) -> int:
    return totals.succeeded + totals.failed + totals.unfinished + totals.warm_up


def small_enough(audits: dict[str, FieldAudit]) -> dict[str, FieldAudit] | None:
    """Return the audits unless they have more than MAX_AUDIT_ENTRIES range ends."""
    entries = sum(len(audit.spanned) + len(audit.received) for audit in audits.values())
    return audits if entries <= MAX_AUDIT_ENTRIES else None

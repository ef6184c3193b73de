"""The figures of a run for the live view: the latest progress, the last second, and the whole run so far. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from sseclient_cli.measure.audit_totals import FieldAudit, judge
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.request_totals import RequestLatency
from sseclient_cli.measure.rounding import RoundedValues
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import ErrorCount
from sseclient_cli.render.live.series import Series
from sseclient_cli.run.progress import AnyLatency, Delay, Progress, Recent

RECENT_S = 1.0
"""Recent figures cover at least this time, so that they can be read."""

JUDGE_EVERY_S = 1.0
"""Interval between two judgements of the audit and of saturation, which can take milliseconds."""

LEAST_NUMBERS = 20
"""Numbers per stream before a fault of a detected sequence is shown: fewer may still refute the sequence."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles in the unit of their values, microseconds or bytes."""

    p50: int
    p90: int
    p99: int
    max: int


@dataclass(frozen=True, slots=True)
class AuditSoFar:
    """Faults that the report would contain if the run ended now, and that were already there one check before."""

    source: str
    lost: int
    duplicated: int
    out_of_order: int
    is_lower_bound: bool
    """Whether a part of the loss is unknown."""


_Values = TypeVar("_Values", Histogram, RoundedValues)


@dataclass(frozen=True, slots=True)
class HostSoFar(Generic[_Values]):
    """The same of one machine of a cluster. It implements ``HostHealth``."""

    cpu_percent: list[float | None]
    read_delay: _Values
    """Empty: progress has the delays of all machines together."""


class HealthSoFar(Generic[_Values]):
    """The measurements of the load generator since the start of the run. It implements ``GeneratorHealth``."""

    def __init__(self, empty: Callable[[], _Values]) -> None:
        """Create it without values. ``empty`` creates the values of one delay."""
        self.cpu_percent: list[float | None] = []
        self.errors: Mapping[str, ErrorCount] = {}
        self.hosts: dict[str, HostSoFar[_Values]] = {}
        self._no_delay: _Values = empty()
        self.of: dict[Delay, _Values] = {delay: empty() for delay in Delay}
        self.read_delay: _Values = self.of[Delay.READ]
        self.start_delay: _Values = self.of[Delay.START]
        self.loop_lag: _Values = self.of[Delay.LOOP]
        self.receive_queue: _Values = self.of[Delay.QUEUE]

    def add(self, progress: Progress) -> None:
        """Add the values of new progress."""
        self.cpu_percent, self.errors = progress.cpu_percent, progress.errors
        self.hosts = {
            name: HostSoFar([worker.cpu_percent for worker in workers], self._no_delay)
            for name, workers in progress.hosts.items()
        }
        for delay, counts in progress.recent.delays.items():
            self.of[delay].record(counts)


class RunHistory:
    """The figures of a run so far."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.events_per_s = Series()
        self.bytes_per_s = Series()
        self.open_streams = Series()
        self.latency_p99_us = Series(of_maxima=True)
        """The 99th percentile of ``main_latency`` at each moment."""
        self.main_latency: AnyLatency = Latency.GAP
        """The first token, or the duration, of requests; else delivery, or the inter-event gap without timestamps."""
        self.reasons: list[str] = []
        """Why the load generator was the bottleneck so far; empty if it was not."""
        self.audit: AuditSoFar | None = None
        self._health = HealthSoFar(RoundedValues)
        self._recents: deque[tuple[float, Recent]] = deque()
        self._latencies: dict[AnyLatency, RoundedValues] = {}
        self._overall: dict[AnyLatency, Percentiles | None] = {}
        self._latest: dict[AnyLatency, Percentiles | None] = {}
        self._judged_s = -JUDGE_EVERY_S
        self._checked = 0
        self._audit_before: AuditSoFar | None = None

    def add(self, progress: Progress) -> None:
        """Add new progress."""
        self.progress = progress
        at_s, recent = progress.elapsed_s, progress.recent
        for latency, counts in recent.latencies.items():
            self._latencies.setdefault(latency, RoundedValues()).record(counts)
        self._health.add(progress)
        self._recents.append((at_s, recent))
        while self._recents[0][0] <= at_s - RECENT_S:
            self._recents.popleft()
        self._latest.clear()
        main = self._main_latency()
        if main is not self.main_latency:
            self.main_latency, self.latency_p99_us = main, Series(of_maxima=True)
        self._add_to_series(at_s)
        if at_s >= self._judged_s + JUDGE_EVERY_S:
            self._judged_s = at_s
            self.reasons = saturation_reasons(self._health)
            self._judge_audits(progress.audits)
            self._overall = {latency: percentiles(values) for latency, values in self._latencies.items()}

    def _main_latency(self) -> AnyLatency:
        requests = self.progress.requests
        if requests is not None:
            return RequestLatency.FIRST_TOKEN if requests.is_of_llm else RequestLatency.DURATION
        return Latency.DELIVERY if Latency.DELIVERY in self._latencies else Latency.GAP

    def latest(self, latency: AnyLatency) -> Percentiles | None:
        """Return the percentiles of the last second, warm-up included."""
        if latency not in self._latest:
            found = RoundedValues()
            for _, recent in self._recents:
                for values in (recent.latencies, recent.warm_up):
                    found.record(values.get(latency, {}))
            self._latest[latency] = percentiles(found)
        return self._latest[latency]

    def overall(self, latency: AnyLatency) -> Percentiles | None:
        """Return the percentiles since the start, or since the end of the warm-up. They change once per second."""
        return self._overall.get(latency)

    def latest_delay(self, delay: Delay) -> Percentiles | None:
        """Return the percentiles of a figure of the load generator in the last second."""
        found = RoundedValues()
        for _, recent in self._recents:
            found.record(recent.delays.get(delay, {}))
        return percentiles(found)

    def _add_to_series(self, at_s: float) -> None:
        progress = self.progress
        self.events_per_s.add(at_s, progress.events_per_s)
        self.bytes_per_s.add(at_s, progress.bytes_per_s)
        self.open_streams.add(at_s, progress.open_now)
        now = self.latest(self.main_latency)
        self.latency_p99_us.add(at_s, None if now is None else now.p99)

    def _judge_audits(self, audits: dict[str, FieldAudit] | None) -> None:
        found = None if audits is None else judge(audits)[0]
        if audits is None or found is None:
            self.audit = self._audit_before = None
            return
        if found.checked == self._checked:
            return  # no stream was checked again
        self._checked = found.checked
        is_named = any(audit.trust is None for audit in audits.values())
        is_proven = is_named or found.checked >= LEAST_NUMBERS * self.progress.opened
        faults = (found.lost_at_least, found.duplicated, found.out_of_order) if is_proven else (0, 0, 0)
        now = AuditSoFar(found.source, *faults, is_lower_bound=found.lost is None)
        before, self._audit_before = self._audit_before, now
        # A missing event may only be late, so a fault counts from the second check on.
        self.audit = (
            _least(now, before) if before is not None else AuditSoFar(found.source, 0, 0, 0, now.is_lower_bound)
        )


def percentiles(values: RoundedValues) -> Percentiles | None:
    """Return the percentiles of values; None without values."""
    found = [value for value in values.percentiles_us((50, 90, 99, 100)).values() if value is not None]
    return Percentiles(*found) if found else None


def _least(one: AuditSoFar, other: AuditSoFar) -> AuditSoFar:
    return AuditSoFar(
        one.source,
        min(one.lost, other.lost),
        min(one.duplicated, other.duplicated),
        min(one.out_of_order, other.out_of_order),
        one.is_lower_bound,
    )

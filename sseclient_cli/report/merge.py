"""Merge two reports: their totals are added like those of the workers of one run, and a report is built from the sum.

The result is exact, except for ``reach``, which compares times of one clock and is null in a merged report. Timeline
rows are added by their second of the run, regardless of when each run started.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.samples import Latency as Kind
from sseclient_cli.measure.totals import ErrorCount, Interval, Totals
from sseclient_cli.report.bad_clients_build import bad_totals_of
from sseclient_cli.report.build import assemble
from sseclient_cli.report.counters import counters_in
from sseclient_cli.report.distributions import Durations, Latency, QueueSizes, Sizes
from sseclient_cli.report.fanout_build import totals_of_fanout
from sseclient_cli.report.hosts_build import totals_of_hosts
from sseclient_cli.report.model import Report
from sseclient_cli.report.requests_build import totals_of_requests
from sseclient_cli.report.run_model import Run
from sseclient_cli.report.timeline_model import Row

_MAY_DIFFER = frozenset(
    {"redirected_to", "connections", "rate_per_s", "requests", "seed", "prompt_seed", "timestamp", "sequence"}
)
"""Sizes, Poisson processes and prompts add up. The fields of timestamp and sequence are compared by the choice of the
user."""


def merged(first: Report, second: Report, *, force: bool = False) -> Report:
    """Return the report of both runs together.

    Raises UsageError if target or plan of the runs differ. With ``force``, the target and the plan are those of the
    first, and the report lists the differences; only timelines with rows of different length are still refused.
    """
    run, other = first.run, second.run
    if run.interval_s != other.interval_s:
        raise UsageError("their timelines have rows of different length")
    differences = list(_differences(run, other))
    if differences and not force:
        raise UsageError(differences[0])
    totals, added = totals_of(first), totals_of(second)
    if totals.recovery and added.recovery and totals.recovery.bin_ms != added.recovery.bin_ms:
        totals.recovery = added.recovery = None  # a forced merge of runs of different duration
    totals.merge(added)
    together = run.model_copy(
        update={
            "target": run.target.model_copy(
                update={
                    "redirected_to": run.target.redirected_to or other.target.redirected_to,
                    "prompt_seed": None,
                }
            ),
            "preflight": run.preflight or other.preflight,
            "started_at": min(run.started_at, other.started_at),
            "plan": run.plan.model_copy(
                update={
                    "connections": run.plan.connections + other.plan.connections,
                    "requests": None
                    if run.plan.requests is None or other.plan.requests is None
                    else run.plan.requests + other.plan.requests,
                    "rate_per_s": None
                    if run.plan.rate_per_s is None or other.plan.rate_per_s is None
                    else run.plan.rate_per_s + other.plan.rate_per_s,
                    "seed": None,
                }
            ),
            "reports": run.reports + other.reports,
            "forced_differences": [*run.forced_differences, *differences],
            "hosts": [*run.hosts, *(host for host in other.hosts if host not in run.hosts)],
        }
    )
    return assemble(together, totals)


def is_same_run(first: Report, second: Report) -> bool:
    """Return whether both are reports of one run: no two runs have the same start and the same histograms."""
    return (first.run.started_at, first.evidence, first.latency) == (
        second.run.started_at,
        second.evidence,
        second.latency,
    )


def totals_of(report: Report) -> Totals:
    """Return the totals that the report holds."""
    streams, events, bursts, evidence = report.streams, report.events, report.bursts, report.evidence
    totals = Totals(
        **{**counters_in(streams, events, bursts, report.run, evidence), "error_events": events.error_events or 0},
        **_histograms(report),
        open_now=streams.open_at_end,
        events=events.received,
        types=Counter(events.by_type),
        connections=Counter(
            {Endpoint(each.host, each.address, each.port): each.connections for each in report.run.addresses}
        ),
        url_opened=Counter({number: each.opened for number, each in enumerate(report.run.urls)}),
        url_failed=Counter({number: each.failed for number, each in enumerate(report.run.urls)}),
        redirections=Counter({each.url: each.streams for each in report.run.redirections}),
        inner_gaps=bursts.gaps_inside,
        together_events=events.received - bursts.events_alone,
        encodings=Counter(bursts.content_encodings),
        clock_steps={step.t_s: round(step.step_ms * 1e6) for step in report.clocks.steps},
        errors={each.kind: ErrorCount(each.count, each.example) for each in report.errors},
        interrupted=report.run.interrupted,
        aborted_by=report.run.aborted_by or "",
        formats=Counter(report.run.formats),
        max_concurrent_streams=None if report.run.http2 is None else report.run.http2.max_concurrent_streams,
        timestamp_fields=set(report.run.plan.timestamp.used),
        future_fields=set(report.run.plan.timestamp.in_the_future),
        timeline=_timeline(report.timeline, report.run.interval_s),
        cpu_percent=list(evidence.cpu_percent),
        date_differences=Counter(evidence.date_differences),
        audits={each.source: each.audit() for each in evidence.audits},
        recovery=None if evidence.recovery is None else evidence.recovery.totals(),
        fanout=totals_of_fanout(report.fanout, report.run.interval_s),
        bad=bad_totals_of(report.bad),
        requests=totals_of_requests(report.requests, report.llm, report.mcp),
        hosts=totals_of_hosts(report),
    )
    if report.bytes_without_event is not None:
        totals.bytes_without_event = report.bytes_without_event.streams
        totals.complaint = report.bytes_without_event.example
    return totals


def _histograms(report: Report) -> dict[str, Any]:
    """Return the distributions by the names that they have in the totals."""
    silence, bursts, generator = report.silence, report.bursts, report.generator
    distributions = {
        "stream_events": report.events.per_stream,
        "open_gap": report.latency.open_gap,
        "silence": silence.at_end,
        "cut_silence": silence.before_cut,
        "longest_silence": silence.longest,
        "heartbeat_interval": silence.heartbeat_interval,
        "bursts": bursts.events,
        "held_back": bursts.held_back,
        "read_delay": generator.read_delay,
        "start_delay": generator.start_delay,
        "loop_lag": generator.loop_lag,
        "receive_queue": generator.receive_queue,
    }
    return {
        **{name: _histogram(each) for name, each in distributions.items()},
        "latencies": {kind: _histogram(getattr(report.latency, kind.value)) for kind in Kind},
    }


def _histogram(distribution: Latency | Durations | Sizes | QueueSizes | None) -> Histogram:
    return Histogram() if distribution is None else distribution.histogram()


def _timeline(rows: list[Row], interval_s: int) -> dict[int, Interval]:
    found: dict[int, Interval] = {}
    open_before = 0
    for row in rows:
        found[row.t_s // interval_s] = Interval(
            open_change=row.open - open_before,
            events=row.events,
            bytes=row.bytes,
            errors=row.errors,
            delivery=Counter(row.delivery_counts()),
            gap=Counter(row.gap_counts()),
            opened=row.opened or 0,
            failed=row.failed or 0,
            reconnected=row.reconnected or 0,
            cpu_ns=row.cpu_ns,
            worker_ns=row.worker_ns,
            read_delay_max_us=_us(row.read_delay_max_ms),
            loop_lag_max_us=_us(row.loop_lag_max_ms),
            requests=row.requests or 0,
        )
        open_before = row.open
    return found


def _us(value_ms: float | None) -> int | None:
    return None if value_ms is None else round(1000 * value_ms)


def _differences(run: Run, other: Run) -> Iterator[str]:
    """Yield what does not belong together."""
    for what, ours, theirs in (("target", run.target, other.target), ("plan", run.plan, other.plan)):
        for name in type(ours).model_fields:
            if name not in _MAY_DIFFER and getattr(ours, name) != getattr(theirs, name):
                yield f"the {what}s differ: {name} is {getattr(ours, name)} and {getattr(theirs, name)}"
    for name in ("timestamp", "sequence"):
        asked, other_asked = getattr(run.plan, name).asked, getattr(other.plan, name).asked
        if asked != other_asked:
            yield f"the plans differ: {name} is {asked} and {other_asked}"

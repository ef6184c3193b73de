"""Build the report from the totals of a run. Pure, except for the facts about the machine (``run_build.py``)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sseclient_cli import __version__
from sseclient_cli.measure.audit_totals import judge
from sseclient_cli.measure.response_heads import usual_difference_s
from sseclient_cli.measure.rounding import percentile_us
from sseclient_cli.measure.samples import Latency as Kind
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.report import model, run_model
from sseclient_cli.report.bad_clients_build import bad_clients
from sseclient_cli.report.counters import counters_of
from sseclient_cli.report.distributions import Durations, Latency, QueueSizes, Sizes, TimestampSource
from sseclient_cli.report.evidence import Evidence, FieldEvidence
from sseclient_cli.report.fanout_build import fanout_of
from sseclient_cli.report.findings import findings
from sseclient_cli.report.hosts_build import clock_uncertainty_ns, read_delays_of
from sseclient_cli.report.model import Report
from sseclient_cli.report.recovery_build import recovery
from sseclient_cli.report.recovery_model import RecoveryEvidence
from sseclient_cli.report.requests_build import llm_of, mcp_of, requests_of
from sseclient_cli.report.run_build import run_of, with_totals
from sseclient_cli.report.streams_model import Bursts, BytesWithoutEvent, Events, Silence, Streams
from sseclient_cli.report.timeline_model import Row, text_of_counts
from sseclient_cli.request.target import ResolvedTarget
from sseclient_cli.run.spec import RunSpec

if TYPE_CHECKING:
    from sseclient_cli.client.preflight import Preflight

MAX_SHARE_WITHOUT_TIMESTAMP = 0.01
"""Up to this share of reads without a kernel timestamp, latencies count as measured by the kernel: the first read of a
socket can lack it."""

_SEEN_BY_THE_LOOP = (Kind.CONNECT, Kind.TLS)
"""The event loop times these: the kernel gives no timestamp for a connection or a handshake."""


def build_report(
    spec: RunSpec,
    chain: tuple[ResolvedTarget, ...],
    totals: Totals,
    started_at_s: float,
    preflight: Preflight | None = None,
) -> Report:
    """Return the report of a run that began at ``started_at_s`` (seconds since 1970).

    ``chain`` is the redirect chain from the target to the stream; it is resolved before the run.
    """
    return assemble(run_of(spec, chain, totals, started_at_s, preflight), totals)


def assemble(run: run_model.Run, totals: Totals) -> Report:
    """Return the report of a run: ``run`` has its target and plan, ``totals`` its measurements."""
    audit, candidates = judge(totals.audits)
    uncertainty_ns = clock_uncertainty_ns(totals)
    reach = None if uncertainty_ns is None else totals.reach.result(uncertainty_ns)
    report = Report(
        tool=model.Tool(name="sseclient-cli", version=__version__),
        run=with_totals(run, totals, audit, candidates),
        streams=_streams(totals),
        events=_events(totals, counts_error_events=run.plan.counts_error_events),
        latency=_latencies(totals),
        silence=Silence(
            at_end=Durations.of(totals.silence),
            before_cut=Durations.of(totals.cut_silence),
            longest=Durations.of(totals.longest_silence),
            heartbeat_interval=Durations.of(totals.heartbeat_interval),
        ),
        bytes_without_event=BytesWithoutEvent(streams=totals.bytes_without_event, example=totals.complaint)
        if totals.bytes_without_event
        else None,
        bursts=_bursts(totals),
        audit=None if audit is None else model.Audit(**asdict(audit)),
        reach=None if reach is None else model.Reach(**asdict(reach)),
        fanout=fanout_of(totals.fanout, _timestamp_source(totals), run.interval_s),
        requests=requests_of(totals.requests, _timestamp_source(totals)),
        mcp=mcp_of(totals.requests),
        llm=llm_of(totals.requests, run.plan, _timestamp_source(totals)),
        clocks=_clocks(totals),
        errors=[
            model.ErrorCount(kind=kind, count=error.count, example=error.example)
            for kind, error in sorted(totals.errors.items(), key=lambda item: (-item[1].count, item[0]))
        ],
        generator=_generator(totals),
        timeline=_timeline(totals, run.interval_s),
        assertions=[],
        findings=[],
        evidence=_evidence(totals),
    )
    parts = {"bad": bad_clients(report, totals.bad), "recovery": recovery(report, totals)}
    report = report.model_copy(update=parts)
    return report.model_copy(update={"findings": findings(report)})


def _timestamp_source(totals: Totals) -> TimestampSource:
    without_timestamp = totals.reads - totals.stamped_reads
    return (
        "kernel" if totals.stamped_reads and without_timestamp <= MAX_SHARE_WITHOUT_TIMESTAMP * totals.reads else "user"
    )


def _streams(totals: Totals) -> Streams:
    return Streams(
        **counters_of(Streams, totals),
        unfinished=totals.planned - totals.opened - totals.failed - totals.lost,
        silent=totals.silence.count,
        open_at_end=totals.open_now,
    )


def _events(totals: Totals, *, counts_error_events: bool) -> Events:
    duration_s = totals.duration_ns / 1e9
    counters = counters_of(Events, totals)
    if not counts_error_events:
        counters["error_events"] = None
    return Events(
        **counters,
        received=totals.events,
        per_s=round(totals.events / duration_s, 1) if duration_s else None,
        per_stream=Sizes.of(totals.stream_events),
        by_type=dict(totals.types.most_common()),
    )


def _latencies(totals: Totals) -> model.Latencies:
    source = _timestamp_source(totals)
    sources: dict[Kind, TimestampSource] = {kind: "user" if kind in _SEEN_BY_THE_LOOP else source for kind in Kind}
    return model.Latencies(
        **{kind.value: Latency.of(totals.latencies[kind], sources[kind]) for kind in Kind},
        open_gap=Latency.of(totals.open_gap, "user"),
    )


def _bursts(totals: Totals) -> Bursts:
    return Bursts(
        **counters_of(Bursts, totals),
        events=Sizes.of(totals.bursts),
        events_in_bursts=totals.bursts.sum_us,
        events_alone=totals.events - totals.together_events,
        gaps_inside=totals.inner_gaps,
        held_back=Durations.of(totals.held_back),
        content_encodings=dict(totals.encodings.most_common()),
    )


def _clocks(totals: Totals) -> model.Clocks:
    return model.Clocks(
        steps=[model.ClockStep(t_s=t_s, step_ms=step_ns / 1e6) for t_s, step_ns in sorted(totals.clock_steps.items())],
        server_ahead_s=usual_difference_s(totals.date_differences) if totals.date_differences else None,
    )


def _generator(totals: Totals) -> model.Generator:
    reasons = saturation_reasons(totals)
    return model.Generator(
        saturated=bool(reasons),
        reasons=reasons,
        cpu_percent=[None if percent is None else round(percent, 1) for percent in totals.cpu_percent],
        read_delay=Latency.of(totals.read_delay, _timestamp_source(totals)),
        start_delay=Latency.of(totals.start_delay, "user"),
        loop_lag=Latency.of(totals.loop_lag, "user"),
        receive_queue=QueueSizes.of(totals.receive_queue),
    )


def _evidence(totals: Totals) -> Evidence:
    return Evidence(
        **counters_of(Evidence, totals),
        cpu_percent=totals.cpu_percent,
        date_differences=dict(totals.date_differences),
        host_read_delays=read_delays_of(totals),
        audits=[FieldEvidence.of(source, audit) for source, audit in totals.audits.items()],
        recovery=RecoveryEvidence.of(totals.recovery),
    )


def _timeline(totals: Totals, interval_s: int) -> list[Row]:
    """Return a row for each interval, including empty ones."""
    rows: list[Row] = []
    open_now = 0
    for number in range(max(totals.timeline, default=-1) + 1):
        interval = totals.timeline.get(number) or Interval()
        open_now += interval.open_change
        delivery, gap = interval.delivery, interval.gap
        rows.append(
            Row(
                t_s=number * interval_s,
                open=open_now,
                events=interval.events,
                bytes=interval.bytes,
                errors=interval.errors,
                delivery_p50_ms=percentile_us(delivery, 50) / 1000 if delivery else None,
                delivery_p99_ms=percentile_us(delivery, 99) / 1000 if delivery else None,
                delivery_us=text_of_counts(delivery),
                opened=interval.opened,
                failed=interval.failed,
                reconnected=interval.reconnected,
                gap_p50_ms=percentile_us(gap, 50) / 1000 if gap else None,
                gap_p99_ms=percentile_us(gap, 99) / 1000 if gap else None,
                gap_us=text_of_counts(gap),
                cpu_percent=round(100 * interval.cpu_ns / interval.worker_ns, 1) if interval.worker_ns else None,
                cpu_ns=interval.cpu_ns,
                worker_ns=interval.worker_ns,
                read_delay_max_ms=_ms(interval.read_delay_max_us),
                loop_lag_max_ms=_ms(interval.loop_lag_max_us),
                requests=None if totals.requests is None else interval.requests,
            )
        )
    return rows


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / 1000

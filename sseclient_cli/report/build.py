"""What was measured becomes a report. Pure, but for the facts of the machine."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sseclient_cli import __version__
from sseclient_cli.measure.audit_totals import Audit as JudgedAudit
from sseclient_cli.measure.audit_totals import Candidate as JudgedCandidate
from sseclient_cli.measure.audit_totals import judge
from sseclient_cli.measure.field_choice import Choice, FieldChoice
from sseclient_cli.measure.histogram import percentile_us
from sseclient_cli.measure.response_heads import usual_difference_s
from sseclient_cli.measure.samples import Latency as Kind
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.report import model, run_model
from sseclient_cli.report.distributions import Durations, Latency, QueueSizes, Sizes, Stamp
from sseclient_cli.report.evidence import FieldEvidence
from sseclient_cli.report.findings import findings
from sseclient_cli.report.model import Report
from sseclient_cli.request.target import ResolvedTarget, Target
from sseclient_cli.run.plan import Plan as LoadPlan
from sseclient_cli.run.spec import RunSpec

if TYPE_CHECKING:
    from sseclient_cli.client.preflight import Preflight

MAX_UNSTAMPED_SHARE = 0.01
"""Reads without a kernel stamp (a socket's first can lack it) up to which latencies still count as kernel-stamped."""

_SEEN_BY_THE_LOOP = (Kind.CONNECT, Kind.TLS)
"""A connection is complete when our loop hears of it: nothing stamps that in the kernel."""


def build_report(
    spec: RunSpec,
    chain: tuple[ResolvedTarget, ...],
    totals: Totals,
    started_at_s: float,
    preflight: Preflight | None = None,
) -> Report:
    """Make the report of a run that began at ``started_at_s`` (seconds since 1970).

    ``chain`` is the redirect chain from the target to the stream, as it was found before the run.
    """
    plan = spec.plan
    run = run_model.Run(
        target=_target(spec.target, chain[-1].target.redacted_url if len(chain) > 1 and not totals.opened else None),
        preflight=None
        if preflight is None
        else run_model.Preflight(requests=len(preflight.hops), status=preflight.status, closed=True),
        addresses=[],
        redirections=[],
        started_at=datetime.fromtimestamp(round(started_at_s, 3), UTC),
        duration_s=0,
        interrupted=False,
        incomplete=False,
        plan=_plan(plan),
        interval_s=plan.interval_s,
        workers=0,
        workers_lost=0,
        hosts=[
            run_model.Host(
                system=platform.system(),
                machine=platform.machine(),
                python=platform.python_version(),
                cpus=os.cpu_count(),
            )
        ],
    )
    return assemble(run, totals)


def assemble(run: run_model.Run, totals: Totals) -> Report:
    """Make the report of a run, of which ``run`` says what was to be done, and these totals all else."""
    audit, candidates = judge(totals.audits)
    reach = totals.reach.result()
    report = Report(
        tool=model.Tool(name="sseclient-cli", version=__version__),
        run=_with_totals(run, totals, audit, candidates),
        streams=_streams(totals),
        events=_events(totals, counts_error_events=run.plan.counts_error_events),
        latency=_latencies(totals),
        silence=model.Silence(at_end=Durations.of(totals.silence), before_cut=Durations.of(totals.cut_silence)),
        bytes_without_event=model.BytesWithoutEvent(streams=totals.bytes_without_event, example=totals.complaint)
        if totals.bytes_without_event
        else None,
        bursts=_bursts(totals),
        audit=None if audit is None else model.Audit(**asdict(audit)),
        reach=None if reach is None else model.Reach(**asdict(reach)),
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
    return report.model_copy(update={"findings": findings(report)})


def _with_totals(
    run: run_model.Run, totals: Totals, audit: JudgedAudit | None, candidates: list[JudgedCandidate]
) -> run_model.Run:
    redirections = sorted(totals.redirections.items(), key=lambda item: (-item[1], item[0]))
    plan = run.plan
    timestamp = plan.timestamp.model_copy(
        update={"used": sorted(totals.timestamp_fields), "in_the_future": sorted(totals.future_fields)}
    )
    sequence = plan.sequence.model_copy(
        update={
            "used": [] if audit is None else audit.source.split(", "),
            "candidates": [run_model.Candidate(**asdict(candidate)) for candidate in candidates],
        }
    )
    # Where redirects led most streams; where they led the preflight if no stream opened.
    led_to = redirections[0][0] if redirections else run.target.redirected_to
    return run.model_copy(
        update={
            "target": run.target.model_copy(update={"redirected_to": led_to}),
            "addresses": [
                run_model.Address(**place._asdict(), connections=count) for place, count in totals.connections.items()
            ],
            "redirections": [run_model.Redirection(url=url, streams=count) for url, count in redirections],
            "duration_s": round(totals.duration_ns / 1e9, 3),
            "interrupted": totals.interrupted,
            "incomplete": totals.workers_lost > 0,
            "plan": plan.model_copy(update={"timestamp": timestamp, "sequence": sequence}),
            "workers": len(totals.cpu_percent),
            "workers_lost": totals.workers_lost,
        }
    )


def _target(target: Target, redirected_to: str | None) -> run_model.Target:
    return run_model.Target(
        url=target.redacted_url,
        redirected_to=redirected_to,
        method=target.method,
        headers=list(target.redacted_headers),
        body_bytes=None if target.body is None else len(target.body),
        proxy=None if target.proxy is None else target.proxy.url,
        connect_to=target.connect_to,
        unix_socket=target.unix_socket,
        source_addresses=list(target.source_addresses),
        all_addresses=target.all_addresses,
        connect_timeout_s=target.connect_timeout_s,
        head_timeout_s=target.head_timeout_s,
        certificates_checked=target.tls.verify,
        ca_file=target.tls.ca_file,
        cert_file=target.tls.cert_file,
        key_file=target.tls.key_file,
        any_content_type=target.any_content_type,
    )


def _plan(plan: LoadPlan) -> run_model.Plan:
    return run_model.Plan(
        connections=plan.connections,
        duration_s=plan.duration_s,
        ramp_up_s=round(plan.ramp_up_s, 3),
        warmup_s=plan.warmup_s,
        lifetime_s=plan.lifetime_s,
        refill=plan.refill,
        events=plan.events,
        on_end=plan.on_end.value,
        retry_statuses=sorted(plan.retry_statuses),
        storm_s=plan.storm_s,
        max_event_bytes=plan.max_event_bytes,
        idle_timeout_s=plan.idle_timeout_s,
        counts_error_events=plan.counts_error_events,
        timestamp=run_model.TimestampField(asked=_asked(plan.timestamp), used=[], in_the_future=[]),
        sequence=run_model.SequenceField(asked=_asked(plan.sequence), used=[], candidates=[]),
    )


def _asked(choice: FieldChoice) -> str:
    return choice.value if isinstance(choice, Choice) else str(choice)


def _stamp(totals: Totals) -> Stamp:
    unstamped = totals.reads - totals.stamped_reads
    return "kernel" if totals.stamped_reads and unstamped <= MAX_UNSTAMPED_SHARE * totals.reads else "user"


def _streams(totals: Totals) -> model.Streams:
    return model.Streams(
        planned=totals.planned,
        lost=totals.lost,
        opened=totals.opened,
        failed=totals.failed,
        unfinished=totals.planned - totals.opened - totals.failed - totals.lost,
        unanswered=totals.unanswered,
        without_event=totals.without_event,
        silent=totals.silence.count,
        ended_by_server=totals.ended_by_server,
        completed=totals.completed,
        reconnected=totals.reconnected,
        broken=totals.broken,
        open_at_end=totals.open_now,
        peak_open=totals.peak_open,
    )


def _events(totals: Totals, *, counts_error_events: bool) -> model.Events:
    duration_s = totals.duration_ns / 1e9
    return model.Events(
        received=totals.events,
        comments=totals.comments,
        bytes=totals.bytes,
        per_s=round(totals.events / duration_s, 1) if duration_s else None,
        error_events=totals.error_events if counts_error_events else None,
        coalesced=totals.coalesced,
        per_stream=Sizes.of(totals.stream_events),
        by_type=dict(totals.types.most_common()),
    )


def _latencies(totals: Totals) -> model.Latencies:
    stamp = _stamp(totals)
    stamps: dict[Kind, Stamp] = {kind: "user" if kind in _SEEN_BY_THE_LOOP else stamp for kind in Kind}
    return model.Latencies(
        **{kind.value: Latency.of(totals.latencies[kind], stamps[kind]) for kind in Kind},
        open_gap=Latency.of(totals.open_gap, "user"),
    )


def _bursts(totals: Totals) -> model.Bursts:
    return model.Bursts(
        events=Sizes.of(totals.bursts),
        events_in_bursts=totals.bursts.sum_us,
        events_alone=totals.events - totals.together_events,
        gaps_inside=totals.inner_gaps,
        held_back=Durations.of(totals.held_back),
        heads_with_events=totals.heads_with_events,
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
        read_delay=Latency.of(totals.read_delay, _stamp(totals)),
        start_delay=Latency.of(totals.start_delay, "user"),
        loop_lag=Latency.of(totals.loop_lag, "user"),
        receive_queue=QueueSizes.of(totals.receive_queue),
    )


def _evidence(totals: Totals) -> model.Evidence:
    return model.Evidence(
        reads=totals.reads,
        stamped_reads=totals.stamped_reads,
        duration_ns=totals.duration_ns,
        cpu_percent=totals.cpu_percent,
        date_differences=dict(totals.date_differences),
        audits=[FieldEvidence.of(source, audit) for source, audit in totals.audits.items()],
    )


def _timeline(totals: Totals, interval_s: int) -> list[model.Row]:
    """Return a row for each interval, also for those in which nothing came."""
    rows: list[model.Row] = []
    open_now = 0
    for number in range(max(totals.timeline, default=-1) + 1):
        interval = totals.timeline.get(number) or Interval()
        open_now += interval.open_change
        delivery = interval.delivery
        rows.append(
            model.Row(
                t_s=number * interval_s,
                open=open_now,
                events=interval.events,
                bytes=interval.bytes,
                errors=interval.errors,
                delivery_p50_ms=percentile_us(delivery, 50) / 1000 if delivery else None,
                delivery_p99_ms=percentile_us(delivery, 99) / 1000 if delivery else None,
                delivery_us=" ".join(f"{value}:{times}" for value, times in sorted(delivery.items())),
            )
        )
    return rows

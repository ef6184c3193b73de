"""Builds the part of the report about the run: its target and plan, from the spec; its course, from the totals.

A figure of the target or the plan is the field with the same name, unless it is built explicitly here.
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sseclient_cli.measure.audit_totals import Audit as JudgedAudit
from sseclient_cli.measure.audit_totals import Candidate as JudgedCandidate
from sseclient_cli.measure.field_choice import Choice, FieldChoice
from sseclient_cli.measure.totals import OTHER_TYPES, Totals
from sseclient_cli.report import run_model
from sseclient_cli.report.figure import Part
from sseclient_cli.report.hosts_build import hosts_of
from sseclient_cli.request.http2 import WINDOW_BYTES
from sseclient_cli.request.llm_body import LlmBodies
from sseclient_cli.request.target import ResolvedTarget, Target
from sseclient_cli.run.bad_clients import BadClients
from sseclient_cli.run.plan import DEFAULT_STREAMS_PER_CONNECTION
from sseclient_cli.run.plan import Plan as LoadPlan
from sseclient_cli.run.spec import RunSpec
from sseclient_cli.run.stream_pool import MAX_URLS

if TYPE_CHECKING:
    from sseclient_cli.client.preflight import Preflight


def run_of(
    spec: RunSpec,
    chain: tuple[ResolvedTarget, ...],
    totals: Totals,
    started_at_s: float,
    preflight: Preflight | None,
) -> run_model.Run:
    """Return target, plan and machine of a run; ``with_totals`` adds its course."""
    plan = spec.plan
    return run_model.Run(
        target=_target(spec, chain[-1].target.redacted_url if len(chain) > 1 and not totals.opened else None),
        preflight=None
        if preflight is None
        else run_model.Preflight(requests=preflight.requests, status=preflight.status),
        addresses=[],
        redirections=[],
        urls=_urls(spec.target),
        started_at=datetime.fromtimestamp(round(started_at_s, 3), UTC),
        duration_s=0,
        interrupted=False,
        incomplete=False,
        plan=_plan(plan),
        interval_s=plan.interval_s,
        workers=0,
        workers_lost=0,
        hosts=[]
        if totals.hosts
        else [
            run_model.Host(
                system=platform.system(),
                machine=platform.machine(),
                python=platform.python_version(),
                cpus=os.cpu_count(),
            )
        ],
    )


def with_totals(
    run: run_model.Run, totals: Totals, audit: JudgedAudit | None, candidates: list[JudgedCandidate]
) -> run_model.Run:
    """Add the course of the run: addresses, redirects, the fields that were read, the duration."""
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
            "http2": _http2(run, totals) if run.target.http2 else None,
            "formats": dict(totals.formats.most_common()),
            "redirections": [run_model.Redirection(url=url, streams=count) for url, count in redirections],
            "urls": [
                each.model_copy(update={"opened": totals.url_opened[number], "failed": totals.url_failed[number]})
                for number, each in enumerate(run.urls)
            ],
            "duration_s": round(totals.duration_ns / 1e9, 3),
            "interrupted": totals.interrupted,
            "aborted_by": totals.aborted_by or None,
            "incomplete": totals.workers_lost > 0,
            "plan": plan.model_copy(update={"timestamp": timestamp, "sequence": sequence}),
            "workers": len(totals.cpu_percent),
            "workers_lost": totals.workers_lost,
            "hosts": [*(host for host in run.hosts if host.name is None), *hosts_of(totals)],
        }
    )


def _http2(run: run_model.Run, totals: Totals) -> run_model.Http2:
    return run_model.Http2(
        streams_per_connection=run.plan.streams_per_connection or DEFAULT_STREAMS_PER_CONNECTION,
        connections=totals.connections.total(),
        max_concurrent_streams=totals.max_concurrent_streams,
        window_bytes=WINDOW_BYTES,
    )


def _target(spec: RunSpec, redirected_to: str | None) -> run_model.Target:
    target = spec.target
    bodies = None if target.per_stream is None else target.per_stream.llm
    differing: dict[str, Any] = {
        "url": target.redacted_url,
        "bundled_server": spec.is_bundled_server,
        "redirected_to": redirected_to,
        "headers": list(target.redacted_headers),
        "body_bytes": None if target.body is None else len(target.body),
        "message_count": len(target.messages),
        "stream_format": target.stream_format.value,
        "requests_differ": target.per_stream is not None,
        "values_file": None if target.per_stream is None else target.per_stream.values_file,
        "urls_file": None if target.per_stream is None else target.per_stream.urls_file,
        "prompts": _prompts(bodies),
        "prompt_seed": None if bodies is None else bodies.seed,
        "proxy": None if target.proxy is None else target.proxy.url,
        "certificates_checked": target.tls.verify,
    }
    return run_model.Target(**{**_figures(run_model.Target, target, target.tls), **differing})


def _prompts(bodies: LlmBodies | None) -> run_model.Prompts | None:
    if bodies is None:
        return None
    return run_model.Prompts(
        api=bodies.api.value,
        model=bodies.model,
        source=bodies.prompts.source.value,
        tokens=None if bodies.prompts.length is None else str(bodies.prompts.length),
        turns=bodies.prompts.most_turns,
        output_tokens=None if bodies.output is None else str(bodies.output),
        has_system=bodies.system is not None,
        left_out=list(bodies.prompts.notes),
        extra=list(bodies.extra),
    )


def _urls(target: Target) -> list[run_model.UrlShare]:
    per_stream = target.per_stream
    if per_stream is None or per_stream.urls_file is None:
        return []
    urls = [
        run_model.UrlShare(url=url, weight=weight, opened=0, failed=0)
        for url, weight in zip(per_stream.shown_urls, per_stream.weights, strict=True)
    ]
    rest = sum(each.weight for each in urls[MAX_URLS:])
    others = [run_model.UrlShare(url=OTHER_TYPES, weight=rest, opened=0, failed=0)] if rest else []
    return [*urls[:MAX_URLS], *others]


def _plan(plan: LoadPlan) -> run_model.Plan:
    differing: dict[str, Any] = {
        "arrivals": plan.arrivals.value,
        "on_end": plan.on_end.value,
        "retry_statuses": sorted(plan.retry_statuses),
        "bad_clients": None if plan.bad_clients is None else _bad_clients(plan.bad_clients),
        "llm": None
        if plan.llm is None
        else run_model.PlannedLlm(
            api=plan.llm.api.value, slo=list(map(str, plan.llm.slo)), tokenizer=plan.llm.tokenizer
        ),
        "mcp": None if plan.mcp is None else run_model.PlannedMcp(**_figures(run_model.PlannedMcp, plan.mcp)),
        "timestamp": run_model.TimestampField(asked=_asked(plan.timestamp), used=[], in_the_future=[]),
        "sequence": run_model.SequenceField(asked=_asked(plan.sequence), used=[], candidates=[]),
    }
    return run_model.Plan(**{**_figures(run_model.Plan, plan), **differing})


def _bad_clients(bad: BadClients) -> run_model.PlannedBadClients:
    return run_model.PlannedBadClients(
        at_s=bad.at_s,
        shares={kind.value: str(share) for kind, share in bad.shares},
        slow_bytes_per_s=bad.slow_bytes_per_s,
    )


def _figures(model: type[Part], *sources: Any) -> dict[str, Any]:
    """Return the fields of these dataclasses that the model has as figures, by name."""
    values = {each.name: getattr(source, each.name) for source in sources for each in fields(source)}
    return {name: value for name, value in values.items() if name in model.model_fields}


def _asked(choice: FieldChoice) -> str:
    return choice.value if isinstance(choice, Choice) else str(choice)

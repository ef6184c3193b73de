"""The run as a document: versioned JSON, schema 1. Everything that is shown or compared is rendered from it.

A number that could not be measured is null, never zero. Names never change their meaning within a schema number.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sseclient_cli import __version__
from sseclient_cli.load.audit_totals import judge
from sseclient_cli.load.clocks import usual_difference_s
from sseclient_cli.load.health import saturation_reasons
from sseclient_cli.load.histogram import percentile_us
from sseclient_cli.load.metrics import Interval, Totals
from sseclient_cli.load.plan import Choice, FieldChoice, Plan
from sseclient_cli.load.recorder import Latency
from sseclient_cli.report.figures import durations, latency, receive_queue, sizes
from sseclient_cli.report.findings import Document, findings
from sseclient_cli.target import Hop, Target

if TYPE_CHECKING:
    from sseclient_cli.client.preflight import Preflight

SCHEMA = 1

MAX_UNSTAMPED_SHARE = 0.01
"""Reads without a kernel stamp (a socket's first can lack it) up to which latencies still count as kernel-stamped."""

_SEEN_BY_THE_LOOP = (Latency.CONNECT, Latency.TLS)
"""A connection is complete when our loop hears of it: nothing stamps that in the kernel."""


def build_document(
    hops: tuple[Hop, ...], plan: Plan, totals: Totals, started_at_s: float, preflight: Preflight | None = None
) -> Document:
    """Make the document of a run that began at ``started_at_s`` (seconds since 1970), and went this way."""
    audit, candidates = judge(totals.audits)
    document: Document = {
        "schema": SCHEMA,
        "tool": {"name": "sseclient-cli", "version": __version__},
        "run": _run(hops, plan, totals, started_at_s, preflight),
        "streams": _streams(totals),
        "events": _events(plan, totals),
        "latency": _latencies(totals),
        "silence": {"at_end": durations(totals.silence), "before_cut": durations(totals.cut_silence)},
        "bytes_without_event": {"streams": totals.bytes_without_event, "example": totals.complaint}
        if totals.bytes_without_event
        else None,
        "bursts": _bursts(totals),
        "audit": None if audit is None else asdict(audit),
        "reach": _reach(totals),
        "clocks": _clocks(totals),
        "errors": [
            {"kind": kind, "count": error.count, "example": error.example}
            for kind, error in sorted(totals.errors.items(), key=lambda item: -item[1].count)
        ],
        "generator": _generator(totals),
        "timeline": _timeline(totals, plan.interval_s),
        "assertions": [],
    }
    timestamp, sequence = document["run"]["plan"]["timestamp"], document["run"]["plan"]["sequence"]
    timestamp["used"] = sorted(totals.timestamp_fields)
    timestamp["in_the_future"] = sorted(totals.future_fields)
    sequence["used"] = [] if audit is None else audit.source.split(", ")
    sequence["candidates"] = [asdict(candidate) for candidate in candidates]
    document["findings"] = [asdict(finding) for finding in findings(document)]
    return document


def to_json(document: Document) -> str:
    """Return the document as text, with a line end."""
    return json.dumps(document, indent=2) + "\n"


def schema() -> Mapping[str, Any]:
    """Return the JSON Schema (2020-12) that every document of this version is valid under."""
    text = files("sseclient_cli.report").joinpath("schema.json").read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def _run(
    hops: tuple[Hop, ...], plan: Plan, totals: Totals, started_at_s: float, preflight: Preflight | None
) -> Document:
    return {
        "target": _target(hops[0].target, _redirected_to(hops, totals)),
        "preflight": None
        if preflight is None
        else {"requests": len(preflight.hops), "status": preflight.status, "closed": True},
        "addresses": [{**place._asdict(), "connections": count} for place, count in totals.connections.items()],
        "redirections": [{"url": url, "streams": count} for url, count in totals.redirections.most_common()],
        "started_at": datetime.fromtimestamp(started_at_s, UTC).isoformat(timespec="milliseconds"),
        "duration_s": round(totals.duration_ns / 1e9, 3),
        "interrupted": totals.interrupted,
        "incomplete": totals.workers_lost > 0,
        "plan": _plan(plan),
        "workers": len(totals.cpu_percent),
        "workers_lost": totals.workers_lost,
        "host": {
            "system": platform.system(),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
        },
    }


def _redirected_to(hops: tuple[Hop, ...], totals: Totals) -> str | None:
    """Return where redirects led most streams; where they led the preflight if no stream opened."""
    if totals.redirections:
        return totals.redirections.most_common(1)[0][0]
    return hops[-1].target.redacted_url if len(hops) > 1 and not totals.opened else None


def _target(target: Target, redirected_to: str | None) -> Document:
    return {
        "url": target.redacted_url,
        "redirected_to": redirected_to,
        "method": target.method,
        "headers": [list(pair) for pair in target.redacted_headers],
        "body_bytes": None if target.body is None else len(target.body),
        "proxy": None if target.proxy is None else target.proxy.url,
        "connect_to": None if target.connect_to is None else list(target.connect_to),
        "unix_socket": target.unix_socket,
        "source_addresses": list(target.source_addresses),
        "all_addresses": target.all_addresses,
        "connect_timeout_s": target.connect_timeout_s,
        "head_timeout_s": target.head_timeout_s,
        "certificates_checked": target.tls.verify,
    }


def _plan(plan: Plan) -> Document:
    return {
        "connections": plan.connections,
        "duration_s": plan.duration_s,
        "ramp_up_s": round(plan.ramp_up_s, 3),
        "warmup_s": plan.warmup_s,
        "lifetime_s": plan.lifetime_s,
        "refill": plan.refill,
        "events": plan.events,
        "on_end": plan.on_end.value,
        "retry_statuses": sorted(plan.retry_statuses),
        "storm_s": plan.storm_s,
        "max_event_bytes": plan.max_event_bytes,
        "idle_timeout_s": plan.idle_timeout_s,
        "timestamp": {"asked": _asked(plan.timestamp)},
        "sequence": {"asked": _asked(plan.sequence)},
    }


def _asked(choice: FieldChoice) -> str:
    return choice.value if isinstance(choice, Choice) else str(choice)


def _stamp(totals: Totals) -> str:
    unstamped = totals.reads - totals.stamped_reads
    return "kernel" if totals.stamped_reads and unstamped <= MAX_UNSTAMPED_SHARE * totals.reads else "user"


def _streams(totals: Totals) -> Document:
    return {
        "planned": totals.planned,
        "lost": totals.lost,
        "opened": totals.opened,
        "failed": totals.failed,
        "unfinished": totals.planned - totals.opened - totals.failed - totals.lost,
        "unanswered": totals.unanswered,
        "without_event": totals.without_event,
        "silent": totals.silence.count,
        "ended_by_server": totals.ended_by_server,
        "completed": totals.completed,
        "reconnected": totals.reconnected,
        "broken": totals.broken,
        "open_at_end": totals.open_now,
        "peak_open": totals.peak_open,
    }


def _events(plan: Plan, totals: Totals) -> Document:
    duration_s = totals.duration_ns / 1e9
    return {
        "received": totals.events,
        "comments": totals.comments,
        "bytes": totals.bytes,
        "per_s": round(totals.events / duration_s, 1) if duration_s else None,
        "coalesced": totals.coalesced,
        "per_stream": sizes(totals.stream_events),
        "by_type": dict(totals.types.most_common()),
        "error_events": totals.error_events if plan.counts_error_events else None,
    }


def _latencies(totals: Totals) -> Document:
    stamp = _stamp(totals)
    latencies: Document = {
        kind.value: latency(totals.latencies[kind], "user" if kind in _SEEN_BY_THE_LOOP else stamp) for kind in Latency
    }
    return {**latencies, "open_gap": latency(totals.open_gap, "user")}


def _bursts(totals: Totals) -> Document:
    return {
        "events": sizes(totals.bursts),
        "events_in_bursts": totals.bursts.sum_us,
        "events_alone": totals.events - totals.together_events,
        "gaps_inside": totals.inner_gaps,
        "held_back": durations(totals.held_back),
        "heads_with_events": totals.heads_with_events,
        "content_encodings": dict(totals.encodings.most_common()),
    }


def _clocks(totals: Totals) -> Document:
    return {
        "steps": [{"t_s": at_s, "step_ms": step_ns / 1e6} for at_s, step_ns in sorted(totals.clock_steps.items())],
        "server_ahead_s": usual_difference_s(totals.date_differences) if totals.date_differences else None,
    }


def _generator(totals: Totals) -> Document:
    reasons, stamp = saturation_reasons(totals), _stamp(totals)
    return {
        "saturated": bool(reasons),
        "reasons": reasons,
        "cpu_percent": [None if percent is None else round(percent, 1) for percent in totals.cpu_percent],
        "read_delay": latency(totals.read_delay, stamp),
        "start_delay": latency(totals.start_delay, "user"),
        "loop_lag": latency(totals.loop_lag, "user"),
        "receive_queue": receive_queue(totals.receive_queue),
    }


def _reach(totals: Totals) -> Document | None:
    reach = totals.reach.result()
    return None if reach is None else {**asdict(reach), "share": round(reach.share, 4)}


def _timeline(totals: Totals, interval_s: int) -> list[Document]:
    """Return a row for each interval, also for those in which nothing came."""
    rows: list[Document] = []
    open_now = 0
    for number in range(max(totals.timeline, default=-1) + 1):
        interval = totals.timeline.get(number) or Interval()
        open_now += interval.open_change
        delivery = interval.delivery
        rows.append(
            {
                "t_s": number * interval_s,
                "open": open_now,
                "events": interval.events,
                "bytes": interval.bytes,
                "errors": interval.errors,
                "delivery_p50_ms": percentile_us(delivery, 50) / 1000 if delivery else None,
                "delivery_p99_ms": percentile_us(delivery, 99) / 1000 if delivery else None,
            }
        )
    return rows

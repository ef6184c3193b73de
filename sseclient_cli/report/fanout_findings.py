"""Findings on a run with a publisher: deliveries that are missing, and a publisher that failed or was late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sseclient_cli.report.fanout_model import Fanout
from sseclient_cli.report.model import Finding, Report, Severity, finding

SPLIT_TOLERANCE = 0.25
"""A reach is that of k separate processes if it differs from 1/k by at most this share of 1/k: connections are not
distributed evenly."""

LATE_SHARE = 0.05
"""Late publications are a finding above this share of all."""

MAX_NAMED = 10
"""Streams that a finding names."""


def fanout_findings(report: Report) -> Iterator[Finding]:
    """Yield the findings."""
    fanout = report.fanout
    if fanout is None:
        return
    yield from _deliveries(fanout, requests_differ=report.run.target.requests_differ)
    for code, severity, events in (
        ("fanout-duplicated", Severity.WARNING, fanout.duplicated),
        ("fanout-out-of-order", Severity.WARNING, fanout.out_of_order),
    ):
        if events:
            yield finding(code, severity, {"events": events})
    yield from _publisher(fanout)


def _deliveries(fanout: Fanout, *, requests_differ: bool) -> Iterator[Finding]:
    if not fanout.missed:
        return
    figures: dict[str, Any] = {
        "missed": fanout.missed,
        "expected": fanout.expected,
        "reach": round(fanout.reach or 0, 4),
        "events": fanout.events,
        "streams": fanout.streams,
        "incomplete": fanout.streams - fanout.complete_streams,
        "without": fanout.streams_without,
    }
    processes = 0 if requests_differ else _separate_processes(fanout)
    if not fanout.received:
        yield finding("fanout-nothing", Severity.FAULT, figures)
    elif processes:
        figures |= {"processes": processes, "all_or_nothing": _is_all_or_nothing(fanout)}
        yield finding("fanout-split", Severity.FAULT, figures)
    else:
        named = [each.stream for each in fanout.incomplete_streams[:MAX_NAMED]]
        yield finding("fanout-missed", Severity.FAULT, figures | {"named": named, "requests_differ": requests_differ})


def _separate_processes(fanout: Fanout) -> int:
    """Return in how many processes the server seems to fan out on its own; 0 if the figures do not show it.

    Either each event reached one of k groups of streams. Or, with other losses too, each stream received about 1/k of
    all events. If all events reached one process, its streams received all of them, and the others nothing.
    """
    reach, least, most = fanout.reach, fanout.least_stream_reach, fanout.most_stream_reach
    if not reach or least is None or most is None:
        return 0
    count = round(1 / reach)
    if _is_all_or_nothing(fanout):
        return count if count > 1 else 0  # with a high reach, some streams are broken
    if fanout.separate_groups:
        return fanout.separate_groups
    if count < 2 or abs(reach * count - 1) > SPLIT_TOLERANCE:
        return 0
    return count if most - least <= reach else 0


def _is_all_or_nothing(fanout: Fanout) -> bool:
    return fanout.streams_without > 0 and fanout.complete_streams + fanout.streams_without == fanout.streams


def _publisher(fanout: Fanout) -> Iterator[Finding]:
    publisher = fanout.publisher
    if publisher.failed:
        first = publisher.errors[0] if publisher.errors else None
        figures: dict[str, Any] = {
            "failed": publisher.failed,
            "attempts": publisher.failed + publisher.published,
            "example": "" if first is None else first.example,
            "is_command": publisher.command is not None,
            "kind": "" if first is None else first.kind,
        }
        if publisher.published:
            yield finding("publish-failed", Severity.WARNING, figures)
        else:
            yield finding("nothing-published", Severity.FAULT, figures)
    if publisher.published and publisher.late > LATE_SHARE * publisher.planned:
        request = publisher.request
        figures = {
            "late": publisher.late,
            "planned": publisher.planned,
            "rate_per_s": publisher.rate_per_s,
            "request_p50_ms": None if request is None else request.p50_ms,
            "latest_ms": None if publisher.lateness is None else publisher.lateness.max_ms,
        }
        yield finding("publish-late", Severity.WARNING, figures)

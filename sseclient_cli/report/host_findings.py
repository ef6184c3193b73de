"""Findings on the machines of a cluster: clocks that differ, and how well a correction is known. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sseclient_cli.report.model import Finding, Report, Severity, finding

LEAST_OFFSET_MS = 0.1
"""An offset matters from this size on: the scheduler of a machine adds as much ..."""

LEAST_SHARE = 0.05
"""... and from this share of the median delivery, which is the least change that a comparison of reports names."""

MAX_NAMED = 10
"""Hosts in the figures of a finding, those with the largest offsets; the report has all."""


def host_findings(report: Report) -> Iterator[Finding]:
    """Yield the findings on the clocks of the hosts."""
    yield from _clocks_differ(report)
    yield from _bounds(report)


def _clocks_differ(report: Report) -> Iterator[Finding]:
    delivery = report.latency.delivery
    if delivery is None and not report.run.plan.timestamp.in_the_future:
        return
    least_ms = LEAST_OFFSET_MS
    if delivery is not None:
        least_ms = max(least_ms, LEAST_SHARE * abs(delivery.p50_ms or 0))
    found = [
        {"host": host.name, "offset_ms": host.clock_offset_ms, "bound_ms": host.clock_bound_ms}
        for host in report.run.hosts
        if host.clock_offset_ms is not None
        and host.clock_bound_ms is not None
        and not host.clock_corrected
        and abs(host.clock_offset_ms) > max(host.clock_bound_ms, least_ms)
    ]
    if found:
        found.sort(key=lambda each: -abs(float(each["offset_ms"] or 0)))
        figures = {"hosts": len(found), "largest": found[:MAX_NAMED], "has_delivery": delivery is not None}
        yield finding("host-clocks-differ", Severity.WARNING, figures)


def _bounds(report: Report) -> Iterator[Finding]:
    """Say how exact the figures are that compare the clocks of several machines."""
    bounds = [(host.clock_bound_ms, host.name) for host in report.run.hosts if host.clock_bound_ms is not None]
    if not bounds:
        return
    is_corrected = any(host.clock_corrected for host in report.run.hosts)
    figures = {
        "delivery": is_corrected and report.latency.delivery is not None,
        "fanout": report.fanout is not None and report.fanout.delay is not None,
    }
    if any(figures.values()):
        bound_ms, host = max(bounds)
        yield finding("host-clock-bound", Severity.INFO, {**figures, "bound_ms": bound_ms, "host": host})

"""Findings on outages: streams that did not come back, answers that a browser gives up after, attempts at one time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sseclient_cli.report.model import Finding, Report, Severity, finding
from sseclient_cli.report.recovery_model import Outage

LEAST_HERD = 100
"""Fewer streams that reconnect within a second are no load."""

HERD_SHARE = 0.8
"""Streams with random reconnection times spread over more than a second have a smaller share in one second."""


def recovery_findings(report: Report) -> Iterator[Finding]:
    """Yield the findings."""
    for outage in report.recovery.described if report.recovery is not None else ():
        yield from _not_back(outage)
        yield from _given_up_by_browsers(outage)
        yield from _herd(outage)


def _not_back(outage: Outage) -> Iterator[Finding]:
    figures: dict[str, Any] = {
        "start_s": outage.start_s,
        "streams": outage.streams,
        "gave_up": outage.gave_up,
        "waiting": outage.waiting,
        "statuses": [each.status for each in outage.refusals if not each.retried],
    }
    if outage.gave_up:
        yield finding("streams-gave-up", Severity.FAULT, figures)
    elif outage.waiting:
        yield finding("streams-not-back", Severity.WARNING, figures)


def _given_up_by_browsers(outage: Outage) -> Iterator[Finding]:
    for refusal in outage.refusals:
        if refusal.retried:
            figures = {**refusal.model_dump(include={"status", "streams"}), "start_s": outage.start_s}
            yield finding("browsers-give-up", Severity.WARNING, figures)


def _herd(outage: Outage) -> Iterator[Finding]:
    if outage.is_storm or outage.streams < LEAST_HERD or outage.attempts_per_s_max < HERD_SHARE * outage.streams:
        return
    times = outage.reconnection_times
    figures = {
        "start_s": outage.start_s,
        "streams": outage.streams,
        "attempts": outage.attempts_per_s_max,
        "retry_ms": times[0].ms if len(times) == 1 else None,
        "from_server": any(each.from_server for each in times),
    }
    yield finding("thundering-herd", Severity.WARNING, figures)

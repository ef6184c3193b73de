"""Runs at one load each, one after another, judged by assertions: the steps of a limit search and of a sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sseclient_cli.cli.options.load import LoadOptions
from sseclient_cli.cli.outcome import failed_streams
from sseclient_cli.report.assertion_model import Outcome
from sseclient_cli.report.model import Report
from sseclient_cli.report.quantities import format_value
from sseclient_cli.report.step_model import StepStatus, Varied

PAUSE_S = 0.5
"""Time between two steps, in which the server closes the streams of the first one."""

Measure = Callable[[LoadOptions], Report]
"""Runs a step with these options. Raises LimitError if this machine cannot open the streams."""


class StepRuns:
    """Runs the steps."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._has_run = False

    def report_with(self, options: LoadOptions) -> Report | None:
        """Return the report of a step; None if a signal interrupted its run, or the pause before it."""
        try:
            if self._has_run:
                time.sleep(PAUSE_S)
            self._has_run = True
            report = self._measure(options)
        except KeyboardInterrupt:
            return None
        return None if report.run.interrupted else report


def varied_by(options: LoadOptions) -> Varied:
    """Return what steps with these options vary."""
    return Varied.CONNECTIONS if options.rate_per_s is None else Varied.RATE


def judged_step(load: float, report: Report, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures that each kind of step has, from the report of its run and its assertions."""
    failed, words = _failed(report)
    unmet = [f"{each.expression}: {each.reason or _observed(each)}" for each in outcomes if not each.passed]
    status, reason = StepStatus.PASSED, ""
    if report.generator.saturated:
        status, reason = StepStatus.SATURATED, report.generator.reasons[0]
    elif failed or report.run.incomplete:
        status, reason = StepStatus.FAILED, words
    elif unmet:
        status, reason = StepStatus.FAILED, "; ".join(unmet)
    known = [percent for percent in report.generator.cpu_percent if percent is not None]
    return {
        "load": load,
        "status": status,
        "reason": reason,
        "assertions": list(outcomes),
        "opened": report.streams.opened,
        "failed": failed,
        "cpu_percent": max(known, default=None),
    }


def _failed(report: Report) -> tuple[int, str]:
    """Return how many requests failed, or streams if they are not requests, and that in words."""
    requests = report.requests
    if requests is not None:
        return requests.failed, f"{requests.failed:,} of {requests.succeeded + requests.failed:,} requests failed"
    failed = failed_streams(report)
    return failed, f"{failed:,} of {report.streams.planned:,} streams failed"


def _observed(made: Outcome) -> str:
    return "" if made.observed is None else format_value(made.observed, made.unit)

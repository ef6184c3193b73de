"""The steps of a limit search: runs at one load each, judged by the assertions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sseclient_cli.cli.options.load import LoadOptions
from sseclient_cli.cli.outcome import failed_streams
from sseclient_cli.errors import LimitError
from sseclient_cli.report.assertion_model import AssertionStatus, Outcome
from sseclient_cli.report.assertions import Assertion, judged
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.limit_model import LimitSearch, Step, StepStatus, StoppedBy, Varied
from sseclient_cli.report.limit_search import bracket, knee, next_load
from sseclient_cli.report.model import Report
from sseclient_cli.report.quantities import format_value

PAUSE_S = 0.5
"""Time between two steps, in which the server closes the streams of the first one."""

Measure = Callable[[LoadOptions], Report]
"""Runs a step with these options. Raises LimitError if this machine cannot open the streams."""


class Search:
    """A search that is under way."""

    def __init__(self, load: LoadOptions, assertions: Sequence[Assertion], start: float) -> None:
        self._load = load
        self._assertions = assertions
        self._start = start
        self._steps: list[Step] = []
        self._started_at = datetime.now(UTC)
        self._last: Report | None = None
        self._stopped_by: StoppedBy | None = None
        self._reason = ""
        self._latency_name = ""
        """That of the first step; a step under overload may lack timestamps."""
        self.varied = Varied.CONNECTIONS if load.rate_per_s is None else Varied.RATE

    def run(self, measure: Measure, on_step: Callable[[Step, Varied], None]) -> LimitSearch | None:
        """Run steps until the search is over. Return None if not one step was completed."""
        while self._stopped_by is None:
            load = next_load(self._steps, self._start, self.varied)
            if load is None:
                break
            if self._steps:
                time.sleep(PAUSE_S)
            self._try(load, measure, on_step)
        return self._document(self._last) if self._last is not None and self._steps else None

    def _try(self, load: float, measure: Measure, on_step: Callable[[Step, Varied], None]) -> None:
        try:
            report = measure(self._options(load))
        except LimitError as exc:
            if not self._steps:
                raise
            self._stopped_by, self._reason = StoppedBy.RESOURCE_LIMIT, str(exc)
            return
        self._last = report
        if report.run.interrupted:
            self._stopped_by = StoppedBy.INTERRUPT
            return
        self._latency_name = self._latency_name or _name_of_latency(report)
        step = step_of(load, report, self._assertions, self._latency_name)
        self._steps.append(step)
        on_step(step, self.varied)
        if len(self._steps) == 1 and any(each.status is AssertionStatus.NOT_MEASURED for each in step.assertions):
            self._stopped_by = StoppedBy.ASSERTION  # a smaller load would measure no more

    def _options(self, load: float) -> LoadOptions:
        if self._load.rate_per_s is None:
            return replace(self._load, connections=int(load))
        return replace(self._load, rate_per_s=load)

    def _document(self, last: Report) -> LimitSearch:
        found = bracket(self._steps)
        return LimitSearch(
            tool=last.tool,
            url=last.run.target.url,
            started_at=self._started_at,
            step_s=last.run.plan.duration_s,
            varied=self.varied,
            expressions=[assertion.expression for assertion in self._assertions],
            latency=self._latency_name,
            steps=self._steps,
            limit=found.passed,
            first_failing=found.failed,
            knee=knee(self._steps),
            stopped_by=self._stopped_by or self._cause(found.failed),
            reason=self._reason or self._reason_at(found.failed),
        )

    def _cause(self, failed: float | None) -> StoppedBy:
        at = [step.status for step in self._steps if step.load == failed]
        return StoppedBy.SATURATION if StepStatus.SATURATED in at else StoppedBy.ASSERTION

    def _reason_at(self, failed: float | None) -> str:
        at = [step for step in self._steps if step.load == failed] or self._steps[:1]
        return next((step.reason for step in at if step.reason), "")


def step_of(load: float, report: Report, assertions: Sequence[Assertion], latency_name: str) -> Step:
    """Return the step in the report of its run, with the percentiles of this latency."""
    made = judged(report, assertions, allow_saturated=True)
    failed = failed_streams(report)
    unmet = [f"{each.expression}: {each.reason or _observed(each)}" for each in made if not each.passed]
    status, reason = StepStatus.PASSED, ""
    if report.generator.saturated:
        status, reason = StepStatus.SATURATED, report.generator.reasons[0]
    elif failed or report.run.incomplete:
        status, reason = StepStatus.FAILED, f"{failed:,} of {report.streams.planned:,} streams failed"
    elif unmet:
        status, reason = StepStatus.FAILED, "; ".join(unmet)
    latency: Latency | None = getattr(report.latency, latency_name)
    known = [percent for percent in report.generator.cpu_percent if percent is not None]
    return Step(
        load=load,
        status=status,
        reason=reason,
        assertions=made,
        opened=report.streams.opened,
        failed=failed,
        events_per_s=report.events.per_s,
        p50_ms=None if latency is None else latency.p50_ms,
        p99_ms=None if latency is None else latency.p99_ms,
        cpu_percent=max(known, default=None),
    )


def _observed(made: Outcome) -> str:
    return "" if made.observed is None else format_value(made.observed, made.unit)


def _name_of_latency(report: Report) -> str:
    """Return the latency of the curve: delivery, or gap without timestamps."""
    return "gap" if report.latency.delivery is None else "delivery"

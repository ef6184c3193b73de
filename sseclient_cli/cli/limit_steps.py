"""The steps of a limit search: runs at one load each, judged by the assertions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sseclient_cli.cli.options.load import LoadOptions
from sseclient_cli.cli.steps import Measure, StepRuns, judged_step, varied_by
from sseclient_cli.errors import LimitError
from sseclient_cli.report.assertion_model import AssertionStatus
from sseclient_cli.report.assertions import Assertion, judged
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.knee import knee
from sseclient_cli.report.limit_model import LimitSearch, LimitStep, StoppedBy
from sseclient_cli.report.limit_search import bracket, next_load
from sseclient_cli.report.model import Report
from sseclient_cli.report.step_model import StepStatus, Varied


class Search:
    """A search that is under way."""

    def __init__(self, load: LoadOptions, assertions: Sequence[Assertion], start: float) -> None:
        self._load = load
        self._assertions = assertions
        self._start = start
        self._steps: list[LimitStep] = []
        self._started_at = datetime.now(UTC)
        self._last: Report | None = None
        self._stopped_by: StoppedBy | None = None
        self._reason = ""
        self._latency_name = ""
        """That of the first step; a step under overload may lack timestamps."""
        self.varied = varied_by(load)

    def run(self, measure: Measure, on_step: Callable[[LimitStep, Varied], None]) -> LimitSearch | None:
        """Run steps until the search is over. Return None if not one step was completed."""
        runs = StepRuns(measure)
        while self._stopped_by is None:
            load = next_load(self._steps, self._start, self.varied)
            if load is None:
                break
            self._try(load, runs, on_step)
        return None if self._last is None else self._document(self._last)

    def _try(self, load: float, runs: StepRuns, on_step: Callable[[LimitStep, Varied], None]) -> None:
        try:
            report = runs.report_with(self._options(load))
        except LimitError as exc:
            if not self._steps:
                raise
            self._stopped_by, self._reason = StoppedBy.RESOURCE_LIMIT, str(exc)
            return
        if report is None:
            self._stopped_by = StoppedBy.INTERRUPT
            return
        self._last = report
        self._latency_name = self._latency_name or _name_of_latency(report)
        step = step_of(load, report, self._assertions, self._latency_name)
        self._steps.append(step)
        on_step(step, self.varied)
        if len(self._steps) == 1 and any(each.status is AssertionStatus.NOT_MEASURED for each in step.assertions):
            self._stopped_by = StoppedBy.ASSERTION  # a smaller load would measure no more

    def _options(self, load: float) -> LoadOptions:
        if self.varied is Varied.CONNECTIONS:
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
            knee=knee((step.load, step.p99_ms) for step in self._steps),
            stopped_by=self._stopped_by or self._cause(found.failed),
            reason=self._reason or self._reason_at(found.failed),
        )

    def _cause(self, failed: float | None) -> StoppedBy:
        at = [step.status for step in self._steps if step.load == failed]
        return StoppedBy.SATURATION if StepStatus.SATURATED in at else StoppedBy.ASSERTION

    def _reason_at(self, failed: float | None) -> str:
        at = [step for step in self._steps if step.load == failed] or self._steps[:1]
        return next((step.reason for step in at if step.reason), "")


def step_of(load: float, report: Report, assertions: Sequence[Assertion], latency_name: str) -> LimitStep:
    """Return the step in the report of its run, with the percentiles of this latency."""
    outcomes = judged(report, assertions, allow_saturated=True)  # a saturated step does not pass anyway
    latency = _latency_named(report, latency_name)
    return LimitStep(
        **judged_step(load, report, outcomes),
        events_per_s=report.events.per_s,
        p50_ms=None if latency is None else latency.p50_ms,
        p99_ms=None if latency is None else latency.p99_ms,
    )


def _name_of_latency(report: Report) -> str:
    """Return the latency of the curve: first_token of an LLM, duration of other requests, else delivery or gap."""
    if report.requests is not None:
        return "duration" if report.llm is None else "first_token"
    return "gap" if report.latency.delivery is None else "delivery"


def _latency_named(report: Report, name: str) -> Latency | None:
    found = (getattr(part, name, None) for part in (report.latency, report.llm, report.requests))
    latency: Latency | None = next((each for each in found if each is not None), None)
    return latency

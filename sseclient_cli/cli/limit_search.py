"""``sse bench --find-limit``: runs with a growing load, until an assertion fails or the load generator is saturated."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sseclient_cli.cli.options.load import LoadOptions
from sseclient_cli.cli.outcome import failed_streams
from sseclient_cli.errors import EXIT_INTERRUPTED, EXIT_UNMET, LimitError
from sseclient_cli.report.limit_search import bracket, knee, next_load

if TYPE_CHECKING:
    from sseclient_cli.report.assertions import Assertion
    from sseclient_cli.report.limit_model import LimitSearch, Step, StoppedBy, Varied
    from sseclient_cli.report.model import Report

PAUSE_S = 0.5
"""Time between two steps, in which the server closes the streams of the first one."""

Measure = Callable[[LoadOptions], "Report"]
"""Runs the bench with these options. Raises LimitError if this machine cannot open the streams."""


class Search:
    """A search that is under way."""

    def __init__(self, load: LoadOptions, assertions: Sequence[Assertion], start: float) -> None:
        from sseclient_cli.report.limit_model import StoppedBy, Varied

        self._load = load
        self._assertions = assertions
        self._start = start
        self._steps: list[Step] = []
        self._started_at = datetime.now(UTC)
        self._last: Report | None = None
        self._stopped_by: StoppedBy | None = None
        self._reason = ""
        self.varied = Varied.CONNECTIONS if load.rate_per_s is None else Varied.RATE
        self._kinds = StoppedBy

    def run(self, measure: Measure, on_step: Callable[[Step, Varied], None]) -> LimitSearch | None:
        """Run steps until the search is over. Return None if not one step was completed."""
        while self._stopped_by is None:
            load = next_load(self._steps, self._start, self.varied)
            if load is None:
                break
            if self._steps:
                time.sleep(PAUSE_S)
            self._try(load, measure, on_step)
        return self._document() if self._last is not None else None

    def _try(self, load: float, measure: Measure, on_step: Callable[[Step, Varied], None]) -> None:
        try:
            report = measure(self._options(load))
        except LimitError as exc:
            if not self._steps:
                raise
            self._stopped_by, self._reason = self._kinds.RESOURCE_LIMIT, str(exc)
            return
        self._last = report
        if report.run.interrupted:
            self._stopped_by = self._kinds.INTERRUPT
            return
        step = step_of(load, report, self._assertions)
        self._steps.append(step)
        on_step(step, self.varied)

    def _options(self, load: float) -> LoadOptions:
        if self._load.rate_per_s is None:
            return replace(self._load, connections=int(load))
        return replace(self._load, rate_per_s=load)

    def _document(self) -> LimitSearch:
        from sseclient_cli.report.limit_model import LimitSearch

        assert self._last is not None  # noqa: S101
        found = bracket(self._steps)
        return LimitSearch(
            tool=self._last.tool,
            url=self._last.run.target.url,
            started_at=self._started_at,
            step_s=self._last.run.plan.duration_s,
            varied=self.varied,
            expressions=[assertion.expression for assertion in self._assertions],
            latency=_latency_of(self._last)[0],
            steps=self._steps,
            limit=found.passed,
            first_failing=found.failed,
            knee=knee(self._steps),
            stopped_by=self._stopped_by or self._cause(found.failed),
            reason=self._reason or self._reason_at(found.failed),
        )

    def _cause(self, failed: float | None) -> StoppedBy:
        from sseclient_cli.report.limit_model import StepStatus

        at = [step.status for step in self._steps if step.load == failed]
        return self._kinds.SATURATION if StepStatus.SATURATED in at else self._kinds.ASSERTION

    def _reason_at(self, failed: float | None) -> str:
        return next((step.reason for step in self._steps if step.load == failed and step.reason), "")


def exit_code_of(search: LimitSearch) -> int:
    """Return the exit code of a search: 1 if no load passed."""
    from sseclient_cli.report.limit_model import StoppedBy

    if search.stopped_by is StoppedBy.INTERRUPT:
        return EXIT_INTERRUPTED
    return EXIT_UNMET if search.limit is None else 0


def step_of(load: float, report: Report, assertions: Sequence[Assertion]) -> Step:
    """Return the step in the report of its run."""
    from sseclient_cli.report.assertions import judged
    from sseclient_cli.report.limit_model import Step, StepStatus

    made = judged(report, assertions, allow_saturated=True)
    failed = failed_streams(report)
    unmet = [f"{each.expression}: {each.reason}" if each.reason else each.expression for each in made if not each.passed]
    status, reason = StepStatus.PASSED, ""
    if report.generator.saturated:
        status, reason = StepStatus.SATURATED, report.generator.reasons[0]
    elif failed or report.run.incomplete:
        status, reason = StepStatus.FAILED, f"{failed:,} of {report.streams.planned:,} streams failed"
    elif unmet:
        status, reason = StepStatus.FAILED, "; ".join(unmet)
    latency = _latency_of(report)[1]
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


def _latency_of(report: Report) -> tuple[str, object]:
    """Return the latency of the curve: delivery, or gap without timestamps."""
    latency = report.latency
    return ("gap", latency.gap) if latency.delivery is None else ("delivery", latency.delivery)

"""The steps of a sweep: a run at each load, judged by the assertions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sseclient_cli.cli.asserting import asserted
from sseclient_cli.cli.options.assertions import AssertionOptions
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.outcome import verdict_on, worse_of
from sseclient_cli.cli.steps import Measure, StepRuns, judged_step, varied_by
from sseclient_cli.errors import SseError
from sseclient_cli.exit_codes import EXIT_INTERRUPTED
from sseclient_cli.report.knee import knee
from sseclient_cli.report.model import Report
from sseclient_cli.report.step_model import StepStatus, Varied
from sseclient_cli.report.sweep_columns import OF_STREAMS, columns_of, of_latency, only
from sseclient_cli.report.sweep_model import Sweep, SweepStep


class SweepRun:
    """A sweep that is under way."""

    def __init__(
        self,
        loads: Sequence[LoadOptions],
        measurement: MeasurementOptions,
        assertions: AssertionOptions,
        *,
        quiet: bool,
    ) -> None:
        self._loads = loads
        self._measurement = measurement
        self._assertions = assertions
        self._quiet = quiet
        self._varied = varied_by(loads[0])
        self._columns = OF_STREAMS
        self._started_at = datetime.now(UTC)
        self._steps: list[SweepStep] = []
        self._last: Report | None = None
        self._codes: list[int] = []
        self.error: SseError | None = None
        """The error that ended the sweep after some of its steps."""

    def run(self, measure: Measure, on_step: Callable[[SweepStep, Sweep], None]) -> None:
        """Run the steps. Raises the error of the first one."""
        runs = StepRuns(measure)
        for options in self._loads:
            try:
                report = runs.report_with(options)
            except SseError as exc:
                if not self._steps:
                    raise
                self.error = exc
                return
            if report is None:
                self._codes.append(EXIT_INTERRUPTED)
                return
            step = self._step(self._load_of(options), asserted(report, self._assertions))
            if (document := self.document) is not None:
                on_step(step, document)

    @property
    def exit_code(self) -> int:
        """The exit code that explains those of the steps."""
        return worse_of(self._codes)

    @property
    def document(self) -> Sweep | None:
        """The document of the steps so far; None without a step."""
        last, steps = self._last, self._steps
        if last is None:
            return None
        columns = self._columns.measured(steps)
        latency = self._columns.latency_of(steps)
        plan = last.run.plan
        is_interrupted = EXIT_INTERRUPTED in self._codes
        return Sweep(
            tool=last.tool,
            url=last.run.target.url,
            started_at=self._started_at,
            step_s=plan.duration_s,
            requests=plan.requests,
            varied=self._varied,
            loads=list(map(self._load_of, self._loads)),
            arrivals=plan.arrivals,
            seed=plan.seed,
            expressions=self._assertions.assertions or [],
            columns=columns,
            throughput=self._columns.throughput_of(steps),
            latency=latency,
            steps=only(columns, steps),
            knee=self._knee(latency),
            interrupted=is_interrupted,
            reason=str(self.error) if self.error is not None else "interrupted" if is_interrupted else "",
        )

    def _knee(self, latency: str | None) -> float | None:
        """Return the knee of the steps whose latency is that of the server."""
        trusted = (step for step in self._steps if step.status is not StepStatus.SATURATED)
        return None if latency is None else knee((step.load, step.values[of_latency(latency)[1]]) for step in trusted)

    def _load_of(self, options: LoadOptions) -> float:
        return float((options.connections if self._varied is Varied.CONNECTIONS else options.rate_per_s) or 0)

    def _step(self, load: float, report: Report) -> SweepStep:
        code, why = verdict_on(report, self._measurement, has_summary=not self._quiet)
        if why:
            sys.stderr.write(f"sse: at {load:g}: {why}\n")
        self._codes.append(code)
        if self._last is None:
            self._columns = columns_of(report, self._varied)
        self._last = report
        step = SweepStep(
            **judged_step(load, report, report.assertions),
            duration_s=report.run.duration_s,
            values=self._columns.values(report),
        )
        self._steps.append(step)
        return step

"""The outcome of an assertion."""

from __future__ import annotations

from enum import StrEnum

from sseclient_cli.report.figure import Part, figure


class AssertionStatus(StrEnum):
    """The outcome of an assertion. Only ``passed`` passes."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MEASURED = "not-measured"
    NOT_TRUSTWORTHY = "not-trustworthy"
    """A latency, when the load generator was the bottleneck."""


class Outcome(Part):
    """The outcome of a condition on a figure of the run."""

    expression: str = figure("The condition as given.")
    path: str = figure("The path of the figure.")
    unit: str = figure("The unit of limit and observed; `ratio` for a share of the figure's whole.")
    limit: float = figure("The value that the figure is compared with.")
    observed: float | None = figure("The value of the figure; null if it was not measured.")
    status: AssertionStatus = figure("The outcome: passed, failed, not-measured or not-trustworthy.")
    passed: bool = figure("Whether the condition held.")
    reason: str = figure("Why it was not judged by its value, and what the run does not cover; else empty.")

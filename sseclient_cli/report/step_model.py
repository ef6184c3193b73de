"""A step of a limit search or of a sweep: a run at one load."""

from __future__ import annotations

from enum import StrEnum

from sseclient_cli.report.assertion_model import Outcome
from sseclient_cli.report.figure import Part, figure


class Varied(StrEnum):
    """What differs between the steps."""

    CONNECTIONS = "connections"
    RATE = "rate_per_s"


class StepStatus(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    """An assertion did not hold, or a stream failed."""
    SATURATED = "saturated"
    """The load generator was the bottleneck, so the step says nothing about the server."""


class Step(Part):
    """One run of several."""

    load: float = figure("The streams, or the new streams per second, of the step.", gt=0)
    status: StepStatus = figure("Whether the step passed, failed, or was limited by the load generator.")
    reason: str = figure("Why it did not pass; empty if it passed.")
    assertions: list[Outcome] = figure("The assertions with the values of the step.")
    opened: int = figure("Streams that opened.", ge=0)
    failed: int = figure("Requests that failed, or streams that could not be opened or that an error ended.", ge=0)
    cpu_percent: float | None = figure("The busiest worker, in percent of a core.", unit="%", ge=0)

"""The document of a limit search: the steps, each a run at one load, and the largest load that met the assertions."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from sseclient_cli.report.assertion_model import Outcome
from sseclient_cli.report.figure import Part, figure
from sseclient_cli.report.model import SCHEMA, Tool


class Varied(StrEnum):
    """What the steps raise."""

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
    """One run of the search."""

    load: float = figure("The streams, or the new streams per second, of the step.", gt=0)
    status: StepStatus = figure("Whether the step passed, failed, or was limited by the load generator.")
    reason: str = figure("Why it did not pass; empty if it passed.")
    assertions: list[Outcome] = figure("The assertions with the values of the step.")
    opened: int = figure("Streams that opened.", ge=0)
    failed: int = figure("Streams that could not be opened, or that an error ended.", ge=0)
    events_per_s: float | None = figure("Events per second.", unit="1/s", ge=0)
    p50_ms: float | None = figure("The median of the latency of the search.", unit="ms")
    p99_ms: float | None = figure("Its 99th percentile.", unit="ms")
    cpu_percent: float | None = figure("The busiest worker, in percent of a core.", unit="%", ge=0)


class StoppedBy(StrEnum):
    """Why the search did not go higher."""

    ASSERTION = "assertion"
    SATURATION = "saturation"
    RESOURCE_LIMIT = "resource-limit"
    """This machine has too few files, ports or bytes of memory for the next load."""
    INTERRUPT = "interrupt"


class LimitSearch(Part):
    """The document of a limit search."""

    schema_: Literal[2] = figure("The number of this schema.", alias="schema", default=SCHEMA)
    document: Literal["limit-search"] = figure("The kind of this document.", default="limit-search")
    tool: Tool = figure("The program that wrote the document.")
    url: str = figure("The URL of the target.")
    started_at: AwareDatetime = figure("When the first step began.")
    step_s: float = figure("The planned duration of a step.", unit="s", gt=0)
    varied: Varied = figure("What the steps raise: connections or rate_per_s.")
    expressions: list[str] = figure("The assertions as given.")
    latency: str = figure("The latency of p50_ms and p99_ms of the steps: delivery, or gap without timestamps.")
    steps: list[Step] = figure("The steps in the order in which they ran.")
    limit: float | None = figure("The largest load that passed; null if none did.")
    first_failing: float | None = figure("The smallest load above it that did not pass; null if there was none.")
    knee: float | None = figure(
        "The load from which p99 rises faster than the load (Kneedle); null with fewer than 4 loads."
    )
    stopped_by: StoppedBy = figure("Why the search did not go higher.")
    reason: str = figure("The reason in words.")

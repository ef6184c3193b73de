"""The document of a limit search: the steps, each a run at one load, and the largest load that met the assertions."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from sseclient_cli.report.figure import Part, figure
from sseclient_cli.report.model import SCHEMA, Tool
from sseclient_cli.report.step_model import Step, Varied


class LimitStep(Step):
    """One run of the search."""

    events_per_s: float | None = figure("Events per second.", unit="1/s", ge=0)
    p50_ms: float | None = figure("The median of the latency of the search.", unit="ms")
    p99_ms: float | None = figure("Its 99th percentile.", unit="ms")


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
    latency: str = figure(
        "The latency of p50_ms and p99_ms of the steps: delivery, or gap without timestamps; of requests, duration, or "
        "first_token of an LLM."
    )
    steps: list[LimitStep] = figure("The steps in the order in which they ran.")
    limit: float | None = figure("The largest load that passed; null if none did.")
    first_failing: float | None = figure("The smallest load above it that did not pass; null if there was none.")
    knee: float | None = figure(
        "The load from which p99 rises faster than the load (Kneedle); null with fewer than 4 loads."
    )
    stopped_by: StoppedBy = figure("Why the search did not go higher.")
    reason: str = figure("The reason in words.")

"""The document of a sweep: a run at each of several loads, and the curve of throughput and latency."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from sseclient_cli.report.figure import Part, figure
from sseclient_cli.report.model import SCHEMA, Tool
from sseclient_cli.report.step_model import Step, Varied


class Column(Part):
    """A figure that each step has, from the report of its run."""

    path: str = figure("Its path in the report of a run: `latency.delivery.p99_ms`.")
    name: str = figure("Its name in an assertion: `delivery.p99`.")
    unit: str = figure("Its unit; empty for a count.")
    doc: str = figure("Its meaning.")


class SweepStep(Step):
    """The run at one load."""

    duration_s: float = figure("How long the run took.", unit="s", ge=0)
    values: dict[str, float | None] = figure("The figures of the columns by path; null if one was not measured.")


class Sweep(Part):
    """The document of a sweep."""

    schema_: Literal[2] = figure("The number of this schema.", alias="schema", default=SCHEMA)
    document: Literal["sweep"] = figure("The kind of this document.", default="sweep")
    tool: Tool = figure("The program that wrote the document.")
    url: str = figure("The URL of the target.")
    started_at: AwareDatetime = figure("When the first step began.")
    step_s: float = figure("The planned duration of a step.", unit="s", gt=0)
    requests: int | None = figure(
        "The requests of a step, which then ends with them; null without.", default=None, ge=1
    )
    varied: Varied = figure("What the loads are: connections or rate_per_s.")
    loads: list[float] = figure("The loads as given.")
    arrivals: Literal["constant", "poisson"] = figure("How the starts of a rate are spread.", default="constant")
    seed: int | None = figure("The seed of random arrivals; null without one.", default=None, ge=0)
    expressions: list[str] = figure("The assertions as given.")
    columns: list[Column] = figure("The figures that at least one step has, the most important ones first.")
    throughput: str | None = figure("The path of the throughput of the curve; null if no step has one.")
    latency: str | None = figure("The path of the latency of the curve: that of its distribution; null without one.")
    steps: list[SweepStep] = figure("The steps in the order in which they ran.")
    knee: float | None = figure(
        "The load from which p99 rises faster than the load (Kneedle); null with fewer than 4 loads."
    )
    interrupted: bool = figure("Whether a signal ended the sweep.", default=False)
    reason: str = figure("Why loads are missing; empty if all ran.", default="")

"""The document of a comparison: reports side by side, and which figures differ by more than the noise."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from sseclient_cli.report.figure import Better, Part, figure
from sseclient_cli.report.model import SCHEMA, Report, Tool


class Verdict(StrEnum):
    """What a change says about the target."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    """The change is too small to matter, and so is every change that the noise allows."""
    UNCLEAR = "unclear"
    """The runs are too short, or vary too much, to tell."""


class Method(StrEnum):
    """How a change was judged."""

    BOOTSTRAP = "block-bootstrap"
    """A bootstrap over blocks of timeline rows."""
    ORDER_STATISTICS = "order-statistics"
    """The ranks around the percentile, for a latency without rows."""
    FISHER = "fisher-exact"
    """Fisher's exact test on two shares."""
    RULE = "rule"
    """No test: missing events come in bursts. A share that doubles or halves counts."""


class Interval(Part):
    """The changes that the noise allows, as a share of the baseline."""

    low: float = figure("The lower end; 0.1 is 10 % more than the baseline.", unit="ratio")
    high: float = figure("The upper end.", unit="ratio")


class Change(Part):
    """A figure of one report against the baseline."""

    change: float | None = figure(
        "The change as a share of the baseline; null if the baseline is 0, or a value is missing.", unit="ratio"
    )
    interval: Interval | None = figure("The changes that the noise allows; null for a test without an interval.")
    p_value: float | None = figure("The probability of such a difference by chance; null for other tests.", ge=0, le=1)
    method: Method | None = figure("How the change was judged; null if it was not.")
    verdict: Verdict = figure("better, worse, same or unclear.")
    reason: str = figure("Why the verdict is unclear; else empty.")


class Difference(Part):
    """A figure of all reports."""

    name: str = figure("The short name of the figure.")
    path: str = figure("Its path in a report.")
    unit: str = figure("Its unit; empty for a count.")
    better: Better = figure("Whether lower or higher is better.")
    values: list[float | None] = figure("Its value in each report; null if it was not measured.")
    changes: list[Change] = figure("Each report after the first, against the first.")


class Comparison(Part):
    """The document of a comparison."""

    schema_: Literal[2] = figure("The number of this schema.", alias="schema", default=SCHEMA)
    document: Literal["comparison"] = figure("The kind of this document.", default="comparison")
    tool: Tool = figure("The program that wrote the document.")
    names: list[str] = figure("The name of each report, such as its file.")
    reports: list[Report] = figure("The reports; the first is the baseline.")
    confidence: float = figure("The confidence of each interval, so that all hold together with 95 %.", gt=0, le=1)
    differences: list[Difference] = figure("The figures, in the order of the report.")
    notes: list[str] = figure("What limits the comparison.")

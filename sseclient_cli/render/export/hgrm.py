"""The percentile distribution of a latency in the text format of HdrHistogram (``.hgrm``), which its plotter reads.

A file holds one distribution, because the plotter takes all lines for one.
"""

from __future__ import annotations

from sseclient_cli.errors import OutputError
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.figures import figure_named
from sseclient_cli.report.model import Latencies, Report
from sseclient_cli.report.requests_model import Llm, Requests

PATHS = {
    name: f"{part}.{name}"
    for part, model in (("latency", Latencies), ("requests", Requests), ("llm", Llm))
    for name, info in model.model_fields.items()
    if info.annotation == Latency | None
}
"""The path of each latency in a report, by its name."""


def hgrm(report: Report, latency_name: str = "") -> str:
    """Return the distribution of a latency in ms; by default the one that matters most.

    Raises OutputError if the report has no value of it.
    """
    name = latency_name or _main_latency(report)
    part = getattr(report, PATHS[name].partition(".")[0])
    latency: Latency | None = getattr(part, name, None)
    if latency is None:
        reason = figure_named(f"{PATHS[name]}.p50_ms").absence(report)
        raise OutputError(f"{name} was not measured, because {reason}")
    text: str = latency.histogram().percentile_distribution_ms()
    return text


def _main_latency(report: Report) -> str:
    """Return first_token of an LLM, duration of other requests, else delivery, or gap without timestamps."""
    if report.requests is not None:
        return "duration" if report.llm is None else "first_token"
    return "gap" if report.latency.delivery is None else "delivery"

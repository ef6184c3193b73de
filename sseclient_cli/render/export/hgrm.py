"""The percentile distribution of a latency in the text format of HdrHistogram (``.hgrm``), which its plotter reads.

A file holds one distribution, because the plotter takes all lines for one.
"""

from __future__ import annotations

from sseclient_cli.errors import OutputError
from sseclient_cli.report.figures import figure_named
from sseclient_cli.report.model import Report


def hgrm(report: Report, latency_name: str = "") -> str:
    """Return the distribution of a latency in ms; by default delivery, or gap without timestamps.

    Raises OutputError if the report has no value of it.
    """
    name = latency_name or ("gap" if report.latency.delivery is None else "delivery")
    latency = getattr(report.latency, name)
    if latency is None:
        reason = figure_named(f"latency.{name}.p50_ms").absence(report)
        raise OutputError(f"{name} was not measured, because {reason}")
    text: str = latency.histogram().percentile_distribution_ms()
    return text

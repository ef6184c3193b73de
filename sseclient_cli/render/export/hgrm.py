"""The percentile distribution of a latency in the text format of HdrHistogram (``.hgrm``), which its plotter reads.

A file holds one distribution, because the plotter takes all lines for one.
"""

from __future__ import annotations

from sseclient_cli.errors import UsageError
from sseclient_cli.report.model import Latencies, Report


def hgrm(report: Report, latency_name: str = "") -> str:
    """Return the distribution of a latency in ms; by default delivery, or gap without timestamps.

    Raises UsageError if the report has no such latency, or no value of it.
    """
    if latency_name and latency_name not in Latencies.model_fields:
        known = ", ".join(Latencies.model_fields)
        raise UsageError(f"no latency is named {latency_name!r}: use one of {known}")
    name = latency_name or ("gap" if report.latency.delivery is None else "delivery")
    latency = getattr(report.latency, name)
    if latency is None:
        reason = Latencies.model_fields[name].json_schema_extra
        said = reason.get("absent") if isinstance(reason, dict) else None
        raise UsageError(f"{name} was not measured: {said}")
    text: str = latency.histogram().percentile_distribution_ms()
    return text

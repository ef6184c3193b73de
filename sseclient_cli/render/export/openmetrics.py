"""The figures of a report as OpenMetrics text, with the metric names of ``report/metric_names.py``."""

from __future__ import annotations

from collections.abc import Iterator

from sseclient_cli.report.figures import figures
from sseclient_cli.report.metric_names import Metric, MetricType, metric_of
from sseclient_cli.report.model import Report

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def openmetrics(report: Report) -> str:
    """Return all figures that were measured, and the errors by kind, with the URL of the target as a label."""
    target = {"target": report.run.target.url}
    families: dict[str, list[str]] = {}
    for metric, labels, value in _samples(report):
        family = metric.name.removesuffix("_total") if metric.type is MetricType.COUNTER else metric.name
        lines = families.setdefault(family, _head(family, metric))
        said = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in {**target, **labels}.items())
        lines.append(f"{metric.name}{{{said}}} {value:.12g}")
    return "\n".join(line for lines in families.values() for line in lines) + "\n# EOF\n"


def _samples(report: Report) -> Iterator[tuple[Metric, dict[str, str], float]]:
    for figure in figures():
        value = figure.value(report)
        if value is not None:
            metric = metric_of(figure.path)
            yield metric, dict(metric.labels), value * metric.factor
    for error in report.errors:
        yield metric_of("errors[].count"), {"kind": error.kind}, error.count


def _head(family: str, metric: Metric) -> list[str]:
    unit = [f"# UNIT {family} {metric.unit}"] if metric.unit else []
    return [f"# TYPE {family} {metric.type.value}", *unit, f"# HELP {family} {metric.help.translate(_ESCAPES)}"]

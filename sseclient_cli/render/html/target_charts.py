"""The charts of the target's own metrics, by source and unit. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import pairwise

from sseclient_cli.render.html.charts import Chart, Mark, Series, Unit, Values, chart_of
from sseclient_cli.report.target_model import TargetMetrics, TargetSeries, TargetSource
from sseclient_cli.target_metrics.samples import CPU, FILES, RSS, THREADS

MAX_SERIES = 8
"""The colours of a chart; the document has all series."""

CPU_SUFFIX = "cpu_seconds_total"
COUNTER_SUFFIX = "_total"

_LABELS = {RSS: "resident memory", CPU: "CPU", FILES: "open files", THREADS: "threads"}


class _Group(Enum):
    """Series that share a chart, with its title."""

    BYTES = "Memory"
    CPU = "CPU, percent of a core"
    COUNTER = "Counters, per second"
    OTHER = "Files and other figures"


_UNITS = {_Group.BYTES: Unit.BYTES, _Group.CPU: Unit.PERCENT, _Group.COUNTER: Unit.PER_S, _Group.OTHER: Unit.NUMBER}


def target_charts(metrics: TargetMetrics, marks: list[Mark]) -> list[Chart]:
    """Return a chart for each source and unit."""
    return [
        chart
        for number, source in enumerate(metrics.sources)
        for chart in _charts(source, f"target-{number}", marks)
    ]  # fmt: skip


def _charts(source: TargetSource, prefix: str, marks: list[Mark]) -> Iterator[Chart]:
    groups: dict[_Group, list[TargetSeries]] = {}
    for series in source.series:
        groups.setdefault(_group(series), []).append(series)
    for group, found in groups.items():
        is_rate = group in (_Group.CPU, _Group.COUNTER)
        chart = chart_of(
            [
                Series(label=_label(each), values=_rate(source, each, _UNITS[group]) if is_rate else each.values)
                for each in found[:MAX_SERIES]
            ],
            id=f"{prefix}-{group.name.lower()}",
            title=group.value,
            note=source.source,
            unit=_UNITS[group],
            x=source.t_s,
            marks=marks,
        )
        if chart is not None:
            yield chart


def _group(series: TargetSeries) -> _Group:
    name = series.name.partition("{")[0]
    if series.unit == "bytes":
        return _Group.BYTES
    if name.endswith(CPU_SUFFIX):
        return _Group.CPU
    return _Group.COUNTER if name.endswith(COUNTER_SUFFIX) else _Group.OTHER


def _label(series: TargetSeries) -> str:
    return _LABELS.get(series.name, series.name)


def _rate(source: TargetSource, series: TargetSeries, unit: Unit) -> Values:
    """Return the rise of a counter per second. A counter that falls was restarted: its rate is unknown there."""
    factor = 100 if unit is Unit.PERCENT else 1
    rates: list[float | None] = [None]
    for (earlier_s, earlier), (t_s, value) in pairwise(zip(source.t_s, series.values, strict=True)):
        if earlier is None or value is None or value < earlier or t_s <= earlier_s:
            rates.append(None)
        else:
            rates.append(factor * (value - earlier) / (t_s - earlier_s))
    return rates

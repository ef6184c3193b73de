"""The charts of a run: percentile curve, and its figures over time. Pure: they read only the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sseclient_cli.render.html.charts import Axis, Chart, Mark, Series, Unit, Values, chart_of
from sseclient_cli.render.latency_rows import all_latencies
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.model import Report
from sseclient_cli.report.timeline_model import Row

POINTS_PER_DECADE = 24
"""Points of the percentile curve between 90 % and 99 %, and so on."""

LEAST_ROW_SHARE = 0.5
"""The last row of a run may be shorter; from less than this share of it, a rate per second would be noise."""

SHOWN_AT_FIRST = ("delivery", "gap", "first event", "connect", "first token", "token gap", "request")
"""The labels of lines. The other latencies are in the legend, and a click shows them."""


def percentile_curve(report: Report) -> Chart | None:
    """Return all measured latencies by percentile; None without any."""
    named = [(label, latency, label in SHOWN_AT_FIRST) for label, latency in all_latencies(report)]
    return curves_of(named, id="percentiles", title="Latency by percentile", is_tall=True)


def curves_of(named: Sequence[tuple[str, Latency | None, bool]], **facts: Any) -> Chart | None:
    """Return latencies by percentile: a label, the latency, and whether its line is shown at first."""
    measured = [(label, latency, is_shown) for label, latency, is_shown in named if latency is not None]
    if not measured:
        return None
    x = _percentile_axis(max(latency.count for _, latency, _ in measured))
    return chart_of(
        [Series(label=label, values=_curve(latency, x), is_shown=is_shown) for label, latency, is_shown in measured],
        unit=Unit.MS,
        x=x,
        axis=Axis.PERCENTILE,
        is_log=True,
        **facts,
    )


def _percentile_axis(count: int) -> list[float]:
    """Return 1 / (1 - p) from 1 to the first point at or above the count, where the percentile is the maximum."""
    axis = [1.0]
    while axis[-1] < count:
        axis.append(10 ** (len(axis) / POINTS_PER_DECADE))
    return axis


def _curve(latency: Latency, x: Sequence[float]) -> Values:
    """Return the latency at each point, to the first one at its maximum."""
    last = next((place for place, each in enumerate(x) if each >= latency.count), len(x) - 1)
    percentiles = [100 * (1 - 1 / each) for each in x[: last + 1]]
    found = latency.histogram().percentiles_us(percentiles)
    values: list[float | None] = [_ms(found[percentile]) for percentile in percentiles]
    values[0] = latency.min_ms if not latency.negative else None
    values[-1] = latency.max_ms
    return values + [None] * (len(x) - len(values))


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / 1000


def delivery_over_time(report: Report) -> list[Chart]:
    """Return delivery over time, and the gap between events."""
    return _measured(
        _over_time(
            report,
            "delivery",
            "Delivery latency",
            Unit.MS,
            {"p50": lambda row: row.delivery_p50_ms, "p99": lambda row: row.delivery_p99_ms},
        ),
        _over_time(
            report,
            "gap",
            "Gap between events",
            Unit.MS,
            {"p50": lambda row: row.gap_p50_ms, "p99": lambda row: row.gap_p99_ms},
        ),
    )


def throughput(report: Report) -> list[Chart]:
    """Return requests, events and bytes per second."""
    events, data = per_s(report, lambda row: row.events), per_s(report, lambda row: row.bytes)
    requests = per_s(report, lambda row: row.requests or 0)
    are_known = any(row.requests is not None for row in report.timeline)
    return _measured(
        _over_time(report, "requests", "Requests succeeded", Unit.PER_S, {"requests": requests}) if are_known else None,
        _over_time(report, "events", "Events received", Unit.PER_S, {"events": events}),
        _over_time(report, "bytes", "Data received", Unit.BYTES_PER_S, {"data": data}),
    )


def streams_over_time(report: Report) -> list[Chart]:
    """Return the open streams, and the streams that opened, failed or reconnected."""
    changes: Figures = {
        "opened": lambda row: row.opened,
        "failed": lambda row: row.failed,
        "reconnected": lambda row: row.reconnected,
        "errors": lambda row: row.errors,
    }
    return _measured(
        _over_time(report, "open", "Streams open", Unit.COUNT, {"open": lambda row: row.open}, is_at_end=True),
        _over_time(report, "changes", f"Changes {_each_row(report)}", Unit.COUNT, changes),
    )


def generator_over_time(report: Report) -> list[Chart]:
    """Return CPU, and the delays of the load generator."""
    delays: Figures = {
        # Without a read, there is no delay of one.
        "read delay": lambda row: row.read_delay_max_ms if row.bytes else None,
        "loop lag": lambda row: row.loop_lag_max_ms,
    }
    return _measured(
        _over_time(report, "cpu", "CPU, mean of the workers", Unit.PERCENT, {"CPU": lambda row: row.cpu_percent}),
        _over_time(report, "delays", f"Longest delays {_each_row(report)}", Unit.MS, delays),
    )


def marks(report: Report) -> list[Mark]:
    """Return the planned events of the run that explain a change of its figures."""
    plan = report.run.plan
    found = [Mark(plan.warmup_s, "end of warm-up")] if plan.warmup_s else []
    found += [Mark(plan.storm_s, "storm")] if plan.storm_s is not None else []
    return found + ([Mark(plan.bad_clients.at_s, "bad clients")] if plan.bad_clients is not None else [])


Figure = Callable[[Row], float | None]
Figures = dict[str, Figure]


def _over_time(
    report: Report, chart_id: str, title: str, unit: Unit, figures: Figures, *, is_at_end: bool = False
) -> Chart | None:
    """Return a chart of figures of the rows; ``is_at_end``: they are those of the row's end, not of the whole row."""
    rows = report.timeline
    delay_s = report.run.interval_s if is_at_end else 0
    is_stepped = unit is Unit.COUNT and not is_at_end
    return chart_of(
        [
            Series(label=label, values=[figure(row) for row in rows], is_stepped=is_stepped)
            for label, figure in figures.items()
        ],
        id=chart_id,
        title=title,
        unit=unit,
        x=[row.t_s + delay_s for row in rows],
        marks=marks(report),
    )


def _measured(*charts: Chart | None) -> list[Chart]:
    return [chart for chart in charts if chart is not None]


def per_s(report: Report, count: Callable[[Row], int]) -> Figure:
    """Return a figure per second of its row; None for a row too short for a rate."""

    def figure(row: Row) -> float | None:
        length_s = min(report.run.interval_s, report.run.duration_s - row.t_s)
        return count(row) / length_s if length_s >= LEAST_ROW_SHARE * report.run.interval_s else None

    return figure


def _each_row(report: Report) -> str:
    interval_s = report.run.interval_s
    return "in each second" if interval_s == 1 else f"in each {interval_s} s"

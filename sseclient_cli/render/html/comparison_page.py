"""The HTML page of a comparison: the figures side by side, and the reports in common charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sseclient_cli.render.html.charts import Chart, Series, Unit, Values, chart_of
from sseclient_cli.render.html.document import made
from sseclient_cli.render.html.run_charts import curves_of, per_s
from sseclient_cli.render.html.sections import Statement, cut
from sseclient_cli.render.terminal.comparison import (
    LEGEND,
    change_words,
    conclusion,
    interval_words,
    letter,
    reasons,
    shown_differences,
    value_words,
)
from sseclient_cli.report.comparison_model import Change, Comparison, Verdict
from sseclient_cli.report.model import Report
from sseclient_cli.report.timeline_model import Row

_TONES = {Verdict.WORSE: "fault", Verdict.BETTER: "good", Verdict.UNCLEAR: "warning", Verdict.SAME: "quiet"}

MAX_CHARTED = 8
"""The colours of a chart."""


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of one report against the baseline."""

    name: str
    before: str
    after: str
    change: str
    noise: str
    verdict: str
    tone: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One report against the baseline."""

    letter: str
    verdict: Statement
    lines: list[Line]
    reasons: list[tuple[str, str]]
    """Figures that are unclear, and why."""


def comparison_page(comparison: Comparison) -> str:
    """Return the page: one file, without requests to any other, that holds the comparison too."""
    reports = [(letter(place), report) for place, report in enumerate(comparison.reports)][:MAX_CHARTED]
    charts = {"curves": _curves(reports), "time": _over_time(reports)}
    return made(
        "comparison.html.jinja",
        comparison,
        [chart for found in charts.values() for chart in found],
        comparison=comparison,
        groups=charts,
        runs=[_run(comparison, place) for place in range(len(comparison.reports))],
        pairs=[_pair(comparison, place) for place in range(1, len(comparison.reports))],
        legend=LEGEND,
    )


def _run(comparison: Comparison, place: int) -> tuple[str, str, str, str]:
    report = comparison.reports[place]
    run = report.run
    target = "the demo server" if run.target.bundled_server else f"{run.target.method} {run.target.url}"
    plan = f"{report.streams.planned:,} streams for {run.duration_s:.1f} s, {run.started_at:%Y-%m-%d %H:%M:%S %Z}"
    return letter(place), cut(comparison.names[place]), plan, cut(target)


def _pair(comparison: Comparison, place: int) -> Pair:
    differences = [(difference, difference.changes[place - 1]) for difference in comparison.differences]
    verdicts = {change.verdict for _, change in differences}
    tone = next((_TONES[each] for each in (Verdict.WORSE, Verdict.BETTER) if each in verdicts), "quiet")
    lines = [
        Line(
            difference.name,
            value_words(difference.values[0], difference.unit),
            value_words(difference.values[place], difference.unit),
            change_words(change),
            _noise(change),
            change.verdict.value,
            _TONES[change.verdict],
        )
        for difference in shown_differences(comparison, place)
        for change in [difference.changes[place - 1]]
    ]
    why = [(", ".join(names), cut(reason)) for reason, names in reasons(comparison, place).items()]
    return Pair(letter(place), Statement(tone, "", conclusion(comparison, place).plain), lines, why)


def _noise(change: Change) -> str:
    if change.interval is not None:
        return interval_words(change.interval)
    return "" if change.p_value is None else f"p = {change.p_value:.2g}"


Named = list[tuple[str, Report]]


def _curves(reports: Named) -> list[Chart]:
    """Return the percentile curves of delivery and gap."""
    titles = (("delivery", "Delivery by percentile"), ("gap", "Gap between events by percentile"))
    charts = (
        curves_of(
            [(name, getattr(report.latency, field), True) for name, report in reports],
            id=f"curve-{field}",
            title=title,
        )
        for field, title in titles
    )
    return [chart for chart in charts if chart is not None]


def _over_time(reports: Named) -> list[Chart]:
    """Return figures over time; none if the rows of the reports have different lengths."""
    if len({report.run.interval_s for _, report in reports}) > 1:
        return []
    figures: tuple[tuple[str, str, Unit, Callable[[Report], Callable[[Row], float | None]]], ...] = (
        ("delivery", "Delivery p99", Unit.MS, lambda _: lambda row: row.delivery_p99_ms),
        ("gap", "Gap p99", Unit.MS, lambda _: lambda row: row.gap_p99_ms),
        ("events", "Events received", Unit.PER_S, lambda report: per_s(report, lambda row: row.events)),
        ("open", "Streams open", Unit.COUNT, lambda _: lambda row: row.open),
    )
    x = max(([row.t_s for row in report.timeline] for _, report in reports), key=len)
    charts = (
        chart_of(
            [Series(label=name, values=_filled(report, figure(report), len(x))) for name, report in reports],
            id=chart_id,
            title=title,
            unit=unit,
            x=x if chart_id != "open" else [each + reports[0][1].run.interval_s for each in x],  # of the row's end
        )
        for chart_id, title, unit, figure in figures
    )
    return [chart for chart in charts if chart is not None]


def _filled(report: Report, figure: Callable[[Row], float | None], length: int) -> Values:
    values = [figure(row) for row in report.timeline]
    return values + [None] * (length - len(values))

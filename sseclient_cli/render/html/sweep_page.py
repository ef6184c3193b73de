"""The HTML page of a sweep: throughput against latency, and both against the load."""

from __future__ import annotations

from collections.abc import Callable

from sseclient_cli.render.html.charts import Axis, Chart, Mark, Series, Unit, chart_of
from sseclient_cli.render.html.document import made
from sseclient_cli.render.html.sections import cut
from sseclient_cli.render.html.steps import LoadCharts, StepRow, row_of
from sseclient_cli.render.sweep_words import (
    asserted_words,
    family_of,
    head_words,
    missing_words,
    title,
    title_lines,
    value_text,
)
from sseclient_cli.render.terminal.steps_view import UNITS, knee_words, load_text
from sseclient_cli.report.quantities import RATIO
from sseclient_cli.report.step_model import StepStatus
from sseclient_cli.report.sweep_columns import of_latency
from sseclient_cli.report.sweep_model import Column, Sweep, SweepStep

_UNITS = {"ms": Unit.MS, "1/s": Unit.PER_S, "": Unit.COUNT, "bytes": Unit.BYTES, "%": Unit.PERCENT}


def sweep_page(sweep: Sweep) -> str:
    """Return the page: one file, without requests to any other, that holds the sweep too."""
    drawing = LoadCharts(
        steps=sweep.steps, varied=sweep.varied, marks=[] if sweep.knee is None else [Mark(sweep.knee, "knee")]
    )
    charts = [each for each in (_curve(sweep, drawing), *_by_load(sweep, drawing)) if each is not None]
    statuses = {step.status for step in sweep.steps}
    tone = "fault" if StepStatus.FAILED in statuses else "good" if statuses == {StepStatus.PASSED} else "warning"
    lines = [missing_words(sweep), asserted_words(sweep), knee_words(sweep.knee, sweep.varied)]
    return made(
        "steps.html.jinja",
        sweep,
        charts,
        tool=sweep.tool,
        kind="sweep",
        file_name="sweep.json",
        shown_url=cut(sweep.url),
        head_facts=[*head_words(sweep), f"{sweep.started_at:%Y-%m-%d %H:%M:%S %Z}"],
        tone="warning" if tone == "good" and missing_words(sweep) else tone,
        conclusion=_conclusion(sweep),
        lines=[cut(line) for line in lines if line],
        charts_title="Throughput and latency",
        charts_shown=charts,
        has_repeated=drawing.has_repeated,
        titles=[UNITS[sweep.varied].split(), *map(title_lines, sweep.columns)],
        rows=[_row(step, sweep) for step in sweep.steps],
    )


def _conclusion(sweep: Sweep) -> str:
    """Return how many steps passed, and what kept the others from it."""
    counts = {status: sum(step.status is status for step in sweep.steps) for status in StepStatus}
    others = [
        f"{count} {status.value}" for status, count in counts.items() if count and status is not StepStatus.PASSED
    ]
    return ", ".join([f"{counts[StepStatus.PASSED]} of {len(sweep.steps)} steps passed", *others])


def _row(step: SweepStep, sweep: Sweep) -> StepRow:
    figures = [value_text(step.values.get(column.path), column) for column in sweep.columns]
    return row_of(step, figures, "knee" if step.load == sweep.knee else "")


def _curve(sweep: Sweep, drawing: LoadCharts[SweepStep]) -> Chart | None:
    """Return the chart of latency by throughput, with a point for each load."""
    throughput = next((column for column in sweep.columns if column.path == sweep.throughput), None)
    if throughput is None or sweep.latency is None:
        return None
    reached = drawing.values(lambda step: step.values.get(throughput.path))
    points = sorted((x, load) for x, load in zip(reached, drawing.loads, strict=True) if x is not None and x > 0)
    places = {load: place for place, load in enumerate(drawing.loads)}
    series = []
    for column in (column for column in sweep.columns if column.path in of_latency(sweep.latency)):
        label, values = _label(column), drawing.values(_figure(column))
        series.append(Series(label=label, values=[values[places[load]] for _, load in points]))
    return chart_of(
        series,
        id="curve",
        title=f"{_latency_name(sweep).capitalize()} by throughput, {title(throughput)}",
        note=f"A point for each load, labelled with its {UNITS[sweep.varied]}.",
        unit=Unit.MS,
        x=[x for x, _ in points],
        axis=Axis.THROUGHPUT,
        axis_title=title(throughput),
        labels=[load_text(load) + (" (knee)" if load == sweep.knee else "") for _, load in points],
        order=sorted(range(len(points)), key=lambda place: points[place][1]),
        has_points=True,
        is_log=True,
        is_tall=True,
    )


def _latency_name(sweep: Sweep) -> str:
    paths = of_latency(sweep.latency or "")
    return next((family_of(column) for column in sweep.columns if column.path in paths), "latency")


def _by_load(sweep: Sweep, drawing: LoadCharts[SweepStep]) -> list[Chart | None]:
    """Return a chart by load for each family of columns, and that of the CPU."""
    families: dict[str, list[Column]] = {}
    for column in sweep.columns:
        families.setdefault(family_of(column) if column.unit == "ms" else title(column), []).append(column)
    charts = [
        drawing.chart(
            f"load-{number}",
            f"{name.capitalize()} by load",
            Unit.PERCENT if columns[0].unit == RATIO else _UNITS.get(columns[0].unit, Unit.NUMBER),
            {_label(column): _figure(column) for column in columns},
            is_log=columns[0].unit == "ms",
        )
        for number, (name, columns) in enumerate(families.items())
    ]
    return [
        *charts,
        drawing.chart("cpu", "Busiest worker by load", Unit.PERCENT, {"CPU": lambda step: step.cpu_percent}),
    ]


def _label(column: Column) -> str:
    """Return the label of a line: ``p99`` of a latency, else its title."""
    return column.name.rpartition(".")[2] if column.unit == "ms" else title(column)


def _figure(column: Column) -> Callable[[SweepStep], float | None]:
    """Return the function that reads a column of a step, a share in percent."""
    factor = 100 if column.unit == RATIO else 1

    def value(step: SweepStep) -> float | None:
        found = step.values.get(column.path)
        return None if found is None else found * factor

    return value

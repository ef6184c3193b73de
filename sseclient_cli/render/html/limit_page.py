"""The HTML page of a limit search: the curve of load and latency, with the limit and the knee."""

from __future__ import annotations

from sseclient_cli.render.html.charts import Chart, Mark, Unit
from sseclient_cli.render.html.document import made
from sseclient_cli.render.html.sections import cut
from sseclient_cli.render.html.steps import LoadCharts, StepRow, row_of
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.render.terminal.limit_view import conclusion
from sseclient_cli.render.terminal.steps_view import UNITS, knee_words
from sseclient_cli.report.limit_model import LimitSearch, LimitStep, StoppedBy


def limit_page(search: LimitSearch) -> str:
    """Return the page: one file, without requests to any other, that holds the search too."""
    drawing = LoadCharts(steps=search.steps, varied=search.varied, marks=_marks(search))
    charts = _charts(search, drawing)
    is_exact = search.stopped_by is StoppedBy.ASSERTION and search.first_failing is not None
    knee = knee_words(search.knee, search.varied)
    return made(
        "steps.html.jinja",
        search,
        charts,
        tool=search.tool,
        kind="limit search",
        file_name="limit-search.json",
        shown_url=cut(search.url),
        head_facts=[
            f"{len(search.steps)} steps of {search.step_s:g} s",
            f"{search.started_at:%Y-%m-%d %H:%M:%S %Z}",
        ],
        tone="fault" if search.limit is None else "good" if is_exact else "warning",
        conclusion=cut(conclusion(search).plain),
        lines=[f"Until: {cut(' and '.join(search.expressions))}", *([knee] if knee else [])],
        charts_title="Load and latency",
        charts_shown=charts,
        has_repeated=drawing.has_repeated,
        titles=[[UNITS[search.varied]], [f"{search.latency.replace('_', ' ')} p50 ms"], ["p99 ms"], ["events/s"]],
        rows=[_row(step) for step in search.steps],
    )


def _row(step: LimitStep) -> StepRow:
    events = "-" if step.events_per_s is None else f"{step.events_per_s:,.0f}"
    return row_of(step, [milliseconds(step.p50_ms), milliseconds(step.p99_ms), events])


def _marks(search: LimitSearch) -> list[Mark]:
    marks = [] if search.limit is None else [Mark(search.limit, "limit")]
    if search.knee is not None and search.knee != search.limit:
        marks.append(Mark(search.knee, "knee"))
    return marks


def _charts(search: LimitSearch, drawing: LoadCharts[LimitStep]) -> list[Chart]:
    charts = (
        drawing.chart(
            "latency",
            f"{search.latency.replace('_', ' ').capitalize()} by load, {UNITS[search.varied]}",
            Unit.MS,
            {"p50": lambda step: step.p50_ms, "p99": lambda step: step.p99_ms},
            is_log=True,
            is_tall=True,
        ),
        drawing.chart("events", "Events received", Unit.PER_S, {"events": lambda step: step.events_per_s}),
        drawing.chart("cpu", "Busiest worker", Unit.PERCENT, {"CPU": lambda step: step.cpu_percent}),
    )
    return [each for each in charts if each is not None]

"""The HTML page of a limit search: the curve of load and latency, with the limit and the knee."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from sseclient_cli.render.html.charts import Axis, Chart, Mark, Series, Unit, chart_of
from sseclient_cli.render.html.document import made
from sseclient_cli.render.html.sections import cut
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.render.terminal.limit_view import UNITS, conclusion, load_text
from sseclient_cli.report.limit_model import LimitSearch, Step, StepStatus, StoppedBy

_TONES = {StepStatus.PASSED: "good", StepStatus.FAILED: "fault", StepStatus.SATURATED: "warning"}


def limit_page(search: LimitSearch) -> str:
    """Return the page: one file, without requests to any other, that holds the search too."""
    charts = _charts(search)
    is_exact = search.stopped_by is StoppedBy.ASSERTION and search.first_failing is not None
    return made(
        "limit.html.jinja",
        search,
        charts,
        search=search,
        charts_shown=charts,
        shown_url=cut(search.url),
        expressions=cut(" and ".join(search.expressions)),
        started_at=f"{search.started_at:%Y-%m-%d %H:%M:%S %Z}",
        tone="fault" if search.limit is None else "good" if is_exact else "warning",
        conclusion=cut(conclusion(search).plain),
        knee="" if search.knee is None else load_text(search.knee),
        unit=UNITS[search.varied],
        steps=[_cells(step) for step in search.steps],
    )


def _cells(step: Step) -> dict[str, str]:
    return {
        "load": load_text(step.load),
        "p50": milliseconds(step.p50_ms),
        "p99": milliseconds(step.p99_ms),
        "events": "-" if step.events_per_s is None else f"{step.events_per_s:,.0f}",
        "cpu": "-" if step.cpu_percent is None else f"{step.cpu_percent:.0f} %",
        "opened": f"{step.opened:,}",
        "failed": f"{step.failed:,}",
        "status": step.status.value,
        "tone": _TONES[step.status],
        "reason": cut(step.reason),
    }


Figure = Callable[[Step], float | None]


def _charts(search: LimitSearch) -> list[Chart]:
    loads = sorted({step.load for step in search.steps})
    marks = [] if search.limit is None else [Mark(search.limit, "limit")]
    if search.knee is not None and search.knee != search.limit:
        marks.append(Mark(search.knee, "knee"))

    def chart(chart_id: str, title: str, unit: Unit, figures: dict[str, Figure], *, is_large: bool) -> Chart | None:
        return chart_of(
            [
                Series(label=label, values=[_at(search, load, figure) for load in loads])
                for label, figure in figures.items()
            ],
            id=chart_id,
            title=title,
            unit=unit,
            x=loads,
            axis=Axis.LOAD,
            axis_title=UNITS[search.varied],
            marks=marks,
            has_points=True,
            is_log=is_large,
            is_tall=is_large,
        )

    latencies: dict[str, Figure] = {"p50": lambda step: step.p50_ms, "p99": lambda step: step.p99_ms}
    charts = (
        chart(
            "latency",
            f"{search.latency.capitalize()} by load, {UNITS[search.varied]}",
            Unit.MS,
            latencies,
            is_large=True,
        ),
        chart("events", "Events received", Unit.PER_S, {"events": lambda step: step.events_per_s}, is_large=False),
        chart("cpu", "Busiest worker", Unit.PERCENT, {"CPU": lambda step: step.cpu_percent}, is_large=False),
    )
    return [each for each in charts if each is not None]


def _at(search: LimitSearch, load: float, figure: Figure) -> float | None:
    """Return a figure of the steps at a load: their median, as for the knee."""
    values = [value for step in search.steps if step.load == load and (value := figure(step)) is not None]
    return median(values) if values else None

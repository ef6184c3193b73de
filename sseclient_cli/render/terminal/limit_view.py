"""The result of a limit search: the largest load that passed, and the curve of load and latency."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.render.terminal.steps_view import STYLES, UNITS, Bars, cpu_text, knee_words, load_text
from sseclient_cli.report.limit_model import LimitSearch, StoppedBy

_FIXED_WIDTH = 62
"""The columns without the bar."""

_TITLE_WIDTH = len("delivery p50 ms")


def limit_summary(search: LimitSearch) -> RenderableType:
    """Return the result of a search, for a rich console of any width from 60."""
    head = Text(visible(search.url, keep_lines=False), "bold")
    head.append(f"  steps of {search.step_s:g} s, until: {' and '.join(search.expressions)}", "not bold")
    knee = knee_words(search.knee, search.varied)
    return Group(head, conclusion(search), *([Text(knee)] if knee else []), Text(), _Curve(search))


def conclusion(search: LimitSearch) -> Text:
    """Return the limit in words, and why the search did not go higher."""
    unit = UNITS[search.varied]
    if search.limit is None:
        return Text(f"No load passed: {search.reason}.", "bold red")
    limit = f"{load_text(search.limit)} {unit}"
    if search.stopped_by is StoppedBy.ASSERTION and search.first_failing is not None:
        text = Text(f"Limit: {limit}", "bold green")
        return text.append(f" ({load_text(search.first_failing)} failed: {search.reason}).", "not bold")
    why = {
        StoppedBy.SATURATION: "the load generator is the bottleneck above it, not the server",
        StoppedBy.RESOURCE_LIMIT: "this machine cannot open more",
        StoppedBy.INTERRUPT: "the search was interrupted",
    }.get(search.stopped_by, "the search ended")
    text = Text(f"Limit: at least {limit}", "bold yellow")
    return text.append(f"; {why}" + (f" ({search.reason})." if search.reason else "."), "not bold")


class _Curve:
    """A line for each step, from the lowest load to the highest, with a bar for p99."""

    def __init__(self, search: LimitSearch) -> None:
        self._search = search

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        search = self._search
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for title in (UNITS[search.varied], _title(search.latency), "p99 ms", "events/s", "CPU"):
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        steps = sorted(search.steps, key=lambda step: step.load)
        bars = Bars.within(options.max_width - _FIXED_WIDTH, [step.p99_ms for step in steps])
        if bars is not None:
            table.add_column("p99", no_wrap=True)
        for step in steps:
            style = STYLES[step.status]
            cells: list[str | Text] = [
                load_text(step.load),
                milliseconds(step.p50_ms),
                milliseconds(step.p99_ms),
                "-" if step.events_per_s is None else f"{step.events_per_s:,.0f}",
                cpu_text(step),
                Text(step.status.value, style),
            ]
            if bars is not None:
                cells.append(bars.bar(step.p99_ms, style))
            table.add_row(*cells)
        yield table


def _title(latency: str) -> str:
    """Return the title of the median. The next column has the unit, too, if there is no room for it here."""
    title = f"{latency.replace('_', ' ')} p50 ms"
    return title if len(title) <= _TITLE_WIDTH else title.removesuffix(" ms")

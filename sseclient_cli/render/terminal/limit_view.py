"""The result of a limit search: the largest load that passed, and the curve of load and latency."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.report.limit_model import LimitSearch, Step, StepStatus, StoppedBy, Varied

_STYLES = {StepStatus.PASSED: "green", StepStatus.FAILED: "red", StepStatus.SATURATED: "yellow"}

UNITS = {Varied.CONNECTIONS: "streams", Varied.RATE: "new streams/s"}
"""The unit of the load."""

LEAST_BAR_WIDTH = 10
MAX_BAR_WIDTH = 40

_FIXED_WIDTH = 58
"""The columns without the bar."""


def limit_summary(search: LimitSearch) -> RenderableType:
    """Return the result of a search, for a rich console of any width from 60."""
    head = Text(visible(search.url, keep_lines=False), "bold")
    head.append(f"  steps of {search.step_s:g} s, until: {' and '.join(search.expressions)}", "not bold")
    return Group(head, conclusion(search), *_knee(search), Text(), _Curve(search))


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


def step_line(step: Step, varied: Varied) -> Text:
    """Return the result of one step in one line, while the search goes on."""
    text = Text(f"{load_text(step.load)} {UNITS[varied]}: ")
    text.append(step.status.value, _STYLES[step.status])
    return text.append(f" ({visible(step.reason, keep_lines=False)})" if step.reason else "")


def load_text(load: float) -> str:
    """Return a load: 1,250 streams, or a rate such as 0.35."""
    return f"{load:,.0f}" if load == int(load) else f"{load:,g}"


def _knee(search: LimitSearch) -> list[Text]:
    if search.knee is None:
        return []
    return [Text(f"Knee: above {load_text(search.knee)} {UNITS[search.varied]}, p99 rises faster than the load.")]


class _Curve:
    """A line for each step, from the lowest load to the highest, with a bar for p99."""

    def __init__(self, search: LimitSearch) -> None:
        self._search = search

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        search = self._search
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for title in (UNITS[search.varied], f"{search.latency} p50 ms", "p99 ms", "events/s", "CPU"):
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        width = min(options.max_width - _FIXED_WIDTH, MAX_BAR_WIDTH)
        if width >= LEAST_BAR_WIDTH:
            table.add_column("p99", no_wrap=True)
        highest = max((step.p99_ms or 0 for step in search.steps), default=0)
        for step in sorted(search.steps, key=lambda step: step.load):
            cells: list[str | Text] = [
                load_text(step.load),
                milliseconds(step.p50_ms),
                milliseconds(step.p99_ms),
                "-" if step.events_per_s is None else f"{step.events_per_s:,.0f}",
                "-" if step.cpu_percent is None else f"{step.cpu_percent:.0f} %",
                Text(step.status.value, _STYLES[step.status]),
            ]
            if width >= LEAST_BAR_WIDTH:
                share = (step.p99_ms or 0) / highest if highest > 0 else 0
                cells.append(Text("█" * max(round(share * width), 1 if step.p99_ms else 0), _STYLES[step.status]))
            table.add_row(*cells)
        yield table

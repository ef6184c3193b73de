"""The result of a sweep: the curve of load, throughput and latency."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.sweep_words import (
    asserted_words,
    head_words,
    missing_words,
    phrase,
    title,
    title_lines,
    value_text,
)
from sseclient_cli.render.terminal.steps_view import STYLES, UNITS, Bars, cpu_text, knee_words, load_text, step_line
from sseclient_cli.report.sweep_columns import of_latency
from sseclient_cli.report.sweep_model import Column, Sweep, SweepStep

_GAP = 2
"""Spaces between two columns."""

_CPU_WIDTH = len("100 %")


def sweep_summary(sweep: Sweep) -> RenderableType:
    """Return the result of a sweep, for a rich console of any width from 60."""
    head = Text(visible(sweep.url, keep_lines=False), "bold")
    head.append(f"  {', '.join(head_words(sweep))}", "not bold")
    lines = [
        Text(visible(missing_words(sweep), keep_lines=False), "bold yellow"),
        Text(visible(asserted_words(sweep), keep_lines=False)),
        Text(knee_words(sweep.knee, sweep.varied)),
    ]
    return Group(head, *(line for line in lines if line.plain), Text(), _Curve(sweep))


def progress_line(step: SweepStep, sweep: Sweep) -> Text:
    """Return the result of one step in one line, with the two figures of the curve."""
    paths = [sweep.throughput, sweep.latency and of_latency(sweep.latency)[1]]
    shown = [f", {phrase(step.values.get(column.path), column)}" for column in sweep.columns if column.path in paths]
    return step_line(step, sweep.varied, "".join(shown))


class _Curve:
    """A line for each step, from the lowest load to the highest, with as many columns as there is room for."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._steps = sorted(sweep.steps, key=lambda step: step.load)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        sweep, steps = self._sweep, self._steps
        columns, room = self._fitting(options.max_width)
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
        for heading in (
            UNITS[sweep.varied].replace(" ", "\n"),
            *("\n".join(title_lines(each)) for each in columns),
            "CPU",
        ):
            table.add_column(Text(heading, justify="right"), justify="right", vertical="bottom", no_wrap=True)
        table.add_column("", no_wrap=True)
        tail = sweep.latency and of_latency(sweep.latency)[1]
        bars = Bars.within(room, [step.values.get(tail) for step in steps] if tail else [])
        if bars is not None and tail:
            table.add_column("p99", vertical="bottom", no_wrap=True)
        for step in steps:
            cells = [load_text(step.load), *(value_text(step.values.get(each.path), each) for each in columns)]
            bar = [bars.bar(step.values.get(tail), STYLES[step.status])] if bars is not None and tail else []
            table.add_row(*cells, cpu_text(step), self._status(step), *bar)
        yield table
        if left := sweep.columns[len(columns) :]:
            yield Text(f"not shown at this width: {', '.join(map(title, left))}", "dim")
        for step in steps:
            if step.reason:
                yield Text(f"{load_text(step.load)}: {visible(step.reason, keep_lines=False)}", STYLES[step.status])

    def _fitting(self, width: int) -> tuple[list[Column], int]:
        """Return the columns that fit, the most important ones first, and the width that is left for bars."""
        loads = (load_text(step.load) for step in self._steps)
        first = max(map(len, (*UNITS[self._sweep.varied].split(), *loads)))
        status = max(self._status(step).cell_len for step in self._steps)
        room = width - first - _GAP - _CPU_WIDTH - _GAP - status
        fitting: list[Column] = []
        for column in self._sweep.columns:
            values = (value_text(step.values.get(column.path), column) for step in self._steps)
            needed = max(map(len, (*title_lines(column), *values))) + _GAP
            if needed > room:
                break
            fitting.append(column)
            room -= needed
        return fitting, room - _GAP

    def _status(self, step: SweepStep) -> Text:
        mark = " ◀ knee" if step.load == self._sweep.knee else ""
        return Text(step.status.value, STYLES[step.status]).append(mark, "bold")

"""The table of the machines of a cluster. A narrow terminal gets fewer columns, never a truncated figure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.measure.saturation import MAX_CPU_PERCENT
from sseclient_cli.render.host_rows import COLUMNS, busiest_percent, host_row, titles
from sseclient_cli.render.quantities import counted
from sseclient_cli.render.terminal.rows import Paragraph
from sseclient_cli.report.run_model import Host

MAX_HOSTS = 12
"""Hosts shown without ``-v``, the most notable ones."""

MAX_NAME = 24
"""Characters of a name."""

_NAME, _WORKERS, _OPENED, _EVENTS, _READ_DELAY, _CPU, _CLOCK = range(len(COLUMNS))
_DROPPED_FIRST = (_WORKERS, _READ_DELAY, _EVENTS, _CPU)

_PADDING = 2


class HostTable:
    """A row for each host."""

    def __init__(self, hosts: Sequence[Host], *, shows_all: bool) -> None:
        notable = sorted(hosts, key=_notability, reverse=True)[: None if shows_all else MAX_HOSTS]
        self._hosts = [host for host in hosts if host in notable]
        self._more = len(hosts) - len(self._hosts)
        self._titles = titles(hosts)
        rows = (host_row(host) for host in self._hosts)
        self._rows = [[_shortened(name or ""), *(figure or "-" for figure in figures)] for name, *figures in rows]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        columns = self._that_fit(options.max_width)
        table = Table(box=None, padding=(0, _PADDING, 0, 0), pad_edge=False, header_style="dim")
        for column in columns:
            table.add_column(self._titles[column], justify="right" if column else "left", no_wrap=True)
        for host, row in zip(self._hosts, self._rows, strict=True):
            table.add_row(*(Text(row[column], _style(column, host)) for column in columns))
        yield table
        if self._more:
            words = f"and {counted(self._more, 'more host')}: `run.hosts` in the JSON report, or sse bench -v"
            yield Paragraph(Text(words, "dim"))

    def _that_fit(self, width: int) -> list[int]:
        columns = list(range(len(COLUMNS)))
        for column in _DROPPED_FIRST:
            if sum(self._width(each) + _PADDING for each in columns) - _PADDING <= width:
                break
            columns.remove(column)
        return columns

    def _width(self, column: int) -> int:
        return max(len(self._titles[column]), *(len(row[column]) for row in self._rows))


def _shortened(name: str) -> str:
    shown = visible(name, keep_lines=False)
    return shown if len(shown) <= MAX_NAME else f"{shown[: MAX_NAME - 1]}…"


def _notability(host: Host) -> tuple[float, ...]:
    """Rank hosts: lost workers, unopened streams, a bottleneck, a wrong clock, and the CPU."""
    cpu_percent = busiest_percent(host) or 0
    offset_ms = 0 if host.clock_corrected else abs(host.clock_offset_ms or 0)
    unopened = (host.planned or 0) - (host.opened or 0)
    return host.workers_lost or 0, unopened, cpu_percent > MAX_CPU_PERCENT, offset_ms, cpu_percent


def _style(column: int, host: Host) -> str:
    if column == _NAME:
        return "bold"
    is_bad = {
        _WORKERS: host.workers_lost,
        _OPENED: host.failed or host.lost,
        _CPU: (busiest_percent(host) or 0) > MAX_CPU_PERCENT,
    }
    return "red" if is_bad.get(column) else ""

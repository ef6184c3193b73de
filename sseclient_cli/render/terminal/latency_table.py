"""The table of latencies. A narrow terminal gets fewer columns, never a truncated figure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.render.latency_rows import NamedLatency
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.figure import label_of

_COLUMNS = ("min_ms", "mean_ms", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "p9999_ms", "max_ms")
_DROPPED_FIRST = ("p9999_ms", "p999_ms", "mean_ms", "min_ms", "p90_ms")
"""Columns that a terminal loses, one by one, until the rest fits. The median, p99 and the maximum always stay."""

_UNIT = "ms"
_PADDING = 2


class LatencyTable:
    """A row for each latency, in ms."""

    def __init__(self, latencies: Sequence[NamedLatency]) -> None:
        self._rows = latencies

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            return
        columns = self._that_fit(options.max_width)
        table = Table(box=None, padding=(0, _PADDING, 0, 0), pad_edge=False, header_style="dim")
        table.add_column(_UNIT, no_wrap=True)
        for column in columns:
            table.add_column(label_of(Latency, column), justify="right", no_wrap=True)
        for name, latency in self._rows:
            table.add_row(Text(name, "bold"), *(_figure(latency, column) for column in columns))
        yield table

    def _that_fit(self, width: int) -> list[str]:
        columns = list(_COLUMNS)
        for column in _DROPPED_FIRST:
            if self._width(columns) <= width:
                break
            columns.remove(column)
        return columns

    def _width(self, columns: list[str]) -> int:
        names = max(len(_UNIT), *(len(name) for name, _ in self._rows))
        return names + sum(_PADDING + self._column_width(column) for column in columns)

    def _column_width(self, column: str) -> int:
        figures = (len(_figure(latency, column)) for _, latency in self._rows)
        return max(len(label_of(Latency, column)), *figures)


def _figure(latency: Latency, column: str) -> str:
    return milliseconds(getattr(latency, column))

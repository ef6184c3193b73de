"""Blocks with only a chart, for tall terminals."""

from __future__ import annotations

from collections.abc import Callable

from sseclient_cli.render.live.blocks import CHART_AT, CHART_ENDS, NAMES, Block
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.line import Line, Style
from sseclient_cli.render.live.quantities import count
from sseclient_cli.render.live.series import Series, chart
from sseclient_cli.render.quantities import milliseconds


def open_streams(history: RunHistory) -> Block:
    """Return the chart of open streams."""
    return _block("open streams", history.open_streams, count, Style.GREEN)


def tail(history: RunHistory) -> Block:
    """Return the chart of p99 of delivery, or of the gap if events have no timestamps."""
    title = f"{NAMES[history.main_latency]} p99 in ms, of each second"
    return _block(title, history.latency_p99_us, lambda us: milliseconds(us / 1000), Style.BLUE)


def _block(title: str, series: Series, figure: Callable[[float], str], style: Style) -> Block:
    def draw(rows: int, width: int) -> list[Line]:
        room = max(width - CHART_AT - CHART_ENDS, 4)
        values = series.values(room)
        highest = max((value for value in values if value is not None), default=None)
        labels = ["" if highest is None else figure(highest), *[""] * (rows - 2), "0"]
        return [
            Line((f"{label:>{CHART_AT - 2}}  ", Style.DIM), (bars, style))
            for label, bars in zip(labels, chart(values, room, rows), strict=True)
        ]

    return Block(title, 3, 20, draw, charts=1)

"""The panel of the live view: arranges the blocks in the size of the terminal. Pure.

A low terminal gets a line for each figure, a wide one two columns of blocks. Blocks with more to show grow, the charts
last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from sseclient_cli.escaping import visible
from sseclient_cli.render.live.blocks import (
    NAMES,
    Block,
    audit_line,
    important_latencies,
    latencies,
    streams,
    traffic,
)
from sseclient_cli.render.live.charts import open_streams, tail
from sseclient_cli.render.live.errors_block import error_line, errors
from sseclient_cli.render.live.generator_block import figures, generator, verdict_line
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.line import Line, Style
from sseclient_cli.render.live.quantities import count, megabytes, rate
from sseclient_cli.render.live.requests_block import answers_line, heading, request_facts, requests_block
from sseclient_cli.render.live.series import Series, chart
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.run.progress import AnyLatency, Progress

LEAST_HEIGHT_OF_BLOCKS = 20
LEAST_WIDTH_OF_TWO_COLUMNS = 132
BETWEEN = 3
"""Columns between two columns of blocks."""

_Fact = tuple[str, Style, int]
"""A text with its style and its importance."""

HINT = "Ctrl-C ends the run and prints its report"


def panel(history: RunHistory, title: str, width: int, height: int, *, shows_hosts: bool = False) -> list[Line]:
    """Return at most ``height`` lines of at most ``width`` columns. ``title`` is the target; it may be hostile.

    With ``shows_hosts``, the machines of a cluster have a line each.
    """
    name = Line((_shortened(visible(title, keep_lines=False), width), Style.BOLD))
    if height < LEAST_HEIGHT_OF_BLOCKS:
        lines = [heading(history, width), *_compact(history, width)]
        return ([name, *lines] if len(lines) < height else lines)[:height]
    top = [name, heading(history, width)]
    left = _left(history)
    right = [latencies(history), generator(history, shows_hosts=shows_hosts), errors(history)]
    charts = [open_streams(history), tail(history)]
    room = height - len(top)
    if width >= LEAST_WIDTH_OF_TWO_COLUMNS:
        side = (width - BETWEEN) // 2
        columns = _stacked([*left, charts[0]], side, room), _stacked([*right, charts[1]], side, room)
        lines = [
            Line().then((one or Line()).padded(side)).add(" " * BETWEEN).then(other or Line())
            for one, other in zip_longest(*columns)
        ]
    else:
        lines = _stacked([*left, *right], width, room, charts)
    if len(top) + len(lines) + 2 <= height:
        lines += [Line()] * (height - len(top) - len(lines) - 1) + [Line((HINT, Style.DIM))]
    return [*top, *lines]


def _left(history: RunHistory) -> list[Block]:
    if history.progress.requests is None:
        return [streams(history), traffic(history)]
    return [requests_block(history), traffic(history, answers_line)]


def _stacked(blocks: Sequence[Block], width: int, height: int, optional: Sequence[Block] = ()) -> list[Line]:
    """Return blocks one below the other. Optional ones are shown if all others have all that they can use."""
    rows = {block.title: block.least for block in blocks}
    left = height - sum(rows.values()) - len(blocks)
    shown = list(blocks)
    for block in optional:
        needed = block.least + 1 + sum(each.most - each.least for each in blocks if not each.is_chart)
        if needed <= left:
            shown.append(block)
            rows[block.title] = block.least
            left -= block.least + 1
    for block in sorted(shown, key=lambda block: block.rank):
        more = 0 if block.is_chart else min(block.most - block.least, max(left, 0))
        rows[block.title] += more
        left -= more
    charts = [block for block in shown if block.is_chart]
    while left > 0 and charts:
        smallest = min(charts, key=lambda block: rows[block.title] / block.charts)
        rows[smallest.title] += 1
        left -= 1
        charts = [block for block in charts if rows[block.title] < block.most]
    return [line for block in shown for line in (_rule(block.title, width), *block.draw(rows[block.title], width))]


def _rule(title: str, width: int) -> Line:
    return Line(("── ", Style.DIM), (title, Style.BOLD), (f" {'─' * (width - len(title) - 4)}", Style.DIM))


def _compact(history: RunHistory, width: int) -> list[Line]:
    """Return a line for each kind of figure, the most important first."""
    progress = history.progress
    delays = [(f"{name} {figure}", style, importance) for name, figure, _, style, importance in figures(history)]
    requests = progress.requests
    return [
        _facts("streams", _stream_facts(progress), width)
        if requests is None
        else _facts("requests", request_facts(progress, requests), width),
        _spark("events/s", rate(progress.events_per_s), history.events_per_s, width),
        _spark("MB/s", megabytes(progress.bytes_per_s), history.bytes_per_s, width),
        *(_percentiles(history, latency, width) for latency in important_latencies(history)),
        error_line(history, width),
        Line("generator ").then(verdict_line(history, width - 10)),
        audit_line(history, width) if requests is None else answers_line(history, width),
        _facts("", delays, width),
    ]


def _stream_facts(progress: Progress) -> list[_Fact]:
    silent = "-" if progress.silent is None else count(progress.silent)
    return [
        (f"{count(progress.open_now)} of {count(progress.planned)} open", Style.BOLD, 9),
        (f"{count(progress.opening)} opening", Style.PLAIN, 5),
        (f"{count(progress.failed)} failed", Style.BAD if progress.failed else Style.PLAIN, 8),
        (f"{silent} silent", Style.BAD if progress.silent else Style.PLAIN, 6),
        (f"{count(progress.reconnecting)} reconnecting", Style.WARNING if progress.reconnecting else Style.PLAIN, 4),
    ]


def _spark(name: str, now: str, series: Series, width: int) -> Line:
    room = max(width - 22, 4)
    return Line(name.ljust(10), (now.rjust(9), Style.BOLD), "  ", (chart(series.values(room), room, 1)[0], Style.CYAN))


def _percentiles(history: RunHistory, latency: AnyLatency, width: int) -> Line:
    # Answers can take longer than a second: then the last one has no request.
    found = history.latest(latency) if history.progress.requests is None else history.overall(latency)
    if found is None:
        return Line(
            f"{NAMES[latency]:10} ",
            ("nothing measured yet" if history.progress.requests else "nothing measured in the last second", Style.DIM),
        )
    facts = [
        (f"{name} {milliseconds(getattr(found, name) / 1000):>6}", Style.PLAIN, importance)
        for name, importance in (("p50", 3), ("p90", 1), ("p99", 4), ("max", 2))
    ]
    return _facts(NAMES[latency], [*facts, ("ms", Style.DIM, 5)], width)


def _facts(name: str, facts: Sequence[_Fact], width: int) -> Line:
    """Return facts with their styles in one line. The least important ones are left out if they do not fit."""
    shown = list(facts)
    while 8 + sum(2 + len(text) for text, _, _ in shown) > width:
        shown.remove(min(shown, key=lambda fact: fact[2]))
    line = Line(name.ljust(8))
    for text, style, _ in shown:
        line.add("  ", (text, style))
    return line


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"

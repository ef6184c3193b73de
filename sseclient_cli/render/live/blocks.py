"""The blocks of the live view. Each is drawn into the lines and columns that it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sseclient_cli.escaping import visible
from sseclient_cli.measure.request_totals import RequestLatency
from sseclient_cli.measure.samples import Latency
from sseclient_cli.render.live.columns import Column, table
from sseclient_cli.render.live.history import Percentiles, RunHistory
from sseclient_cli.render.live.line import Line, Piece, Style
from sseclient_cli.render.live.quantities import bar, clock, count, megabytes, planned, rate
from sseclient_cli.render.live.series import Series, chart
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.run.progress import AnyLatency

NAMES: dict[AnyLatency, str] = {
    RequestLatency.FIRST_TOKEN: "first token",
    RequestLatency.TOKEN_GAP: "token gap",
    RequestLatency.DURATION: "request",
    Latency.DELIVERY: "delivery",
    Latency.GAP: "gap",
    Latency.FIRST_EVENT: "first event",
    Latency.HEADERS: "headers",
    Latency.CONNECT: "connect",
    Latency.TLS: "TLS",
}
"""The latencies in their order of importance, with their names."""

_OF_EVENTS = (Latency.DELIVERY, Latency.GAP, Latency.FIRST_EVENT)
"""The latencies that a run with requests has better ones for."""

MILLISECONDS_WIDTH = 6
LABEL_WIDTH = 10
RATE_WIDTH = 9
TOTAL_WIDTH = 18
CHART_AT = LABEL_WIDTH + RATE_WIDTH + 2
"""Column of all charts."""

CHART_ENDS = 2 + TOTAL_WIDTH
"""Columns right of all charts."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the view with a title."""

    title: str
    least: int
    """Lines that it needs."""
    most: int
    """Lines that it can use."""
    draw: Callable[[int, int], list[Line]]
    """Returns at most the given number of lines, in the given width."""
    rank: int = 2
    """Blocks with a lower rank get more lines first; charts get the rest."""
    charts: int = 0
    """Number of its charts, one below the other, which grow with the lines."""

    @property
    def is_chart(self) -> bool:
        """Whether more lines only make it larger."""
        return self.charts > 0


def head(history: RunHistory, width: int) -> Line:
    """Return the progress bar, with the time that is left."""
    progress = history.progress
    elapsed_s = min(progress.elapsed_s, progress.duration_s)
    share = elapsed_s / progress.duration_s if progress.duration_s else 0
    times = f"{clock(elapsed_s)} of {planned(progress.duration_s)}"
    left = f"{clock(progress.duration_s - elapsed_s)} left"
    line = Line()
    # The widths of the longest texts of this run, so that the bar does not change its length.
    wide = len(f"{clock(progress.duration_s)} of {planned(progress.duration_s)}") + 2
    wide_left = len(f"{clock(progress.duration_s)} left")
    line.then(bar(share, max(width - wide - wide_left - 8, 5)))
    return line.add(f"{share:5.0%}", (times.rjust(wide), Style.PLAIN), " ", (left.rjust(wide_left + 1), Style.BOLD))


def streams(history: RunHistory) -> Block:
    """Return the block of the streams."""

    def draw(_rows: int, width: int) -> list[Line]:
        progress = history.progress
        least = len(f"{progress.planned:,}")
        fields = [
            ("planned", progress.planned, Style.PLAIN, 3),
            ("opening", progress.opening, Style.PLAIN, 7),
            ("open", progress.open_now, Style.BOLD, 9),
            ("reconnecting", progress.reconnecting, Style.WARNING, 4),
            ("failed", progress.failed, Style.BAD, 8),
            ("silent", progress.silent, Style.BAD, 6),
            ("reconnected", progress.reconnected, Style.PLAIN, 5),
            *_if_any("broken", progress.broken, Style.BAD, 5),
            *_if_any("ended", progress.ended_by_server, Style.WARNING, 2),
            *_if_any("completed", progress.completed, Style.PLAIN, 1),
            *_if_any("lost", progress.lost, Style.BAD, 8),
        ]
        columns = [
            Column(title, ((_known(number), style if number else Style.PLAIN),), least, importance)
            for title, number, style, importance in fields
        ]
        return table([""], columns, width)

    return Block("streams", 2, 2, draw)


def _if_any(title: str, number: int, style: Style, importance: int) -> tuple[tuple[str, int, Style, int], ...]:
    return ((title, number, style, importance),) if number else ()


def _known(number: int | None) -> str:
    return "-" if number is None else count(number)


def traffic(history: RunHistory, below: Callable[[RunHistory, int], Line] | None = None) -> Block:
    """Return the block of events and bytes: rates, charts of the whole run, totals, and the audit or another line."""

    def draw(rows: int, width: int) -> list[Line]:
        progress = history.progress
        high = max((rows - 1) // 2, 1)
        between = [Line()] if high > 1 else []
        events = _Rate(
            "events/s", rate, progress.events_per_s, history.events_per_s, count(progress.events), Style.CYAN
        )
        sizes = _Rate(
            "MB/s",
            megabytes,
            progress.bytes_per_s,
            history.bytes_per_s,
            f"{megabytes(progress.bytes)} MB",
            Style.BLUE,
        )
        return [
            *_charted(events, high, width),
            *between,
            *_charted(sizes, rows - 1 - high - len(between), width),
            audit_line(history, width) if below is None else below(history, width),
        ]

    return Block("events", 3, 31, draw, charts=2)


@dataclass(frozen=True, slots=True)
class _Rate:
    """A rate, as it is now and over the run, and its total."""

    name: str
    figure: Callable[[float], str]
    now: float
    series: Series
    total: str
    style: Style


def _charted(shown: _Rate, rows: int, width: int) -> list[Line]:
    """Return a rate with its chart. The first of several lines has the height of the chart, the last one the total."""
    room = max(width - CHART_AT - CHART_ENDS, 4)
    values = shown.series.values(room)
    highest = max((value for value in values if value is not None), default=0)
    lines = [
        Line(" " * LABEL_WIDTH, (label.rjust(RATE_WIDTH), Style.DIM), "  ", (bars, shown.style))
        for label, bars in zip([shown.figure(highest), *[""] * rows], chart(values, room, rows), strict=False)
    ]
    now = Line(shown.name.ljust(LABEL_WIDTH), (shown.figure(shown.now).rjust(RATE_WIDTH), Style.BOLD), "  ")
    now.add((chart(values, room, rows)[-1], shown.style), "  ", f"{shown.total} total".rjust(TOTAL_WIDTH))
    return [*lines[:-1], now]


def audit_line(history: RunHistory, width: int) -> Line:
    """Return the faults of the sequence so far."""
    audit = history.audit
    if audit is None:
        return Line("audit".ljust(LABEL_WIDTH), ("no sequence checked yet", Style.DIM))
    at_least = "at least " if audit.is_lower_bound else ""
    facts: list[Piece] = []
    for number, name in ((audit.lost, "lost"), (audit.duplicated, "duplicated"), (audit.out_of_order, "out of order")):
        prefix = at_least if name == "lost" else ""
        facts += [(f"{prefix}{number:,} {name}", Style.BAD if number else Style.PLAIN), "  "]
    line = Line("audit".ljust(LABEL_WIDTH), *facts)
    source = f"so far, by {visible(audit.source, keep_lines=False)}"
    return line.add((source, Style.DIM)) if line.width + len(source) <= width else line


def latencies(history: RunHistory) -> Block:
    """Return the block of the latencies: of the last second, and since the start if the terminal is wide enough."""

    def draw(rows: int, width: int) -> list[Line]:
        important = important_latencies(history)
        hidden = _OF_EVENTS if history.progress.requests is not None else ()
        found = [(each, history.latest(each), history.overall(each)) for each in NAMES if each not in hidden]
        kept = [each for each in found if each[0] in important or each[1] or each[2]][: max(rows - 1, 0)]
        labels = [NAMES[latency].ljust(len("first event")) for latency, _, _ in kept]
        columns = [
            *_percentile_columns([now for _, now, _ in kept], importance=5, note=""),
            Column("│", [("│", Style.DIM)] * len(kept), importance=4),
            *_percentile_columns([overall for _, _, overall in kept], importance=0, note=""),
        ]
        return table(labels, columns, width)

    return Block("latency in ms: last second │ since the start", 3, 1 + len(Latency), draw)


def important_latencies(history: RunHistory) -> tuple[AnyLatency, AnyLatency]:
    """Return the latencies that are shown even without a value."""
    if history.progress.requests is None:
        return Latency.DELIVERY, Latency.GAP
    return history.main_latency, (
        RequestLatency.TOKEN_GAP if history.progress.requests.is_of_llm else RequestLatency.DURATION
    )


def _percentile_columns(found: list[Percentiles | None], *, importance: int, note: str) -> list[Column]:
    return [
        Column(
            f"{name}{note}",
            [
                ("-", Style.DIM) if each is None else (milliseconds(getattr(each, name) / 1000), Style.PLAIN)
                for each in found
            ],
            MILLISECONDS_WIDTH,
            importance + extra,
        )
        for name, extra in (("p50", 2), ("p90", 1), ("p99", 3), ("max", 2))
    ]

"""Figures as text: a value with its unit, a ratio, a row of a table."""

from __future__ import annotations

from benchmarks.measuring import KEEPS_UP_SHARE
from benchmarks.readers import LIMIT
from benchmarks.rounds import Rounds, median_figure, median_of
from benchmarks.workloads import Kind, Workload

HEADLINES = {
    Kind.PACED: "cpu_us_per_event",
    Kind.WHOLE: "cpu_us_per_event",
    Kind.BLAST: "events_per_s_and_core",
    Kind.IDLE: "rss_bytes_per_stream",
    Kind.OPENING: "opened_per_s",
}
NOTHING = "–"  # noqa: RUF001 - a dash, as typeset

_UNITS = {
    "_us_per_event": "{:.2f} us",
    "_us_per_stream": "{:.0f} us",
    "_bytes_per_stream": "{:,.0f} B",
    "_ms": "{:.3f} ms",
    "_percent": "{:.0f} %",
    "_share": "{:.1%}",
    "_mib": "{:.1f} MiB",
}
_MORE_IS_BETTER = {Kind.BLAST, Kind.OPENING}


def show(name: str, value: float) -> str:
    """Return a figure with its unit, which its name tells."""
    if name == "saturated":
        return "yes" if value else "no"
    for ending, shown in _UNITS.items():
        if name.endswith(ending):
            return shown.format(value)
    return f"{value:,.0f}"


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> str:
    """Return the head of a table."""
    return f"{row(*cells)}\n{row(*['---'] * len(cells))}"


def figure(rounds: Rounds, workload: Workload, reader: str, name: str) -> str:
    """Return the median of a figure."""
    value = median_figure(rounds, workload.name, reader, name)
    return NOTHING if value is None else show(name, value)


def ratio(rounds: Rounds, workload: Workload, reader: str) -> str:
    """Return the headline of a workload: the cost as a multiple of the limit, the speed as a share of it."""
    name = HEADLINES[workload.kind]
    own = median_figure(rounds, workload.name, reader, name)
    if own is None:
        return NOTHING
    text = show(name, own) + ("\\*" if median_of(rounds[workload.name, reader]).note else "")
    limit = median_figure(rounds, workload.name, LIMIT, name)
    # A limit of some bytes per stream is no yardstick: everything else would be a thousand times that.
    if limit is None or reader == LIMIT or workload.kind is Kind.IDLE:
        return text
    # A reader that falls behind looks cheaper than it is: long reads, and no sleep in between.
    text += ", does not keep up" if _share(rounds, workload, reader) < KEEPS_UP_SHARE else ""
    times = own / limit
    return f"**{times:.0%}** ({text})" if workload.kind in _MORE_IS_BETTER else f"**{times:.2f}x** ({text})"


def _share(rounds: Rounds, workload: Workload, reader: str) -> float:
    share = median_figure(rounds, workload.name, reader, "read_share")
    return 1 if share is None else share

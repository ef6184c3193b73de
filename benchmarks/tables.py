"""The results as Markdown: ratios to the limit first, then every workload in absolute figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping

from benchmarks.measuring import KEEPS_UP_SHARE, Figures, Outcome
from benchmarks.readers import LIMIT
from benchmarks.rounds import kept, median_of
from benchmarks.workloads import WORKLOADS, Kind, Workload

Rounds = Mapping[tuple[str, str], list[Outcome]]
"""The outcomes of all rounds by workload and reader."""

_HEADLINES = {
    Kind.PACED: ("cpu_us_per_event", "CPU per event"),
    Kind.BLAST: ("events_per_s", "events/s"),
    Kind.IDLE: ("rss_bytes_per_stream", "memory per stream"),
    Kind.OPENING: ("opened_per_s", "opened/s"),
}
_UNITS = {
    "_us_per_event": "{:.2f} us",
    "_bytes_per_stream": "{:,.0f} B",
    "_ms": "{:.3f} ms",
    "_percent": "{:.0f} %",
    "_share": "{:.1%}",
    "_mib": "{:.1f} MiB",
}
_MORE_IS_BETTER = {Kind.BLAST, Kind.OPENING}
_NOTHING = "–"  # noqa: RUF001 - a dash, as typeset


def markdown(rounds: Rounds, facts: Mapping[str, str], truth: list[Outcome], speed_up: list[Outcome]) -> str:
    """Return the whole report."""
    parts = ["# What reading event streams costs", "\n".join(_ratios(rounds))]
    parts.extend("\n".join(_details(rounds, workload)) for workload in WORKLOADS if _measured(rounds, workload))
    parts.append("\n".join(_bars(median_of(truth), median_of(speed_up))))
    parts.append("\n".join(("## The machine", "", *(f"- {name}: {value}" for name, value in facts.items()))))
    return "\n\n".join(part for part in parts if part) + "\n"


def _measured(rounds: Rounds, workload: Workload) -> list[str]:
    return [reader for name, reader in rounds if name == workload.name]


def _ratios(rounds: Rounds) -> Iterator[str]:
    """Yield one row per reader: its cost as a multiple of the limit, or the share of the limit that it reaches."""
    columns = [workload for workload in WORKLOADS if _measured(rounds, workload)]
    readers = list(dict.fromkeys(reader for _, reader in rounds))
    titles = [f"{_HEADLINES[column.kind][1]}, {column.title}" for column in columns]
    yield "Cost as a multiple of the limit, speed as a share of it. A star: see the note in the tables below."
    yield ""
    yield _row("reader", *titles, "delivery p50 / p99 it reports")
    yield _row(*["---"] * (len(columns) + 2))
    for reader in readers:
        cells = [_ratio(rounds, column, reader) for column in columns]
        yield _row(reader, *cells, _claim(rounds, reader))


def _ratio(rounds: Rounds, workload: Workload, reader: str) -> str:
    name = _HEADLINES[workload.kind][0]
    own = _median(rounds, workload, reader, name)
    if own is None:
        return _NOTHING
    text = _show(name, own) + ("\\*" if median_of(rounds[workload.name, reader]).note else "")
    limit = _median(rounds, workload, LIMIT, name)
    # A limit of some bytes per stream is no yardstick: everything else would be a thousand times that.
    if limit is None or reader == LIMIT or workload.kind is Kind.IDLE:
        return text
    ratio = own / limit
    # A reader that falls behind looks cheaper than it is: long reads, and no sleep in between.
    text += ", does not keep up" if (_median(rounds, workload, reader, "read_share") or 1) < KEEPS_UP_SHARE else ""
    return f"**{ratio:.0%}** ({text})" if workload.kind in _MORE_IS_BETTER else f"**{ratio:.2f}x** ({text})"


def _claim(rounds: Rounds, reader: str) -> str:
    for workload in WORKLOADS:
        p50_ms = _median(rounds, workload, reader, "delivery_p50_ms")
        p99_ms = _median(rounds, workload, reader, "delivery_p99_ms")
        if workload.kind is Kind.PACED and p50_ms is not None and p99_ms is not None:
            return f"{p50_ms:.3g} / {p99_ms:.3g} ms"
    return _NOTHING


def _details(rounds: Rounds, workload: Workload) -> Iterator[str]:
    """Yield a workload's table of absolute figures: medians, and the spread of the headline."""
    outcomes = {reader: rounds[workload.name, reader] for reader in _measured(rounds, workload)}
    names = list(dict.fromkeys(name for rows in outcomes.values() for row in rows for name in row.figures))
    yield f"## {workload.title}"
    yield ""
    yield _row("reader", *(name.replace("_", " ") for name in names), "spread", "note")
    yield _row(*["---"] * (len(names) + 3))
    for reader, rows in outcomes.items():
        median = median_of(rows)
        cells = [_show(name, median.figures[name]) if name in median.figures else _NOTHING for name in names]
        yield _row(reader, *cells, _spread(kept(rows), _HEADLINES[workload.kind][0]), median.note or "")


def _spread(rows: list[Outcome], name: str) -> str:
    values = [row.figures[name] for row in rows if name in row.figures]
    if len(values) < 2 or not statistics.median(values):
        return _NOTHING
    return f"{(max(values) - min(values)) / abs(statistics.median(values)):.0%} of {len(values)}"


def _median(rounds: Rounds, workload: Workload, reader: str, name: str) -> float | None:
    outcomes = rounds.get((workload.name, reader), [])
    return median_of(outcomes).figures.get(name)


def _bars(truth: Outcome, speed_up: Outcome) -> Iterator[str]:
    if not (truth.figures or truth.note or speed_up.figures or speed_up.note):
        return
    yield "## Two promises"
    yield ""
    yield f"- Delivery p50 that `sse bench` reports, busy less quiet: {_truth(truth.figures) or truth.note}"
    yield f"- Two workers against one, at full blast: {_speed_up(speed_up.figures) or speed_up.note}"


def _truth(figures: Figures) -> str:
    if not figures:
        return ""
    sides = (
        f"{figures[f'{side}_streams']:,.0f} streams at {figures[f'{side}_cpu_percent']:.0f} % CPU: p50 "
        f"{figures[f'{side}_delivery_p50_ms']:.3f} ms, p99 {figures[f'{side}_delivery_p99_ms']:.3f} ms, "
        f"{'saturated' if figures[f'{side}_saturated'] else 'not saturated'}"
        for side in ("busy", "quiet")
    )
    return f"**{figures['p50_difference_ms']:.3f} ms** ({'; '.join(sides)})"


def _speed_up(figures: Figures) -> str:
    if not figures:
        return ""
    one, two, source = (figures[name] for name in ("events_per_s_1", "events_per_s_2", "source_cpu_percent_2"))
    return f"**{two / one:.2f}x** ({two:,.0f} against {one:,.0f} events/s, the source at {source:.0f} % of a core)"


def _show(name: str, value: float) -> str:
    """Return a figure with its unit, which its name tells."""
    if name == "saturated":
        return "yes" if value else "no"
    for ending, shown in _UNITS.items():
        if name.endswith(ending):
            return shown.format(value)
    return f"{value:,.0f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"

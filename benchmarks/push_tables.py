"""The cost of each push endpoint as Markdown: first a summary, then all figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measuring import DISTURBED, Outcome
from benchmarks.push_measuring import BASE, RATE, Sizes, falls_behind
from benchmarks.rounds import kept, median_of
from benchmarks.workloads import Kind

Rounds = Mapping[tuple[Kind, str], list[Outcome]]
"""The outcomes of all rounds, by kind of measurement and endpoint."""

NOTHING = "–"  # noqa: RUF001 - a dash, as typeset


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of the summary."""

    kind: Kind
    figure: str
    title: str
    shown: str
    is_compared: bool = True
    """Whether to show the ratio and the spread; not if another column is equivalent."""


def columns(sizes: Sizes) -> tuple[Column, ...]:
    """Return the columns of the summary. Rates are per core, because other processes may have used a part of it."""
    load = f"{sizes.streams:,} x {RATE}/s"
    memory = "memory per idle stream ({:,} to {:,})".format(*sizes.idle_streams)
    return (
        Column(Kind.BLAST, "events_per_s_and_core", "events/s per core, one connection", "{:,.0f}"),
        Column(Kind.PACED, "cpu_us_per_event", f"CPU per event, {load}", "{:.1f} us", is_compared=False),
        Column(Kind.PACED, "events_per_s_and_core", f"events/s per core, {load}", "{:,.0f}"),
        Column(Kind.IDLE, "rss_kib_per_stream", memory, "{:.1f} KiB"),
    )


_UNITS = {"_us_per_event": "{:.2f} us", "_percent": "{:.0f} %", "_share": "{:.1%}", "_mib": "{:.1f} MiB"}
_TITLES = {
    Kind.BLAST: "One connection, as fast as it goes",
    Kind.PACED: "Many connections, few events each",
    Kind.IDLE: "Memory",
}


def markdown(rounds: Rounds, sizes: Sizes, facts: Mapping[str, str]) -> str:
    """Return the report."""
    names = list(dict.fromkeys(name for _, name in rounds))
    parts = ["# Cost of each push endpoint", "\n".join(_summary(rounds, names, sizes))]
    parts.extend("\n".join(_details(rounds, kind, names)) for kind in _TITLES)
    parts.append("\n".join(("## The machine", "", *(f"- {name}: {value}" for name, value in facts.items()))))
    return "\n\n".join(parts) + "\n"


def _summary(rounds: Rounds, names: Sequence[str], sizes: Sizes) -> Iterator[str]:
    yield f"In parentheses: the ratio to {BASE} (median over the rounds) and the spread of the figure. A star: see the"
    yield "note in the tables below."
    yield ""
    shown = columns(sizes)
    yield _row("endpoint", *(column.title for column in shown))
    yield _row(*["---"] * (len(shown) + 1))
    for name in names:
        yield _row(name, *(_cell(rounds, column, name) for column in shown))


def _cell(rounds: Rounds, column: Column, name: str) -> str:
    outcomes = rounds.get((column.kind, name), [])
    median = median_of(outcomes)
    value = median.figures.get(column.figure)
    if value is None:
        return NOTHING
    # A server that does not keep up has no cost per event in time. Its events/s at full load are shown instead.
    if column.figure == "cpu_us_per_event" and any(falls_behind(o.figures) for o in kept(outcomes)):
        return f"does not keep up: {median.figures['events_per_s']:,.0f} events/s\\*"
    star = "\\*" if median.note else ""
    if not column.is_compared:
        return column.shown.format(value) + star
    ratio = ratio_to_base(outcomes, rounds.get((column.kind, BASE), []), column.figure)
    remarks = [f"{ratio:.2f}x"] if ratio is not None and name != BASE else []
    remarks += [text] if (text := spread(outcomes, column.figure)) else []
    return column.shown.format(value) + star + (f" ({', '.join(remarks)})" if remarks else "")


def ratio_to_base(outcomes: Sequence[Outcome], base: Sequence[Outcome], figure: str) -> float | None:
    """Return the median of the ratios of all undisturbed rounds, or of all rounds if none is undisturbed."""
    pairs = [
        (own, other)
        for own, other in zip(outcomes, base, strict=False)
        if figure in own.figures and other.figures.get(figure)
    ]
    quiet = [pair for pair in pairs if not any((outcome.note or "").startswith(DISTURBED) for outcome in pair)]
    ratios = [own.figures[figure] / other.figures[figure] for own, other in quiet or pairs]
    return statistics.median(ratios) if ratios else None


def spread(outcomes: list[Outcome], figure: str) -> str:
    """Return the range of the kept rounds relative to their median; nothing for a single round."""
    values = [outcome.figures[figure] for outcome in kept(outcomes) if figure in outcome.figures]
    if len(values) < 2 or not statistics.median(values):
        return ""
    return f"spread {(max(values) - min(values)) / abs(statistics.median(values)):.0%} of {len(values)}"


def _details(rounds: Rounds, kind: Kind, names: Sequence[str]) -> Iterator[str]:
    """Yield a table of all medians."""
    rows = {name: rounds[kind, name] for name in names if (kind, name) in rounds}
    figures = list(dict.fromkeys(name for outcomes in rows.values() for o in outcomes for name in o.figures))
    yield f"## {_TITLES[kind]}"
    yield ""
    yield _row("endpoint", *(figure.replace("_", " ") for figure in figures), "note")
    yield _row(*["---"] * (len(figures) + 2))
    for name, outcomes in rows.items():
        median = median_of(outcomes)
        yield _row(name, *(_show(figure, median.figures.get(figure)) for figure in figures), median.note or "")


def _show(figure: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    for ending, shown in _UNITS.items():
        if figure.endswith(ending):
            return shown.format(value)
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"

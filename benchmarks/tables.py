"""The results as Markdown: the bars, a table for each question, then every workload in absolute figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.bars import Verdict, bars_table
from benchmarks.cells import HEADLINES, NOTHING, figure, head, ratio, row, show
from benchmarks.measuring import Figures, Outcome
from benchmarks.readers import NOT_INSTALLABLE
from benchmarks.rounds import Rounds, kept, median_of
from benchmarks.workloads import ARRIVALS, BLASTS, PACED_FORMS, PROCESSES, WORKLOADS, Workload, named

_SECTIONS: tuple[tuple[str, str, Sequence[Workload]], ...] = (
    ("CPU per event, steady", "In a window after all streams are open. In bold: to the limit.", ARRIVALS),
    (
        "CPU per event of each form, steady",
        "4,000 streams x 10 events/s, each event alone. In bold: to the limit.",
        (named("4000x10"), *PACED_FORMS),
    ),
    (
        "Events/s per core of each form, full blast",
        "100 streams, per CPU second, in a window as above. In bold: the share of the limit.",
        BLASTS,
    ),
    (
        "Opening, memory, and the whole process",
        "CPU per event of the whole process, with its start, its opening and its report; streams opened/s; memory per "
        "stream.",
        PROCESSES,
    ),
)
_FIXED = (
    ("start: CPU until the first hundredth of the streams", "whole", "start_cpu_ms"),
    ("opening: CPU per stream", "opening", "cpu_us_per_stream"),
    ("opening: time per stream", "opening", "wall_us_per_stream"),
    ("end and report: CPU", "whole", "end_cpu_ms"),
)


def markdown(
    rounds: Rounds,
    facts: Mapping[str, str],
    verdicts: list[Verdict],
    truth: list[Outcome],
    speed_up: list[Outcome],
) -> str:
    """Return the whole report."""
    parts = ["# What reading event streams costs", "A star: see the note in the tables below."]
    if verdicts:
        parts.append("\n".join(("## Bars", "", *bars_table(verdicts))))
    parts.extend("\n".join(_section(rounds, *section)) for section in _SECTIONS)
    parts.append("\n".join(_fixed_costs(rounds)))
    parts.append("\n".join(_claims(rounds)))
    parts.append("\n".join(_promises(median_of(truth), median_of(speed_up))))
    parts.append("\n".join(_not_measured(rounds)))
    parts.extend("\n".join(_details(rounds, load)) for load in WORKLOADS if _readers(rounds, [load]))
    parts.append("\n".join(("## The machine", "", *(f"- {name}: {value}" for name, value in facts.items()))))
    return "\n\n".join(part for part in parts if part) + "\n"


def _readers(rounds: Rounds, workloads: Sequence[Workload]) -> list[str]:
    """Return the readers with a figure of any of these workloads."""
    names = {workload.name for workload in workloads}
    measured = (reader for (workload, reader), found in rounds.items() if workload in names and kept(found))
    return list(dict.fromkeys(measured))


def _section(rounds: Rounds, title: str, note: str, workloads: Sequence[Workload]) -> Iterator[str]:
    """Yield a table with a row per workload and a column per reader."""
    run = [workload for workload in workloads if _readers(rounds, [workload])]
    if not run:
        return
    readers = _readers(rounds, run)
    yield from (f"## {title}", "", note, "", head("", *readers))
    for workload in run:
        yield row(workload.title, *(ratio(rounds, workload, reader) for reader in readers))


def _fixed_costs(rounds: Rounds) -> Iterator[str]:
    """Yield the costs that no figure per event contains but that of the whole process."""
    run = [(title, named(load), name) for title, load, name in _FIXED if _readers(rounds, [named(load)])]
    if not run:
        return
    readers = _readers(rounds, [workload for _, workload, _ in run])
    yield from ("## Fixed costs", "", head("", *readers))
    for title, workload, name in run:
        yield row(title, *(figure(rounds, workload, reader, name) for reader in readers))


def _claims(rounds: Rounds) -> Iterator[str]:
    """Yield the delivery latencies that the readers themselves report."""
    run = [load for load in ARRIVALS if _readers(rounds, [load])]
    readers = [name for name in _readers(rounds, run) if any(_claim(rounds, load, name) != NOTHING for load in run)]
    if not readers:
        return
    yield from ("## Delivery that the readers report, p50 / p99", "", head("", *readers))
    for workload in run:
        yield row(workload.title, *(_claim(rounds, workload, reader) for reader in readers))


def _claim(rounds: Rounds, workload: Workload, reader: str) -> str:
    figures = median_of(rounds.get((workload.name, reader), [])).figures
    if "delivery_p50_ms" not in figures:
        return NOTHING
    return f"{figures['delivery_p50_ms']:.3g} / {figures['delivery_p99_ms']:.3g} ms"


def _not_measured(rounds: Rounds) -> Iterator[str]:
    """Yield the readers without any figure, and the reason of each."""
    reasons = dict(NOT_INSTALLABLE)
    measured = _readers(rounds, WORKLOADS)
    for (_, reader), outcomes in rounds.items():
        if reader not in measured and outcomes[-1].note:
            reasons.setdefault(reader, outcomes[-1].note)
    yield from ("## Not measured", "", head("reader", "why"))
    for reader, reason in reasons.items():
        yield row(reader, reason)


def _details(rounds: Rounds, workload: Workload) -> Iterator[str]:
    """Yield a workload's table of absolute figures: medians, and the spread of the headline."""
    outcomes = {reader: found for (name, reader), found in rounds.items() if name == workload.name}
    names = list(dict.fromkeys(name for found in outcomes.values() for outcome in found for name in outcome.figures))
    yield from (f"## {workload.name}", "")
    yield head("reader", *(name.replace("_", " ") for name in names), "spread", "note")
    for reader, found in outcomes.items():
        median = median_of(found)
        cells = [show(name, median.figures[name]) if name in median.figures else NOTHING for name in names]
        yield row(reader, *cells, _spread(kept(found), HEADLINES[workload.kind]), median.note or "")


def _spread(outcomes: list[Outcome], name: str) -> str:
    values = [outcome.figures[name] for outcome in outcomes if name in outcome.figures]
    if len(values) < 2 or not statistics.median(values):
        return NOTHING
    return f"{(max(values) - min(values)) / abs(statistics.median(values)):.0%} of {len(values)}"


def _promises(truth: Outcome, speed_up: Outcome) -> Iterator[str]:
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

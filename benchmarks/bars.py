"""The figures that `sse bench` must reach, each in the same run as the reader that it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.readers import AIOHTTP, LIMIT, SSE_BENCH
from benchmarks.rounds import Rounds, kept, median_figure
from benchmarks.workloads import BLASTS, FORMS

CPU = "cpu_us_per_event"
RATE = "events_per_s_and_core"


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure of `sse bench` on a workload, as a multiple of another reader's or alone, and its limit."""

    title: str
    workload: str
    figure: str
    limit: float
    to: str | None = None
    """The reader that it is compared with; None: the figure itself."""
    at_least: bool = False

    def measured(self, rounds: Rounds) -> float | None:
        own = median_figure(rounds, self.workload, SSE_BENCH, self.figure)
        if self.to is None:
            return own
        other = median_figure(rounds, self.workload, self.to, self.figure)
        return own / other if own is not None and other else None

    def doubt(self, rounds: Rounds) -> str | None:
        """Return why the figure does not count: a reader that waits for its core or falls behind looks cheap."""
        readers = [SSE_BENCH] if self.to is None else [SSE_BENCH, self.to]
        counting = [outcome for reader in readers for outcome in kept(rounds.get((self.workload, reader), []))]
        return next((outcome.note for outcome in counting if outcome.note), None)


BARS = (
    Bar("CPU per event, each event alone, to the limit", "4000x10", CPU, 1.8, LIMIT),
    Bar("CPU per event, broadcast, to the limit", "broadcast", CPU, 2.2, LIMIT),
    Bar("CPU per event, whole process over 10 s, to the limit", "whole", CPU, 3.0, LIMIT),
    Bar("CPU per event, 500 x 10/s, to aiohttp", "500x10", CPU, 0.5, AIOHTTP),
    *(
        Bar(
            f"events/s per core at full blast, {FORMS[load.name.removeprefix('blast-')]}",
            load.name,
            RATE,
            1.8e6,
            at_least=True,
        )
        for load in BLASTS
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar and the figure of a run."""

    bar: Bar
    measured: float | None
    doubt: str | None = None

    @property
    def holds(self) -> bool:
        """Return whether it holds: a figure that is missing or in doubt does not."""
        if self.measured is None or self.doubt:
            return False
        return self.measured >= self.bar.limit if self.bar.at_least else self.measured <= self.bar.limit


def verdicts(rounds: Rounds) -> list[Verdict]:
    """Return those of all bars whose workload was run."""
    run = {workload for workload, _ in rounds}
    return [Verdict(bar, bar.measured(rounds), bar.doubt(rounds)) for bar in BARS if bar.workload in run]


def bars_table(found: list[Verdict]) -> Iterator[str]:
    """Yield the lines of the table: bar, measured, holds or not."""
    yield "| bar of `sse bench` | must be | measured | holds |"
    yield "| --- | --- | --- | --- |"
    for verdict in found:
        bar = verdict.bar
        must = f"{'at least' if bar.at_least else 'at most'} {_shown(bar, bar.limit)}"
        measured = "not measured" if verdict.measured is None else _shown(bar, verdict.measured)
        yield f"| {bar.title} | {must} | {measured} | {_holds(verdict)} |"


def _holds(verdict: Verdict) -> str:
    if verdict.holds:
        return "yes"
    return f"**no**: {verdict.doubt}" if verdict.doubt else "**no**"


def _shown(bar: Bar, value: float) -> str:
    return f"{value:.2f}x" if bar.to else f"{value / 1e6:.2f}M"

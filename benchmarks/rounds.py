"""Several rounds of one thing become one figure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from benchmarks.measuring import DISTURBED, Outcome

Rounds = Mapping[tuple[str, str], list[Outcome]]
"""The outcomes of all rounds by workload and reader."""


def kept(outcomes: list[Outcome]) -> list[Outcome]:
    """Return the rounds that count: those that nothing disturbed, or all that measured anything if there is none."""
    measured = [outcome for outcome in outcomes if outcome.figures]
    undisturbed = [outcome for outcome in measured if not (outcome.note or "").startswith(DISTURBED)]
    return undisturbed or measured


def median_of(outcomes: list[Outcome]) -> Outcome:
    """Return the medians of the rounds that count and a note about them, or the reason why nothing was measured."""
    counting = kept(outcomes)
    if not counting:
        return outcomes[-1] if outcomes else Outcome()
    names = dict.fromkeys(name for outcome in counting for name in outcome.figures)
    medians = {
        name: statistics.median(outcome.figures[name] for outcome in counting if name in outcome.figures)
        for name in names
    }
    notes = [outcome.note for outcome in counting if outcome.note][-1:]
    if left_out := len(outcomes) - len(counting):
        notes.append(f"{left_out} of {len(outcomes)} rounds left out: disturbed, or nothing measured")
    return Outcome(medians, "; ".join(notes) or None)


def median_figure(rounds: Rounds, workload: str, reader: str, name: str) -> float | None:
    """Return one figure of a reader on a workload; None if it was not measured."""
    return median_of(rounds.get((workload, reader), [])).figures.get(name)

"""Search the largest load that meets the assertions. Pure: it chooses the next load from the steps so far.

The load doubles until a step does not pass, and halves if the first one does not pass. Then the interval between the
largest load that passed and the smallest that did not is divided at its geometric mean, until they differ by less than
PRECISION. A step that does not pass is repeated once, because a single pause of a shared machine fails a p99: a load
fails only if both of its steps fail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sseclient_cli.report.step_model import Step, StepStatus, Varied

PRECISION = 1.1
"""The search ends when the smallest failing load is at most this multiple of the largest passing one. Closer loads
differ less than two runs of the same load."""

GROWTH = 2.0

ATTEMPTS = 2
"""Steps that a load has before it counts as failed."""

LEAST_RATE_PER_S = 0.1
"""A step at a lower rate opens a single stream in its usual 10 s."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """The loads between which the limit lies; None: not found yet."""

    passed: float | None
    failed: float | None


def bracket(steps: Sequence[Step]) -> Bracket:
    """Return the largest load that passed, and the smallest load above it that failed at each attempt."""
    passed = max((step.load for step in steps if step.status is StepStatus.PASSED), default=None)
    failed = [load for load in _loads(steps) if _attempts(steps, load) >= ATTEMPTS and load > (passed or 0)]
    return Bracket(passed, min(failed, default=None))


def next_load(steps: Sequence[Step], start: float, varied: Varied) -> float | None:
    """Return the load of the next step; None if the search is over."""
    if not steps:
        return start
    found = bracket(steps)
    last = steps[-1]
    if last.status is not StepStatus.PASSED and _attempts(steps, last.load) < ATTEMPTS:
        return last.load if last.load > (found.passed or 0) else None
    if found.failed is None:
        return GROWTH * (found.passed or start)
    if found.passed is None:
        lower = _rounded(found.failed / GROWTH, varied)
        return lower if lower < found.failed else None
    if found.failed <= PRECISION * found.passed:
        return None
    middle = _rounded(math.sqrt(found.passed * found.failed), varied)
    return middle if found.passed < middle < found.failed else None


def _loads(steps: Sequence[Step]) -> list[float]:
    return sorted({step.load for step in steps})


def _attempts(steps: Sequence[Step], load: float) -> int:
    return sum(step.load == load for step in steps)


def _rounded(load: float, varied: Varied) -> float:
    """Return a whole number of streams, or a rate with three significant digits."""
    return max(round(load), 1) if varied is Varied.CONNECTIONS else max(float(f"{load:.3g}"), LEAST_RATE_PER_S)

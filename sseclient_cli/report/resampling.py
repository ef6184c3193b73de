"""Standard errors of the figures of a run, from its timeline or from a histogram. Pure, and the same at each call.

Rows of one run are alike if they are neighbours, so the bootstrap draws blocks of neighbouring rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, log, sqrt
from random import Random
from statistics import NormalDist, stdev

MIN_ROWS = 5
"""With fewer rows, the noise cannot be estimated."""

MAX_ROWS = 100
"""Longer runs are resampled in wider rows, which are less alike."""

MIN_BEYOND = 10
"""Values that must lie beyond a percentile: fewer ones are single events, not a tail."""

RESAMPLES = 400

_SEED = 20261128

_ROUNDING = 1 / 64 / sqrt(12)
"""The standard error of values that are rounded to 1/64, as those of a row are."""


_Figure = Callable[[Sequence[int]], float]
"""A figure of rows, from the weight of each row."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The logarithm of a figure."""

    log: float
    error: float
    """Its standard error."""
    freedom: float
    """The degrees of freedom of the error."""


def percentile_of_rows(rows: Sequence[Mapping[int, int]], percentile: float) -> Estimate | None:
    """Return the estimate of a percentile of all rows' values; None if it cannot be estimated."""
    total = sum(sum(row.values()) for row in rows)
    if len(rows) < MIN_ROWS or not _has_tail(total, percentile):
        return None
    rows = _widened(rows)
    values = sorted({value for row in rows for value in row})
    sums = [list(accumulate(row.get(value, 0) for value in values)) for row in rows]

    def quantile(weights: Sequence[int]) -> int:
        chosen = [(times, row) for times, row in zip(weights, sums, strict=True) if times]
        rank = percentile / 100 * sum(times * row[-1] for times, row in chosen)
        return values[
            bisect_left(range(len(values) - 1), rank, key=lambda at: sum(times * row[at] for times, row in chosen))
        ]

    return _bootstrapped(len(rows), quantile)


def mean_of_rows(rows: Sequence[float]) -> Estimate | None:
    """Return the estimate of the mean of a figure that each row has."""
    if len(rows) < MIN_ROWS:
        return None
    return _bootstrapped(len(rows), lambda weights: sum(w * row for w, row in zip(weights, rows, strict=True)))


def percentile_of_values(counts: Mapping[int, int], percentile: float, seconds: int) -> Estimate | None:
    """Return the estimate of a percentile from the ranks around it; None if it cannot be estimated.

    Values of one second depend on each other, because the target was equally busy: each second counts as one value.
    """
    total, share = sum(counts.values()), percentile / 100
    if seconds < MIN_ROWS or not _has_tail(total, percentile):
        return None
    z = NormalDist().inv_cdf(0.975)
    margin = z * sqrt(share * (1 - share) / min(seconds, total))
    if margin > min(share, 1 - share):
        return None
    values, sums = list(counts), list(accumulate(counts.values()))
    low, middle, high = (values[bisect_left(sums, (share + offset) * total)] for offset in (-margin, 0, margin))
    if low <= 0:
        return None
    return Estimate(log(middle), max(log(high / low) / (2 * z), _ROUNDING), min(seconds, total) - 1)


def rate_of(per_s: float | None, count: int) -> Estimate | None:
    """Return the estimate of a rate of this many requests, as if they ended at random (a Poisson process).

    A closed loop ends them more evenly: its rates differ less.
    """
    if not per_s or count < MIN_BEYOND:
        return None
    return Estimate(log(per_s), 1 / sqrt(count), count - 1)


def _has_tail(total: int, percentile: float) -> bool:
    return total * min(percentile, 100 - percentile) / 100 >= MIN_BEYOND


def _bootstrapped(count: int, figure: _Figure) -> Estimate | None:
    """Return the estimate of a figure of weighted rows, by the circular block bootstrap."""
    length = max(round(count ** (1 / 3)), 1)
    blocks = ceil(count / length)
    random = Random(_SEED)
    found = [figure([1] * count)]
    for _ in range(RESAMPLES):
        weights = [0] * count
        for _ in range(blocks):
            start = random.randrange(count)
            for place in range(start, start + length):
                weights[place % count] += 1
        found.append(figure(weights))
    if min(found) <= 0:
        return None
    logs = [log(value) for value in found]
    # A bootstrap of few blocks underestimates the variance by 1 / blocks.
    error = stdev(logs[1:]) * sqrt(blocks / (blocks - 1))
    return Estimate(logs[0], sqrt(error**2 + _ROUNDING**2), blocks - 1)


def _widened(rows: Sequence[Mapping[int, int]]) -> Sequence[Mapping[int, int]]:
    """Return the rows, merged with their neighbours if there are too many."""
    width = ceil(len(rows) / MAX_ROWS)
    if width == 1:
        return rows
    merged: list[Mapping[int, int]] = []
    for start in range(0, len(rows), width):
        total: dict[int, int] = {}
        for row in rows[start : start + width]:
            for value, times in row.items():
                total[value] = total.get(value, 0) + times
        merged.append(total)
    return merged

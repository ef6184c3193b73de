"""Distributions of integers, mostly microseconds, as counts of values rounded to a few significant bits.

Pure. Importing an HdrHistogram takes 30 ms, which `sse watch` need not wait for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from math import ceil

ROUNDED_BITS = 7
"""Significant bits of a rounded value: less than 1/64 below the value. One second has a few hundred different ones."""


class RoundedValues:
    """Values rounded as by ``rounded``, with their counts: at most about a thousand different ones.

    It has less precision than a histogram, and adds values at a tenth of the cost. Percentiles are rounded down, so
    that a first token of 301 ms is 299 ms in the live view: the lowest value that is rounded to it, where a histogram
    has the highest.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def record(self, counts: Mapping[int, int]) -> None:
        """Add rounded values with their counts."""
        self._counts.update(counts)

    @property
    def count(self) -> int:
        """The number of values."""
        return self._counts.total()

    @property
    def max_us(self) -> int:
        """The largest value; 0 without values."""
        return max(self._counts, default=0)

    def percentiles_us(self, wanted: Iterable[float]) -> dict[float, int | None]:
        """Return the value at each percentile (0-100); None without values."""
        values = sorted(self._counts)
        at_most = list(accumulate(self._counts[value] for value in values))
        if not values:
            return dict.fromkeys(wanted)
        return {each: values[bisect_left(at_most, ceil(round(each / 100 * at_most[-1], 6)))] for each in wanted}


def percentile_us(counts: Mapping[int, int], percentile: float) -> int:
    """Return the value at a percentile (0-100) of values with their counts. There must be at least one value."""
    rank = percentile / 100 * sum(counts.values())
    seen = 0
    value_us = 0
    for value_us in sorted(counts):
        seen += counts[value_us]
        if seen >= rank:
            break
    return value_us


def rounded(counts: Mapping[int, int]) -> Counter[int]:
    """Return the counts of the values rounded down to ROUNDED_BITS: few enough to keep or to send."""
    found: Counter[int] = Counter()
    add_cut(found, counts, ROUNDED_BITS)
    return found


def add_cut(found: Counter[int], counts: Mapping[int, int], bits: int) -> None:
    """Add values, rounded down to ``bits`` significant bits."""
    for value_us, times in counts.items():
        shift = value_us.bit_length() - bits
        found[value_us >> shift << shift if shift > 0 else value_us] += times

"""Bins of a latency for a histogram: log-spaced or, in a narrow range, even; their bounds are easy to read. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from sseclient_cli.report.distributions import Latency

_SERIES: tuple[tuple[int, ...], ...] = (
    (10, 11, 12, 14, 16, 18, 20, 22, 25, 28, 32, 36, 40, 45, 50, 56, 63, 71, 80, 90),
    (10, 12, 15, 20, 25, 30, 40, 50, 60, 80),
    (10, 15, 25, 40, 60),
    (10, 20, 50),
    (10, 30),
    (10,),
)
"""Bounds of one decade, the finest series first: all have two digits, and are almost evenly log-spaced."""

_DECADES = 12
"""From 1 us to more than a day, the range of the histograms."""

MAX_TAIL_SHARE = 0.01
"""At most this share of the values, at each end, may be in a bin that is wider than the others."""


NARROW = 2
"""Up to this ratio of the largest to the smallest value, without the tails, evenly spaced bins are used."""


LEAST_STEP = 0.01
"""The least ratio of an even bin to the values: the values themselves are known to 0.1 %."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A range of latencies with its count."""

    low_ms: float | None
    """The lower bound, inclusive; None for negative values."""
    high_ms: float
    """The upper bound, exclusive."""
    count: int


def bins(latency: Latency, most: int) -> list[Bin]:
    """Return adjacent bins that contain all values: at most ``most`` of them, which is at least 3.

    Rare extremes share the first and the last bin, which is then wider; bins in between may be empty. Negative values
    (the clocks differ) have a bin of their own. If the latencies differ little, the bins are evenly spaced. A value
    within 0.1 % of a bound may be in the bin beside it.
    """
    counts = latency.histogram().counts_us()
    below = [Bin(None, 0.0, latency.negative)] if latency.negative else []
    if not counts:
        return below
    most -= len(below)
    return below + (_even_bins(counts, most) or _log_spaced_bins(counts, most))


def _even_bins(counts: Mapping[int, int], most: int) -> list[Bin]:
    """Return evenly spaced bins, and a wider one for each tail.

    None if the values differ by more than ``NARROW``, or so little that one bin holds all but the tails.
    """
    low_us, high_us = (_value_at(counts, share) for share in (MAX_TAIL_SHARE / 2, 1 - MAX_TAIL_SHARE / 2))
    if high_us > NARROW * low_us or most < 3:
        return []
    steps = (each * 10**power for power in range(_DECADES) for each in (1, 2, 5))
    step = next(step for step in steps if high_us // step - low_us // step + 3 <= most and step >= LEAST_STEP * low_us)
    if high_us // step == low_us // step:
        return []
    bounds_us = list(range(low_us // step * step, high_us + step + 1, step))
    ends_us = _bounds_us(_SERIES[0])
    smallest_us, largest_us = min(counts), max(counts)
    if smallest_us < bounds_us[0]:
        bounds_us.insert(0, ends_us[bisect_right(ends_us, smallest_us) - 1])
    if largest_us >= bounds_us[-1]:
        bounds_us.append(ends_us[bisect_right(ends_us, largest_us)])
    return _filled(counts, bounds_us)


def _value_at(counts: Mapping[int, int], share: float) -> int:
    rank = share * sum(counts.values())
    return next(value for value, seen in zip(counts, accumulate(counts.values()), strict=True) if seen >= rank)


def _log_spaced_bins(counts: Mapping[int, int], most: int) -> list[Bin]:
    found: list[Bin] = []
    for series in _SERIES:
        found = _filled(counts, _bounds_us(series))
        # With the coarsest series, the bins at the ends are always merged.
        share = 1 if series is _SERIES[-1] else MAX_TAIL_SHARE
        found = _with_merged_tails(found, most, share * sum(counts.values()))
        if len(found) <= most:
            break
    return found


def _bounds_us(series: tuple[int, ...]) -> list[int]:
    """Return the bounds in whole microseconds; the first one is 0, because a latency below 1 us counts as 0."""
    tenths = (step * 10**decade for decade in range(_DECADES) for step in series)
    return [0, *(each // 10 for each in tenths if each % 10 == 0)]


def _filled(counts: Mapping[int, int], bounds_us: list[int]) -> list[Bin]:
    """Return the bins from the smallest to the largest value."""
    totals: Counter[int] = Counter()
    for value_us, count in counts.items():
        totals[bisect_right(bounds_us, value_us)] += count
    places = range(min(totals, default=1), max(totals, default=0) + 1)
    return [Bin(bounds_us[place - 1] / 1000, bounds_us[place] / 1000, totals[place]) for place in places]


def _with_merged_tails(found: list[Bin], most: int, most_in_tail: float) -> list[Bin]:
    """Merge bins at the ends, the rarer ones first, until few enough are left, or a tail would hold too many values."""
    while len(found) > most:
        low, high = _joined(*found[:2]), _joined(*found[-2:])
        if min(low.count, high.count) > most_in_tail:
            break
        found = [low, *found[2:]] if low.count < high.count else [*found[:-2], high]
    return found


def _joined(lower: Bin, upper: Bin) -> Bin:
    return Bin(lower.low_ms, upper.high_ms, lower.count + upper.count)

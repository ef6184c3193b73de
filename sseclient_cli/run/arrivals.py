"""The times at which the streams of an arrival rate start.

Deterministic: the times follow from a seed, so that each worker knows those of its slots, and a repeated run has the
same. Only this module may use ``random``; the plan is pure.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from random import Random

MAX_RANDOM_ARRIVALS = 1_000_000
"""Each worker makes all times of a plan: 8 MB and about 1 s for this many."""

MAX_SEED = 2**31 - 1


class Arrivals(StrEnum):
    """How the starts are spread over the arrival time."""

    CONSTANT = "constant"
    """At even intervals."""
    POISSON = "poisson"
    """As those of independent visitors. The number of starts is that of the rate; given its number of arrivals, a
    Poisson process is that many independent uniform times, in order."""


@lru_cache(maxsize=2)
def poisson_starts_ns(count: int, over_ns: int, seed: int) -> Sequence[int]:
    """Return ``count`` times below ``over_ns``, in order. The same arguments return the same times on each machine."""
    chance = Random(seed).random  # Python promises that this method never changes its sequence
    return array("q", sorted(int(chance() * over_ns) for _ in range(count)))


def most_within(times_ns: Sequence[int], span_ns: int) -> int:
    """Return the maximum number of these ordered times in a span, its two ends included."""
    first, most = 0, 0
    for place, time_ns in enumerate(times_ns):
        first = bisect_left(times_ns, time_ns - span_ns, first, place)
        most = max(most, place - first + 1)
    return most

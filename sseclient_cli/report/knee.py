"""The knee of a curve of load and latency. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

LEAST_LOADS = 4


def knee(points: Iterable[tuple[float, float | None]]) -> float | None:
    """Return the load at the knee of the curve: the largest distance below the chord (Kneedle, Satopaa 2011).

    The points are loads with a latency, in any order; a load that ran several times has the median.
    """
    latencies: dict[float, list[float]] = {}
    for load, latency in points:
        if latency is not None:
            latencies.setdefault(load, []).append(latency)
    curve = {load: median(latencies[load]) for load in sorted(latencies)}
    if len(curve) < LEAST_LOADS:
        return None
    loads, lowest, highest = list(curve), min(curve.values()), max(curve.values())
    if highest <= lowest:
        return None

    def below_chord(load: float) -> float:
        return (load - loads[0]) / (loads[-1] - loads[0]) - (curve[load] - lowest) / (highest - lowest)

    found = max(loads, key=below_chord)
    # At an end, the curve does not bend upwards: the latency falls, or rises more slowly than the load.
    return None if found in (loads[0], loads[-1]) else found

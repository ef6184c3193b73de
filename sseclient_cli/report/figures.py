"""Distributions as the document holds them: percentiles by name, in the unit of the name; None without a value."""

from __future__ import annotations

from sseclient_cli.load.histogram import Histogram
from sseclient_cli.report.findings import Document

_PERCENTILES = {"p50_ms": 50.0, "p90_ms": 90.0, "p95_ms": 95.0, "p99_ms": 99.0, "p999_ms": 99.9, "p9999_ms": 99.99}


def latency(histogram: Histogram, stamp: str) -> Document | None:
    """Return a latency of the report; ``stamp`` says who took the time of arrival: ``kernel`` or ``user``."""
    if not histogram.count:
        return None
    values = histogram.percentiles_us(_PERCENTILES.values())
    found: Document = {
        "count": histogram.count,
        "min_ms": histogram.min_us / 1000,
        "mean_ms": round(histogram.sum_us / histogram.count / 1000, 4),
        **{name: _ms(values[percentile]) for name, percentile in _PERCENTILES.items()},
        "max_ms": histogram.max_us / 1000,
        "stamp": stamp,
        "hdr": histogram.encoded(),
    }
    if histogram.negative:
        found["negative"] = histogram.negative
    return found


def receive_queue(histogram: Histogram) -> Document | None:
    """Return a distribution of bytes that waited in sockets."""
    if not histogram.count:
        return None
    values = histogram.percentiles_us([50, 99])
    return {
        "count": histogram.count,
        "p50_bytes": values[50],
        "p99_bytes": values[99],
        "max_bytes": histogram.max_us,
    }


def sizes(histogram: Histogram) -> Document | None:
    """Return a distribution of counts."""
    if not histogram.count:
        return None
    median = histogram.percentiles_us([50])[50]
    return {"count": histogram.count, "min": histogram.min_us, "p50": median, "max": histogram.max_us}


def durations(histogram: Histogram) -> Document | None:
    """Return a distribution of durations of which a few percentiles say enough."""
    if not histogram.count:
        return None
    values = histogram.percentiles_us([10, 50, 90])
    return {
        "count": histogram.count,
        "p10_ms": _ms(values[10]),
        "p50_ms": _ms(values[50]),
        "p90_ms": _ms(values[90]),
        "max_ms": histogram.max_us / 1000,
    }


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / 1000

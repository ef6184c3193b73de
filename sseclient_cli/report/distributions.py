"""Distributions in the report: latencies, other durations, counts and bytes, each with its HdrHistogram."""

from __future__ import annotations

from typing import Literal, Self

from sseclient_cli.load.histogram import Histogram
from sseclient_cli.report.figure import Better, Part, figure

Stamp = Literal["kernel", "user"]


class Latency(Part):
    """A latency, in milliseconds. A percentile that falls among negative values is null."""

    count: int = figure("How many were measured.", ge=1)
    min_ms: float = figure("The smallest, exact.", unit="ms", label="min")
    mean_ms: float = figure("The mean, exact.", unit="ms", better=Better.LOWER, label="mean")
    p50_ms: float | None = figure("The median.", unit="ms", better=Better.LOWER, label="p50")
    p90_ms: float | None = figure("The 90th percentile (nearest rank).", unit="ms", better=Better.LOWER, label="p90")
    p95_ms: float | None = figure("The 95th percentile.", unit="ms", better=Better.LOWER, label="p95")
    p99_ms: float | None = figure("The 99th percentile.", unit="ms", better=Better.LOWER, label="p99")
    p999_ms: float | None = figure("The 99.9th percentile.", unit="ms", better=Better.LOWER, label="p99.9")
    p9999_ms: float | None = figure("The 99.99th percentile.", unit="ms", better=Better.LOWER, label="p99.99")
    max_ms: float = figure("The largest, exact.", unit="ms", better=Better.LOWER, label="max")
    negative: int = figure("How many were below zero: the clocks of the two sides differ.", better=Better.LOWER, ge=0)
    stamp: Stamp = figure("Who took the time of the arrival: the kernel, or we, after the read.")
    hdr: str = figure("The HdrHistogram (V2, base64, three digits), values in us.")

    @classmethod
    def of(cls, histogram: Histogram, stamp: Stamp) -> Self | None:
        """Return the latency that a histogram holds; None where nothing was measured."""
        if not histogram.count:
            return None
        p50, p90, p95, p99, p999, p9999 = _percentiles_ms(histogram, 50, 90, 95, 99, 99.9, 99.99)
        return cls(
            count=histogram.count,
            min_ms=histogram.min_us / 1000,
            mean_ms=histogram.sum_us / histogram.count / 1000,
            p50_ms=p50, p90_ms=p90, p95_ms=p95, p99_ms=p99, p999_ms=p999, p9999_ms=p9999,
            max_ms=histogram.max_us / 1000,
            negative=histogram.negative,
            stamp=stamp,
            hdr=histogram.encoded(),
        )  # fmt: skip


class Durations(Part):
    """Durations of which a few percentiles say enough."""

    count: int = figure("How many were measured.", ge=1)
    p10_ms: float | None = figure("The 10th percentile.", unit="ms")
    p50_ms: float | None = figure("The median.", unit="ms")
    p90_ms: float | None = figure("The 90th percentile.", unit="ms")
    max_ms: float = figure("The largest, exact.", unit="ms", better=Better.LOWER)
    hdr: str = figure("The HdrHistogram (V2, base64, three digits), values in us.")

    @classmethod
    def of(cls, histogram: Histogram) -> Self | None:
        """Return the durations that a histogram holds; None where nothing was measured."""
        if not histogram.count:
            return None
        p10, p50, p90 = _percentiles_ms(histogram, 10, 50, 90)
        return cls(
            count=histogram.count,
            p10_ms=p10,
            p50_ms=p50,
            p90_ms=p90,
            max_ms=histogram.max_us / 1000,
            hdr=histogram.encoded(),
        )


class Sizes(Part):
    """A distribution of counts."""

    count: int = figure("How many were counted.", ge=1)
    min: int = figure("The smallest.", ge=0)
    p50: int = figure("The median.", ge=0)
    max: int = figure("The largest.", ge=0)
    hdr: str = figure("The HdrHistogram (V2, base64, three digits).")

    @classmethod
    def of(cls, histogram: Histogram) -> Self | None:
        """Return the counts that a histogram holds; None where there are none."""
        if not histogram.count:
            return None
        median = histogram.percentiles_us([50])[50] or 0
        return cls(
            count=histogram.count, min=histogram.min_us, p50=median, max=histogram.max_us, hdr=histogram.encoded()
        )


class QueueSizes(Part):
    """Bytes that lay unread in the sockets of open streams, asked of some of them ten times a second."""

    count: int = figure("How many samples.", ge=1)
    p50_bytes: int = figure("The median.", unit="bytes", ge=0)
    p99_bytes: int = figure("The 99th percentile.", unit="bytes", better=Better.LOWER, ge=0)
    max_bytes: int = figure("The largest.", unit="bytes", better=Better.LOWER, ge=0)
    hdr: str = figure("The HdrHistogram (V2, base64, three digits), values in bytes.")

    @classmethod
    def of(cls, histogram: Histogram) -> Self | None:
        """Return the queues that a histogram holds; None where none was sampled."""
        if not histogram.count:
            return None
        values = histogram.percentiles_us([50, 99])
        return cls(
            count=histogram.count,
            p50_bytes=values[50] or 0,
            p99_bytes=values[99] or 0,
            max_bytes=histogram.max_us,
            hdr=histogram.encoded(),
        )


def _percentiles_ms(histogram: Histogram, *percentiles: float) -> list[float | None]:
    values = histogram.percentiles_us(percentiles)
    return [None if value_us is None else value_us / 1000 for value_us in values.values()]

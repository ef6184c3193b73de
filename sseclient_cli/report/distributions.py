"""Distributions in the report: latencies, other durations, counts and bytes. Each holds its whole histogram.

A percentile is declared once: ``p999_ms`` is the 99.9th, in ms.
"""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.report.figure import Better, Part, figure

TimestampSource = Literal["kernel", "user"]


class Distribution(Part):
    """The fields that all distributions share."""

    count: int = figure("The number of values.", ge=1)
    negative: int = figure("The number of values below zero.", better=Better.LOWER, ge=0)
    sum: int = figure("The sum of all values, in the unit of hdr.")
    hdr: str = figure("The HdrHistogram (V2, base64, three digits); in us where the figures are in ms.")

    def _histogram(self, smallest: float, largest: float) -> Histogram:
        """Return the histogram; its extremes are in the unit of ``hdr``."""
        return Histogram.restored(self.hdr, self.count, self.negative, self.sum, round(smallest), round(largest))


class Latency(Distribution):
    """A latency. A percentile is null if its value is negative, because the clocks of the two sides differ."""

    min_ms: float = figure("The smallest, exact.", unit="ms", label="min")
    mean_ms: float = figure("The mean, exact.", unit="ms", better=Better.LOWER, label="mean")
    p50_ms: float | None = figure("The median.", unit="ms", better=Better.LOWER, label="p50")
    p90_ms: float | None = figure("The 90th percentile (nearest rank).", unit="ms", better=Better.LOWER, label="p90")
    p95_ms: float | None = figure("The 95th percentile.", unit="ms", better=Better.LOWER, label="p95")
    p99_ms: float | None = figure("The 99th percentile.", unit="ms", better=Better.LOWER, label="p99")
    p999_ms: float | None = figure("The 99.9th percentile.", unit="ms", better=Better.LOWER, label="p99.9")
    p9999_ms: float | None = figure("The 99.99th percentile.", unit="ms", better=Better.LOWER, label="p99.99")
    max_ms: float = figure("The largest, exact.", unit="ms", better=Better.LOWER, label="max")
    stamp: TimestampSource = figure(
        "The source of arrival times: a kernel timestamp, or the clock after the read (user)."
    )

    @classmethod
    def of(cls, histogram: Histogram, source: TimestampSource) -> Self | None:
        """Return the latency in a histogram; None if the histogram is empty."""
        if not histogram.count:
            return None
        return cls(
            **_of_all(histogram),
            min_ms=histogram.min_us / 1000,
            mean_ms=histogram.sum_us / histogram.count / 1000,
            **_percentiles_ms(cls, histogram),
            max_ms=histogram.max_us / 1000,
            stamp=source,
        )

    def histogram(self) -> Histogram:
        """Return the histogram of these figures."""
        return self._histogram(1000 * self.min_ms, 1000 * self.max_ms)


class Durations(Distribution):
    """Durations with few percentiles."""

    min_ms: float = figure("The smallest, exact.", unit="ms")
    p10_ms: float | None = figure("The 10th percentile.", unit="ms")
    p50_ms: float | None = figure("The median.", unit="ms")
    p90_ms: float | None = figure("The 90th percentile.", unit="ms")
    max_ms: float = figure("The largest, exact.", unit="ms", better=Better.LOWER)

    @classmethod
    def of(cls, histogram: Histogram) -> Self | None:
        """Return the durations in a histogram; None if the histogram is empty."""
        if not histogram.count:
            return None
        return cls(
            **_of_all(histogram),
            min_ms=histogram.min_us / 1000,
            **_percentiles_ms(cls, histogram),
            max_ms=histogram.max_us / 1000,
        )

    def histogram(self) -> Histogram:
        """Return the histogram of these figures."""
        return self._histogram(1000 * self.min_ms, 1000 * self.max_ms)


class Sizes(Distribution):
    """A distribution of counts."""

    min: int = figure("The smallest.", ge=0)
    p50: int = figure("The median.", ge=0)
    max: int = figure("The largest.", ge=0)

    @classmethod
    def of(cls, histogram: Histogram) -> Self | None:
        """Return the counts in a histogram; None if the histogram is empty."""
        if not histogram.count:
            return None
        return cls(
            **_of_all(histogram),
            min=histogram.min_us,
            **_percentiles_from_zero(cls, histogram),
            max=histogram.max_us,
        )

    def histogram(self) -> Histogram:
        """Return the histogram of these figures."""
        return self._histogram(self.min, self.max)


class QueueSizes(Distribution):
    """Unread bytes in the sockets of open streams, sampled ten times a second."""

    min_bytes: int = figure("The smallest.", unit="bytes", ge=0)
    p50_bytes: int = figure("The median.", unit="bytes", ge=0)
    p99_bytes: int = figure("The 99th percentile.", unit="bytes", better=Better.LOWER, ge=0)
    max_bytes: int = figure("The largest.", unit="bytes", better=Better.LOWER, ge=0)

    @classmethod
    def of(cls, histogram: Histogram) -> Self | None:
        """Return the queue sizes in a histogram; None if the histogram is empty."""
        if not histogram.count:
            return None
        return cls(
            **_of_all(histogram),
            min_bytes=histogram.min_us,
            **_percentiles_from_zero(cls, histogram),
            max_bytes=histogram.max_us,
        )

    def histogram(self) -> Histogram:
        """Return the histogram of these figures."""
        return self._histogram(self.min_bytes, self.max_bytes)


def _of_all(histogram: Histogram) -> dict[str, Any]:
    return {
        "count": histogram.count,
        "negative": histogram.negative,
        "sum": histogram.sum_us,
        "hdr": histogram.encoded(),
    }


_PERCENTILE = re.compile(r"p([0-9]{2})([0-9]*)(?:_[a-z]+)?")


def _percentiles(model: type[Distribution], histogram: Histogram) -> dict[str, int | None]:
    """Return the percentiles that the model declares, by the name of their field."""
    matches = ((name, _PERCENTILE.fullmatch(name)) for name in model.model_fields)
    wanted = {name: float(f"{match[1]}.{match[2]}") for name, match in matches if match}
    values = histogram.percentiles_us(wanted.values())
    return {name: values[percentile] for name, percentile in wanted.items()}


def _percentiles_ms(model: type[Distribution], histogram: Histogram) -> dict[str, Any]:
    values = _percentiles(model, histogram)
    return {name: None if value is None else value / 1000 for name, value in values.items()}


def _percentiles_from_zero(model: type[Distribution], histogram: Histogram) -> dict[str, Any]:
    return {name: value or 0 for name, value in _percentiles(model, histogram).items()}

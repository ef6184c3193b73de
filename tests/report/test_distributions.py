"""Percentiles in the report, each declared once by the name of its field."""

from collections import Counter

import pytest

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.report.distributions import Distribution, Durations, Latency, QueueSizes, Sizes
from sseclient_cli.report.figure import figure


def histogram(values: list[int]) -> Histogram:
    made = Histogram()
    made.record(Counter(values))
    return made


@pytest.mark.parametrize(
    ("made", "percentiles"),
    [
        (
            Latency.of(histogram(list(range(1, 1001))), "kernel"),
            {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99, "p999_ms": 0.999, "p9999_ms": 1.0},
        ),
        (Durations.of(histogram(list(range(1, 1001)))), {"p10_ms": 0.1, "p50_ms": 0.5, "p90_ms": 0.9}),
        (Sizes.of(histogram(list(range(1, 1001)))), {"p50": 500}),
        (QueueSizes.of(histogram(list(range(1, 1001)))), {"p50_bytes": 500, "p99_bytes": 990}),
        (Latency.of(histogram([-5, -4, 3]), "user"), {"p50_ms": None, "p90_ms": 0.003}),
        (Sizes.of(histogram([0, 0, 3])), {"p50": 0}),
    ],
)
def test_percentile_of_a_field_is_that_of_its_name(made: Distribution, percentiles: dict[str, float | None]) -> None:
    assert {name: getattr(made, name) for name in percentiles} == percentiles


def test_field_alone_declares_a_percentile() -> None:
    class WithQuartile(Latency):
        p75_ms: float | None = figure("The 75th percentile.")

    made = WithQuartile.of(histogram(list(range(1, 1001))), "kernel")
    assert made is not None
    assert (made.p75_ms, made.p99_ms) == (0.75, 0.99)

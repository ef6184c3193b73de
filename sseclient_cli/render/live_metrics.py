"""The progress of a run as Prometheus metrics, for an endpoint that is scraped while the run is on.

The names are those of the report's figures (``report/metric_names.py``). Latencies are those of the whole run so far.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sseclient_cli import __version__
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.samples import Latency
from sseclient_cli.report.metric_names import LATENCY_BUCKETS_S, MetricType, histogram_of, metric_of
from sseclient_cli.run.progress import Progress

_FIGURES: dict[str, Callable[[Progress], float]] = {
    "run.duration_s": lambda progress: progress.elapsed_s,
    "run.plan.duration_s": lambda progress: progress.duration_s,
    "streams.planned": lambda progress: progress.planned,
    "streams.opened": lambda progress: progress.opened,
    "streams.open_at_end": lambda progress: progress.open_now,
    "streams.failed": lambda progress: progress.failed,
    "events.received": lambda progress: progress.events,
}
"""The figures of a report that are known during the run."""

_PERCENTILES = {"p50_ms": 50.0, "p90_ms": 90.0, "p99_ms": 99.0, "p999_ms": 99.9}


class LiveMetrics(Collector):
    """The metrics of one run. ``show`` is called by the run, ``collect`` by the endpoint's thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._latest: Progress | None = None
        self._latencies: dict[Latency, Histogram] = {}

    def show(self, progress: Progress) -> None:
        """Take the latest progress."""
        with self._lock:
            if self._latest is not None and progress.elapsed_s < self._latest.elapsed_s:
                self._latencies.clear()  # the next run of a limit search
            self._latest = progress
            for latency, counts in progress.recent.latencies.items():
                self._latencies.setdefault(latency, Histogram()).record(counts)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; before the first progress only the run itself."""
        yield InfoMetricFamily("sse_run", "The run.", value={"url": self._url, "version": __version__})
        with self._lock:
            if self._latest is None:
                return
            yield from _figures(self._latest)
            for latency, histogram in self._latencies.items():
                yield from _latency(f"latency.{latency.value}", histogram)


def _figures(progress: Progress) -> Iterator[Metric]:
    for path, value_of in _FIGURES.items():
        metric = metric_of(path)
        family = CounterMetricFamily if metric.type is MetricType.COUNTER else GaugeMetricFamily
        yield family(metric.name, metric.help, value=value_of(progress) * metric.factor)
    metric = metric_of("errors[].count")
    errors = CounterMetricFamily(metric.name, metric.help, labels=["kind"])
    for kind, error in progress.errors.items():
        errors.add_metric([kind], error.count)
    yield errors


def _latency(path: str, histogram: Histogram) -> Iterator[Metric]:
    if not histogram.count:
        return
    counts_us = histogram.counts_us()
    at_most = [0, *accumulate(counts_us.values())]
    values_us = list(counts_us)
    whole = histogram_of(path)
    buckets = [
        (f"{bound_s:g}", float(histogram.negative + at_most[bisect_right(values_us, bound_s * 1e6)]))
        for bound_s in LATENCY_BUCKETS_S
    ]
    buckets.append(("+Inf", float(histogram.count)))
    yield HistogramMetricFamily(whole.name, whole.help, buckets=buckets, sum_value=histogram.sum_us * whole.factor)
    percentiles_us = histogram.percentiles_us(_PERCENTILES.values())
    first = metric_of(f"{path}.p50_ms")
    quantiles = GaugeMetricFamily(first.name, first.help, labels=list(first.labels))
    for name, percentile in _PERCENTILES.items():
        value_us = percentiles_us[percentile]
        if value_us is not None:
            quantiles.add_metric(list(metric_of(f"{path}.{name}").labels.values()), value_us * whole.factor)
    yield quantiles

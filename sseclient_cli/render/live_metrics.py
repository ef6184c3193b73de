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
from sseclient_cli.measure.request_totals import RequestLatency
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.render.live.history import HealthSoFar
from sseclient_cli.report.metric_names import LATENCY_BUCKETS_S, MetricType, histogram_of, metric_of
from sseclient_cli.run.progress import AnyLatency, Delay, Progress

_FIGURES: dict[str, Callable[[Progress], float | None]] = {
    "run.duration_s": lambda progress: progress.elapsed_s,
    "run.plan.duration_s": lambda progress: progress.duration_s,
    "streams.open_at_end": lambda progress: progress.open_now,
    "streams.planned": lambda progress: progress.planned,
    "streams.lost": lambda progress: progress.lost,
    "streams.opened": lambda progress: progress.opened,
    "streams.failed": lambda progress: progress.failed,
    "streams.broken": lambda progress: progress.broken,
    "streams.ended_by_server": lambda progress: progress.ended_by_server,
    "streams.completed": lambda progress: progress.completed,
    "streams.reconnected": lambda progress: progress.reconnected,
    "streams.silent": lambda progress: progress.silent,
    "events.received": lambda progress: progress.events,
    "events.bytes": lambda progress: progress.bytes,
    "requests.succeeded": lambda progress: _of_requests(progress, "succeeded"),
    "requests.failed": lambda progress: _of_requests(progress, "failed"),
    "llm.chunks": lambda progress: _of_llm(progress, "chunks"),
    "llm.output_tokens": lambda progress: _of_llm(progress, "output_tokens"),
}
"""The figures of a report that are known during the run. None: not known yet."""

_PERCENTILES = {"p50_ms": 50.0, "p90_ms": 90.0, "p99_ms": 99.0, "p999_ms": 99.9}
_PERCENTILES_OF_BYTES = {"p50_bytes": 50.0, "p99_bytes": 99.0}


def _of_requests(progress: Progress, name: str) -> float | None:
    found: int | None = None if progress.requests is None else getattr(progress.requests, name)
    return found


def _of_llm(progress: Progress, name: str) -> float | None:
    """Return a figure of the answers that have ended; None for other streams."""
    return _of_requests(progress, name) if progress.requests is not None and progress.requests.is_of_llm else None


class LiveMetrics(Collector):
    """The metrics of one run. ``show`` is called by the run, ``collect`` by the endpoint's thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._latest: Progress | None = None
        self._latencies: dict[AnyLatency, Histogram] = {}
        self._health = HealthSoFar(Histogram)

    def show(self, progress: Progress) -> None:
        """Take the latest progress."""
        with self._lock:
            if self._latest is not None and progress.elapsed_s < self._latest.elapsed_s:
                self._latencies.clear()  # the next run of a limit search
                self._health = HealthSoFar(Histogram)
            self._latest = progress
            self._health.add(progress)
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
                yield from _durations(_path_of(latency), histogram)
            yield from _generator(self._health)


def _path_of(latency: AnyLatency) -> str:
    return latency.path if isinstance(latency, RequestLatency) else f"latency.{latency.value}"


def _figures(progress: Progress) -> Iterator[Metric]:
    for path, value_of in _FIGURES.items():
        value = value_of(progress)
        if value is not None:
            yield _family(path, value)
    metric = metric_of("errors[].count")
    errors = CounterMetricFamily(metric.name, metric.help, labels=["kind"])
    for kind, error in progress.errors.items():
        errors.add_metric([kind], error.count)
    yield errors


def _generator(health: HealthSoFar[Histogram]) -> Iterator[Metric]:
    """Yield the health of the load generator: whether it is the bottleneck, and the measurements that say so."""
    yield _family("generator.saturated", bool(saturation_reasons(health)))
    metric = metric_of("generator.cpu_percent")
    cpu = GaugeMetricFamily(metric.name, metric.help, labels=["worker"])
    for number, percent in enumerate(health.cpu_percent):
        if percent is not None:
            cpu.add_metric([str(number)], percent * metric.factor)
    yield cpu
    for delay, histogram in health.of.items():
        path = f"generator.{delay.value}"
        if delay is Delay.QUEUE:
            yield from _quantiles(path, histogram, _PERCENTILES_OF_BYTES, factor=1)
        else:
            yield from _durations(path, histogram)


def _family(path: str, value: float) -> Metric:
    metric = metric_of(path)
    family = CounterMetricFamily if metric.type is MetricType.COUNTER else GaugeMetricFamily
    return family(metric.name, metric.help, value=value * metric.factor)


def _durations(path: str, histogram: Histogram) -> Iterator[Metric]:
    """Yield a histogram, and exact percentiles so far."""
    if not histogram.count:
        return
    counts_us = histogram.counts_us()
    at_most = [0, *accumulate(counts_us.values())]
    values_us = list(counts_us)
    metric = histogram_of(path)
    buckets = [
        (f"{bound_s:g}", float(histogram.negative + at_most[bisect_right(values_us, bound_s * 1e6)]))
        for bound_s in LATENCY_BUCKETS_S
    ]
    buckets.append(("+Inf", float(histogram.count)))
    yield HistogramMetricFamily(metric.name, metric.help, buckets=buckets, sum_value=round(histogram.sum_us * 1e-6, 6))
    yield from _quantiles(path, histogram, _PERCENTILES, metric.factor)


def _quantiles(path: str, histogram: Histogram, wanted: dict[str, float], factor: float) -> Iterator[Metric]:
    if not histogram.count:
        return
    found = histogram.percentiles_us(wanted.values())
    first = metric_of(f"{path}.{next(iter(wanted))}")
    family = GaugeMetricFamily(first.name, first.help, labels=list(first.labels))
    for name, percentile in wanted.items():
        value = found[percentile]
        if value is not None:
            family.add_metric(list(metric_of(f"{path}.{name}").labels.values()), round(value * factor, 6))
    yield family

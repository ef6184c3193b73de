"""The Prometheus names of figures, by the rules of Prometheus."""

from __future__ import annotations

import re

import pytest

from sseclient_cli.report.figure import catalogue
from sseclient_cli.report.metric_names import MetricType, histogram_of, metric_of
from sseclient_cli.report.model import Report


@pytest.mark.parametrize(
    ("path", "name", "factor", "labels"),
    [
        ("streams.opened", "sse_streams_opened_total", 1, {}),
        ("streams.open_at_end", "sse_streams_open", 1, {}),
        ("streams.planned", "sse_streams_planned", 1, {}),
        ("events.received", "sse_events_received_total", 1, {}),
        ("events.bytes", "sse_events_bytes_total", 1, {}),
        ("events.per_s", "sse_events_per_second", 1, {}),
        ("errors[].count", "sse_errors_total", 1, {}),
        ("latency.delivery.p99_ms", "sse_latency_delivery_quantile_seconds", 0.001, {"quantile": "0.99"}),
        ("latency.gap.p9999_ms", "sse_latency_gap_quantile_seconds", 0.001, {"quantile": "0.9999"}),
        ("latency.gap.max_ms", "sse_latency_gap_max_seconds", 0.001, {}),
        ("generator.cpu_percent", "sse_generator_cpu_ratio", 0.01, {}),
        ("generator.receive_queue.p99_bytes", "sse_generator_receive_queue_quantile_bytes", 1, {"quantile": "0.99"}),
        ("clocks.server_ahead_s", "sse_clocks_server_ahead_seconds", 1, {}),
        ("run.duration_s", "sse_run_duration_seconds", 1, {}),
        ("target_metrics.memory.per_stream_bytes", "sse_target_metrics_memory_per_stream_bytes", 1, {}),
    ],
)
def test_name_has_the_base_unit_and_the_type(path: str, name: str, factor: float, labels: dict[str, str]) -> None:
    metric = metric_of(path)
    assert (metric.name, metric.factor, metric.labels) == (name, factor, labels)
    assert (metric.type is MetricType.COUNTER) == name.endswith("_total")


def test_whole_latency_is_a_histogram_in_seconds() -> None:
    metric = histogram_of("latency.delivery")
    assert (metric.name, metric.type, metric.factor) == ("sse_latency_delivery_seconds", MetricType.HISTOGRAM, 1e-6)
    assert metric.help == "From the event's own timestamp until its arrival."


def test_every_figure_has_a_valid_name_and_no_two_share_one() -> None:
    seen: dict[tuple[str, str], str] = {}
    for entry in catalogue(Report):
        metric = metric_of(entry.path)
        assert re.fullmatch(r"sse(_[a-z0-9]+)+", metric.name), entry.path
        assert metric.help
        key = metric.name, str(metric.labels)
        assert key not in seen, (entry.path, seen.get(key))
        seen[key] = entry.path


def test_unknown_figure_is_an_error() -> None:
    with pytest.raises(KeyError):
        metric_of("streams.never")

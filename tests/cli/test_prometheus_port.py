"""`sse bench --prometheus-port`: live metrics, read by the parser of prometheus-client during a real run."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from real_processes import SSE, until

Metrics = dict[str, float]


@contextmanager
def running_bench(*arguments: str) -> Iterator[str]:
    """Run a bench with live metrics on a free port; yield their URL, then end the bench with Ctrl-C."""
    command = [*SSE, "bench", *arguments, "--no-tui", "--prometheus-port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stderr is not None
            found = re.fullmatch(r"live metrics: (http://127\.0\.0\.1:[0-9]+/metrics)\n", process.stderr.readline())
            assert found
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
        assert process.returncode == 130, stderr
        assert "opened" in stdout


def scraped(url: str) -> Metrics:
    """Return the samples of an endpoint, with their labels."""
    found = {}
    for family in text_string_to_metric_families(httpx.get(url).text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def scraped_when(url: str, name: str, least: float) -> Metrics:
    seen: Metrics = {}

    def is_so() -> bool:
        seen.update(scraped(url))
        return seen.get(name, 0) >= least

    until(is_so, timeout_s=40)
    return seen


def test_run_is_visible_while_it_runs() -> None:
    with running_bench("demo", "-n", "20", "-z", "60s", "--workers", "1") as url:
        metrics = scraped_when(url, "sse_events_received_total", 200)
        assert metrics["sse_streams_open"] == metrics["sse_streams_opened_total"] == 20
        assert metrics["sse_streams_failed_total"] == 0
        assert metrics["sse_run_plan_duration_seconds"] == 60
        assert 0 < metrics["sse_run_duration_seconds"] < 60
        # The timestamps of the demo server give the delivery latency.
        count = metrics["sse_latency_delivery_seconds_count"]
        assert metrics["sse_latency_delivery_seconds_bucket{le=+Inf}"] == count > 0
        assert 0 < metrics["sse_latency_delivery_seconds_sum"] < count
        p50_s, p99_s = (
            metrics[f"sse_latency_delivery_quantile_seconds{{quantile={quantile}}}"] for quantile in ("0.5", "0.99")
        )
        assert 0 < p50_s <= p99_s < 30
        assert metrics["sse_latency_gap_quantile_seconds{quantile=0.5}"] == pytest.approx(0.1, rel=0.5)
        later = scraped_when(url, "sse_events_received_total", metrics["sse_events_received_total"] + 1)
        assert later["sse_latency_delivery_seconds_count"] >= count


def test_health_of_the_load_generator_is_visible() -> None:
    with running_bench("demo", "-n", "20", "-z", "60s", "--workers", "2") as url:
        metrics = scraped_when(url, "sse_events_received_total", 200)
        assert metrics["sse_generator_saturated"] in (0, 1)
        cpu = [metrics[f"sse_generator_cpu_ratio{{worker={worker}}}"] for worker in (0, 1)]
        assert all(0 < ratio <= 1.5 for ratio in cpu)
        assert metrics["sse_generator_loop_lag_seconds_count"] > 0
        assert metrics["sse_generator_read_delay_quantile_seconds{quantile=0.99}"] > 0
        assert metrics["sse_generator_receive_queue_quantile_bytes{quantile=0.99}"] >= 0
        assert metrics["sse_streams_reconnected_total"] == metrics["sse_streams_lost_total"] == 0
        assert metrics["sse_events_bytes_total"] > metrics["sse_events_received_total"]


def test_errors_are_counted_by_kind() -> None:
    with running_bench("demo/faults?reset=5&rate=50", "-n", "5", "-z", "60s", "--on-end", "reconnect") as url:
        scraped_when(url, "sse_errors_total{kind=connection-lost}", 1)


def test_buckets_never_fall() -> None:
    with running_bench("demo", "-n", "5", "-z", "60s") as url:
        metrics = scraped_when(url, "sse_latency_gap_seconds_count", 20)
        buckets = [value for name, value in metrics.items() if name.startswith("sse_latency_gap_seconds_bucket")]
        assert len(buckets) == 20
        assert buckets == sorted(buckets)


def test_endpoint_is_one_for_prometheus() -> None:
    with running_bench("demo", "-n", "2", "-z", "60s") as url:
        scraped_when(url, "sse_streams_open", 2)
        response = httpx.get(url)
        assert response.headers["content-type"].startswith("text/plain")
        assert "# TYPE sse_streams_opened_total counter" in response.text
        assert "# HELP sse_streams_opened_total Streams that opened." in response.text
        openmetrics = httpx.get(url, headers={"Accept": "application/openmetrics-text"})
        assert openmetrics.text.endswith("# EOF\n")


def test_taken_port_is_a_usage_error_before_the_run() -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _bench("http://127.0.0.1:1/", "--prometheus-port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"sse: --prometheus-port {port}: address already in use; choose another port, or 0 for any free one\n"
    )


@pytest.mark.parametrize("value", ["x", "70000", ":1", "1:2:3", "::1:9464", "host:", ""])
def test_wrong_port_is_a_usage_error(value: str) -> None:
    done = _bench("http://127.0.0.1:1/", "--prometheus-port", value)
    assert done.returncode == 2
    assert "is not a port: write it like 9464 or 0.0.0.0:9464" in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prometheus-port", "0"], "--prometheus-port needs prometheus-client: pip install"),
        (["--scrape", "http://h/metrics"], "prometheus-client is not installed: pip install"),
    ],
)
def test_missing_package_is_named_with_its_extra(options: list[str], words: str, tmp_path: Path) -> None:
    script = "import sys; sys.modules['prometheus_client'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(script, "utf-8")
    done = _bench("http://127.0.0.1:1/", *options, path=str(tmp_path))
    assert done.returncode == 2
    assert words in done.stderr
    assert "'sseclient-cli[prometheus]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _bench(*arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    command = [*SSE, "bench", *arguments]
    env = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    assert sys.executable == SSE[0]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=env)

"""`sse bench --pid`, `--scrape`: the target's own metrics in the report, with servers that keep memory and files."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_processes import SSE, children_of, until
from real_servers import free_port, serving_app

from sseclient_cli.render.words import sentence
from sseclient_cli.report.model import Finding

ReportJson = dict[str, Any]
RSS = "process_resident_memory_bytes"


@pytest.fixture(name="server")
def start_server() -> Iterator[tuple[str, int]]:
    """The URL and the process of a server that has answered."""
    with serving_app("keeping") as url:
        (pid,) = [child for child, command in children_of(os.getpid()).items() if url.rpartition(":")[2] in command]
        yield url, pid


def bench(*arguments: str, code: int = 0) -> tuple[ReportJson, str]:
    """Run a bench; return its report and its stderr."""
    command = [*SSE, "bench", *arguments, "--json", "-", "-q", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout else {}, done.stderr


def words_of(report: ReportJson, code: str) -> list[str]:
    return [sentence(Finding(**each)) for each in report["findings"] if each["code"] == code]


def series_of(report: ReportJson, name: str, place: int = 0) -> dict[float, float | None]:
    source = report["target_metrics"]["sources"][place]
    (values,) = [each["values"] for each in source["series"] if each["name"] == name]
    return dict(zip(source["t_s"], values, strict=True))


def test_server_that_closes_its_files_is_back_after_the_run(server: tuple[str, int]) -> None:
    url, pid = server
    report, _ = bench(f"{url}/events", "-n", "40", "-z", "3s", "--pid", str(pid), "--settle", "20s")
    target = report["target_metrics"]
    files = target["files"]
    assert (files["after"], files["kept"]) == (files["before"], 0)
    assert files["peak"] == files["before"] + 40
    assert words_of(report, "target-keeps-files") == []
    assert 0 < target["cpu"]["mean_percent"] <= target["cpu"]["peak_percent"] < 150
    first_s, *others_s = series_of(report, RSS)
    assert first_s < 0 < others_s[-1]
    assert report["run"]["duration_s"] < others_s[-1]


def test_server_that_keeps_files_has_a_leak(server: tuple[str, int]) -> None:
    url, pid = server
    report, _ = bench(f"{url}/events?files", "-n", "40", "-z", "2s", "--pid", str(pid), "--settle", "1s")
    assert report["target_metrics"]["files"]["kept"] == 40
    (words,) = words_of(report, "target-keeps-files")
    assert re.match(r"The target had 40 more files open [0-9.]+ s after the run than before it", words)


def test_server_that_keeps_memory_has_it_by_stream_and_afterwards(server: tuple[str, int]) -> None:
    url, pid = server
    report, _ = bench(f"{url}/events?memory", "-n", "40", "-z", "3s", "--pid", str(pid), "--settle", "20s")
    memory = report["target_metrics"]["memory"]
    assert memory["per_stream_bytes"] == pytest.approx(1_000_000, rel=0.3)
    assert memory["kept_bytes"] == pytest.approx(40_000_000, rel=0.3)
    assert memory["kept_bytes"] == memory["after_bytes"] - memory["before_bytes"]
    (words,) = words_of(report, "target-keeps-memory")
    assert re.match(r"The target kept [34][0-9]\.[0-9] MB of the [34][0-9]\.[0-9] MB by which its memory rose", words)


def test_endpoint_is_scraped_and_gives_the_figures_without_a_process(server: tuple[str, int]) -> None:
    url, _ = server
    report, stderr = bench(
        *(f"{url}/events", "-n", "40", "-z", "3s", "--settle", "20s"),
        *("--scrape", f"{url}/metrics", "--scrape-series", "app_subscribers", "--scrape-series", "app_subscriber"),
    )
    assert stderr == f"sse: {url}/metrics: app_subscriber is missing: near names: app_subscribers; the run goes on\n"
    target = report["target_metrics"]
    assert target["files"]["peak"] >= target["files"]["before"] + 40
    assert max(value or 0 for value in series_of(report, "app_subscribers").values()) == 40
    assert [each["unit"] for each in target["sources"][0]["series"] if each["name"] == RSS] == ["bytes"]
    assert words_of(report, "target-series-missing") == [
        f"{url}/metrics has no value of app_subscriber: near names: app_subscribers."
    ]


def test_worker_processes_of_uvicorn_count_together() -> None:
    with serving_app("keeping", "--workers", "2") as url:
        (pid,) = [child for child, command in children_of(os.getpid()).items() if url.rpartition(":")[2] in command]
        until(lambda: len(children_of(pid)) >= 2, timeout_s=30)
        report, _ = bench(f"{url}/events", "-n", "60", "-z", "3s", "--pid", str(pid), "--settle", "20s")
    files = report["target_metrics"]["files"]
    assert files["peak"] >= files["before"] + 60
    assert files["kept"] <= 0


def test_process_that_ends_during_the_run_does_not_end_the_run(server: tuple[str, int]) -> None:
    url, _ = server
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        command = [*SSE, "bench", f"{url}/events", "-n", "5", "-z", "4s", "--pid", str(sleeper.pid)]
        with subprocess.Popen([*command, "--json", "-", "-q"], stdout=subprocess.PIPE, text=True) as process:
            until(lambda: _open_streams(f"{url}/metrics") == 5, timeout_s=30)
            sleeper.kill()
            stdout, _ = process.communicate(timeout=30)
    report = json.loads(stdout)
    assert (process.returncode, report["streams"]["opened"]) == (0, 5)
    values = list(series_of(report, RSS).values())
    assert values[0] is not None
    assert values[-1] is None
    (words,) = words_of(report, "target-samples-failed")
    assert re.search(
        rf"samples of process {sleeper.pid} \(sleep\) failed\. The first one: the process has ended", words
    )


def test_endpoint_that_never_answers_is_named_before_the_run_and_in_the_report(server: tuple[str, int]) -> None:
    url, _ = server
    scraped = f"http://127.0.0.1:{free_port()}/metrics"
    command = [*SSE, "bench", f"{url}/events", "-n", "5", "-z", "1s", "--scrape", scraped, "--no-tui"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == 0
    assert f"sse: {scraped}: connection refused; the run goes on\n" in done.stderr
    assert "target   not sampled" in done.stdout
    assert "5 opened" in done.stdout


def test_wrong_page_is_named_in_the_report(server: tuple[str, int]) -> None:
    url, _ = server
    report, _ = bench("demo/load", "-n", "2", "-z", "1s", "--scrape", f"{url}/metrics", "--scrape", f"{url}/events")
    failed = report["target_metrics"]["sources"][1]
    assert failed["failed"] == len(failed["t_s"]) > 0
    assert report["target_metrics"]["memory"] is not None


def test_pid_of_the_bundled_server_is_known_as_demo() -> None:
    report, _ = bench("demo", "-n", "30", "-z", "2s", "--pid", "demo", "--settle", "20s")
    files = report["target_metrics"]["files"]
    assert (files["peak"] - files["before"], files["kept"]) == (30, 0)


def test_each_run_of_a_limit_search_is_sampled(server: tuple[str, int], tmp_path: Path) -> None:
    url, pid = server
    command = [*SSE, "bench", f"{url}/events", "-n", "5", "-z", "1s", "--find-limit", "streams.failed == 0"]
    options = ["--pid", str(pid), "--prometheus-port", "0", "--workers", "1", "--settle", "0", "--no-tui"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        (endpoint,) = re.findall(r"http://\S+", next(lines))
        # Until the second step, which has more streams than the first one.
        until(lambda: _open_streams(f"{url}/metrics") > 5, timeout_s=40)
        assert _live_figure(endpoint, "sse_run_plan_duration_seconds") > 0
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stderr


def test_ctrl_c_while_the_target_settles_keeps_the_report(server: tuple[str, int], tmp_path: Path) -> None:
    url, pid = server
    file = tmp_path / "report.json"
    command = [*SSE, "bench", f"{url}/events?files", "-n", "5", "-z", "1s", "--pid", str(pid), "--settle", "50s"]
    with subprocess.Popen([*command, "--json", str(file), "-q", "--workers", "1"]) as process:
        subscribers = f"{url}/metrics"
        until(lambda: _open_streams(subscribers) == 5, timeout_s=30)
        until(lambda: _open_streams(subscribers) == 0, timeout_s=30)
        time.sleep(3)  # until the worker has sent its totals: nothing outside shows it
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    target = json.loads(file.read_text())["target_metrics"]
    assert (target["files"]["kept"], target["sampled_after_s"]) == (None, None)
    assert target["files"]["peak"] > target["files"]["before"]


def _live_figure(url: str, name: str) -> float:
    import httpx

    (found,) = re.findall(rf"^{name} ([0-9.]+)$", httpx.get(url).text, re.MULTILINE)
    return float(found)


def _open_streams(url: str) -> int:
    import httpx

    (found,) = re.findall(r"^app_subscribers ([0-9]+)", httpx.get(url).text, re.MULTILINE)
    return int(found)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pid", "4194305"], "there is no process 4194305"),
        (["--pid", "nginx"], "--pid: 'nginx' is not the number of a process: write it like 1234, or demo"),
        (["--pid", "demo"], "--pid demo is the process of the bundled server: it needs the URL demo"),
        (["--scrape", "localhost/metrics"], "localhost/metrics is not the URL of a Prometheus endpoint"),
        (["--scrape-series", "up"], "--scrape-series needs an endpoint: add --scrape URL"),
        (["--scrape", "http://h/", "--scrape-series", "a b"], "'a b' is not the name of a series"),
    ],
)
def test_wrong_option_ends_before_the_run(options: list[str], words: str) -> None:
    _, stderr = bench("http://127.0.0.1:1/", *options, code=2)
    assert words in stderr
    assert len(stderr.splitlines()) == 1

"""``sse bench --assert`` and ``--abort-on-fail``: real runs against the demo server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_server_processes import demo_server_process
from real_processes import SSE
from real_servers import free_port

FAST = "delivery.p50 < 1us"
"""No run meets it: the kernel alone takes longer."""


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*SSE, "bench", *arguments]
    env = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(command, capture_output=True, text=True, timeout=55, check=False, env=env)


def asserting(*assertions: str) -> list[str]:
    return [part for assertion in assertions for part in ("--assert", assertion)]


@pytest.fixture(name="url", scope="module")
def demo_server() -> Iterator[str]:
    with demo_server_process("127.0.0.1") as url:
        yield f"{url}/load"


def test_assertions_that_hold_are_exit_code_0(url: str) -> None:
    done = bench(url, "-n", "5", "-z", "1s", *asserting("streams.failed == 0", "streams.opened == 100%"))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = ["2 assertions passed.", "passed   streams.failed == 0     0", "passed   streams.opened == 100%  100 %"]
    assert "\n".join([*rows, ""]) in done.stdout


def test_failed_assertion_is_exit_code_1_and_a_row_with_the_value(url: str, tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    options = [*asserting(FAST, "events.received > 0"), "--allow-saturated", "--json", str(saved)]
    done = bench(url, "-n", "5", "-z", "1s", *options)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 of 2 assertions failed." in done.stdout
    failed, passed = json.loads(saved.read_text())["assertions"]
    assert (failed["status"], failed["passed"], failed["limit"]) == ("failed", False, 0.001)
    assert failed["path"] == "latency.delivery.p50_ms"
    assert failed["observed"] > 0.001
    assert (passed["status"], passed["observed"] > 0) == ("passed", True)
    assert f"failed   {FAST}   {failed['observed']:.4g} ms\n" in done.stdout


def test_quiet_run_names_the_failed_assertions_on_stderr(url: str) -> None:
    done = bench(url, "-n", "2", "-z", "1s", "-q", *asserting("streams.opened > 10", "streams.failed == 0"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "sse: assertion failed: streams.opened > 10: 2\n"


def test_figure_that_was_not_measured_fails_with_the_reason(url: str) -> None:
    done = bench(url, "-n", "2", "-z", "1s", "-q", *asserting("tls.p99 < 1s"))
    assert done.returncode == 1
    assert done.stderr == "sse: assertion failed: tls.p99 < 1s: not measured because no TLS handshake took place\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (asserting("delivry.p99 < 50ms"), "near names are delivery.p99"),
        (asserting("delivery.p99 < 50kB"), "a time in ms: write it like 50ms"),
        (asserting("delivery.p99 = 50ms"), "'=' in 'delivery.p99 = 50ms' is not a comparison"),
        (["--allow-saturated"], "add --assert"),
        (["--abort-on-fail"], "add --assert"),
        (["--find-limit", "delivery.p99 < 1s", *asserting("streams.failed == 0")], "exclude each other"),
        (["--abort-on-fail", *asserting("audit.lost == 0")], "can be judged only at the end of a run"),
    ],
)
def test_wrong_assertion_is_a_usage_error_before_any_request(options: list[str], words: str) -> None:
    done = bench(f"http://127.0.0.1:{free_port()}/", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_failed_streams_are_named_before_failed_assertions(url: str) -> None:
    refusing = url.replace("/load", "/nothing")
    options = ["--no-preflight", "-n", "2", "-z", "1s", "-q", *asserting("streams.failed == 0")]
    done = bench(refusing, *options)
    assert done.returncode == 3  # no stream opened, which explains the assertion
    assert done.stderr == "sse: assertion failed: streams.failed == 0: 2\nsse: no stream could be used\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_count_above_its_limit_ends_the_run(url: str, workers: str, tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    options = ["-n", "10", "-z", "50s", "--workers", workers, "--json", str(saved)]
    done = bench(url, *options, "--abort-on-fail", *asserting("events.received < 50", "streams.failed == 0"))
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(saved.read_text())
    assert report["run"]["aborted_by"] == "events.received < 50"
    assert not report["run"]["interrupted"]
    assert report["run"]["duration_s"] < 45
    assert "ended early, because events.received < 50 failed" in done.stdout
    failed, passed = report["assertions"]
    assert (failed["status"], failed["observed"] >= 50, passed["status"]) == ("failed", True, "passed")
    assert "the run ended early" in passed["reason"]


def test_latency_that_keeps_failing_ends_the_run(url: str) -> None:
    options = ["-n", "20", "-z", "50s", "-q", "--abort-on-fail", "--allow-saturated", "--json", "-"]
    done = bench(url, *options, *asserting(FAST))
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["run"]["aborted_by"] == FAST
    assert done.stderr.endswith(f"sse: the run ended early, because {FAST} failed\n")


def test_run_that_passes_is_not_ended_early(url: str) -> None:
    # On a busy machine the run may be saturated: then a latency fails as not trustworthy, which is not asked here.
    options = ["-n", "5", "-z", "3s", "-q", "--abort-on-fail", "--allow-saturated", "--json", "-"]
    done = bench(url, *options, *asserting("streams.failed == 0", "delivery.p50 < 10s"))
    report = json.loads(done.stdout)
    assert (done.returncode, report["run"]["aborted_by"]) == (0, None)
    assert report["run"]["duration_s"] >= 3

"""`sse bench` while its server restarts, alone or behind nginx, and with a storm."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from busy_machine import LATE_S
from demo_server_processes import demo_server_process, started_server
from real_processes import SSE, streams_open, until
from real_servers import nginx_before
from report_json import validate

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ends the server by a signal")

STREAMS = 30
RETRY_MS = 200
AWAY_S = 2.0


@contextmanager
def benching(url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `sse bench` with reconnections; the block must end it."""
    command = [*SSE, "bench", url, "-n", str(STREAMS), "-z", "60s", "--on-end", "reconnect", "--json", "-", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], *, interrupted: bool = True) -> tuple[dict[str, Any], str]:
    """End the run. Return its document and its summary in one line."""
    if interrupted:
        process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert stdout, stderr
    document: dict[str, Any] = json.loads(stdout)
    validate(document)
    return document, " ".join(stderr.split())


def all_open(server: str) -> bool:
    try:
        return streams_open(server) == STREAMS
    except httpx.TransportError:
        return False


def test_the_recovery_agrees_with_the_outage_of_a_restarted_server() -> None:
    with started_server() as (process, port):
        server = f"http://127.0.0.1:{port}"
        with benching(f"{server}/load?rate=20&retry={RETRY_MS}", "--workers", "2") as running:
            until(lambda: all_open(server), timeout_s=30)
            time.sleep(1.5)  # a whole row of the timeline before the outage
            killed_s = time.monotonic()
            process.kill()
            process.wait()
            ended_s = time.monotonic()  # now all connections are closed
            time.sleep(AWAY_S)
            started_s = time.monotonic()
            with started_server("--port", str(port)):
                listening_s = time.monotonic()
                until(lambda: all_open(server), timeout_s=40)
                back_s = time.monotonic()
                time.sleep(1.5)
                document, summary = ended(running)
    recovery = document["recovery"]
    (outage,) = recovery["described"]
    assert (outage["streams"], outage["open_before"], outage["is_storm"]) == (STREAMS, STREAMS, False)
    # The run notices the loss after the kill, as late as its loop was.
    late_s = document["generator"]["loop_lag"]["max_ms"] / 1000 + 0.1
    assert started_s - ended_s - late_s <= outage["outage_s"] <= back_s - killed_s + 0.02
    assert outage["refused_s"] <= listening_s - killed_s + 0.02
    assert outage["outage_s"] <= outage["back_all_s"] <= back_s - killed_s + 0.02
    assert [each["kind"] for each in outage["failures"]] == ["connect-refused"]
    assert outage["attempts"] == STREAMS + outage["failures"][0]["count"]
    assert outage["reconnection_times"] == [{"ms": RETRY_MS, "from_server": True, "streams": STREAMS}]
    assert outage["early"] == 0
    assert "200 ms from the server (retry) obeyed" in summary
    assert f"{STREAMS} of {STREAMS} streams lost at" in summary


def test_a_storm_over_two_workers_is_one_recovery() -> None:
    with demo_server_process() as server:
        command = [*SSE, "bench", f"{server}/load?rate=20", "-n", "60", "-z", "4s", "--storm", "2s", "--workers", "2"]
        done = subprocess.run([*command, "--json", "-"], capture_output=True, text=True, timeout=60, check=False)
    document = json.loads(done.stdout)
    validate(document)
    (outage,) = document["recovery"]["described"]
    assert (outage["is_storm"], outage["streams"], outage["back"], outage["early"]) == (True, 60, 60, 60)
    assert outage["causes"] == {"storm": 60}
    assert 2.0 <= outage["start_s"] <= 2.0 + LATE_S
    assert outage["curve"][-1]["back"] == 1
    assert "a storm does not wait for it" in " ".join(done.stderr.split())


def restarted_behind_nginx(folder: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    with started_server() as (process, port):
        server = f"http://127.0.0.1:{port}"
        with (
            nginx_before(server, "proxy_buffering off;", folder) as proxy,
            benching(f"{proxy}/load?rate=20&retry={RETRY_MS}", *arguments) as running,
        ):
            until(lambda: all_open(server), timeout_s=30)
            process.kill()
            process.wait()
            if not arguments:
                return ended(running, interrupted=False)  # no stream is left
            time.sleep(2 * RETRY_MS / 1000)
            with started_server("--port", str(port)):
                until(lambda: all_open(server), timeout_s=40)
                return ended(running)


def test_a_502_behind_a_proxy_ends_the_streams_as_in_a_browser(tmp_path: Path) -> None:
    document, summary = restarted_behind_nginx(tmp_path)
    (outage,) = document["recovery"]["described"]
    assert outage["refusals"] == [{"status": 502, "streams": STREAMS, "retried": False}]
    assert (outage["gave_up"], outage["back"], outage["outage_s"]) == (STREAMS, 0, None)
    assert "They got status 502, after which a browser gives up too." in summary
    assert document["findings"][0]["code"] == "streams-gave-up"


def test_a_502_that_the_run_retries_says_that_a_browser_would_give_up(tmp_path: Path) -> None:
    document, summary = restarted_behind_nginx(tmp_path, "--retry-status", "502")
    (outage,) = document["recovery"]["described"]
    (refusal,) = outage["refusals"]
    assert (refusal["status"], refusal["retried"], refusal["streams"]) == (502, True, STREAMS)
    assert (outage["gave_up"], outage["back"], outage["waiting"]) == (0, STREAMS, 0)
    said = "a browser would give up; this run retried because of --retry-status"
    assert f"{STREAMS} streams got 502: {said}" in summary
    assert "browsers-give-up" in {finding["code"] for finding in document["findings"]}

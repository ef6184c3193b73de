"""Several workers as a user runs them: real processes, and real signals in the middle of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from busy_machine import LATE_S
from demo_server_processes import demo_server_process
from progress_lines import without_progress
from real_processes import SSE, children_of, is_running, streams_open, until, workers_of
from report_json import validate

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")

CONSOLE_SCRIPT = [str(Path(sys.executable).with_name("sse"))]


@pytest.fixture(name="server")
def own_server() -> Iterator[str]:
    """One server per test: it counts the streams."""
    with demo_server_process() as url:
        yield url


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start `sse bench` in a process group of its own; nothing of it is left when the block ends."""
    with subprocess.Popen(
        [*SSE, "bench", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def all_workers_of(process: subprocess.Popen[str], count: int = 2) -> list[int]:
    until(lambda: len(workers_of(process.pid)) == count)
    return workers_of(process.pid)


def document_at(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    validate(document)
    return document


@pytest.mark.parametrize("command", [SSE, CONSOLE_SCRIPT], ids=["module", "console-script"])
def test_events_received_by_two_workers_equal_the_count_of_the_server(
    server: str, tmp_path: Path, command: list[str]
) -> None:
    path = tmp_path / "run.json"
    arguments = [f"{server}/load?count=30&rate=50", "-n", "51", "-z", "4s", "--workers", "2", "--json", str(path)]
    done = subprocess.run([*command, "bench", *arguments], capture_output=True, text=True, timeout=40, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    document = document_at(path)
    run, streams = document["run"], document["streams"]
    assert (run["workers"], run["workers_lost"], run["incomplete"]) == (2, 0, False)
    assert (streams["planned"], streams["opened"], streams["ended_by_server"]) == (51, 51, 51)
    assert document["events"]["received"] == document["audit"]["checked"] == 51 * 30
    assert [document["audit"][name] for name in ("lost", "duplicated", "out_of_order")] == [0, 0, 0]
    assert len(document["generator"]["cpu_percent"]) == 2
    assert sum(row["events"] for row in document["timeline"]) == 51 * 30
    assert document["timeline"][-1]["open"] == 0
    stats = httpx.get(f"{server}/stats").json()
    # Beside the run there was the preflight, which left at once.
    assert stats["streams_opened"] == 52
    assert 0 <= stats["events_sent"] - 51 * 30 <= 30


def test_a_worker_that_is_killed_leaves_a_report_of_the_rest_that_names_the_loss(server: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with running(f"{server}/load", "-n", "40", "-z", "4s", "--workers", "2", "--json", str(path)) as process:
        victim, other = all_workers_of(process)
        until(lambda: streams_open(server) == 40)
        os.kill(victim, signal.SIGKILL)
        until(lambda: streams_open(server) == 20)
        stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, without_progress(stderr)) == (5, "")
    assert not is_running(other)
    text = " ".join(stdout.split())
    assert "1 of 2 workers were lost, and with them 20 of 40 streams" in text
    assert "20 opened 0 failed 20 lost with their worker" in text
    document = document_at(path)
    run, streams = document["run"], document["streams"]
    assert (run["workers"], run["workers_lost"], run["incomplete"], run["interrupted"]) == (2, 1, True, False)
    assert run["duration_s"] == pytest.approx(4, abs=1)
    assert (streams["planned"], streams["lost"], streams["open_at_end"], streams["unfinished"]) == (40, 20, 20, 0)
    assert document["events"]["received"] > 20 * 10 * 2
    assert sorted(percent is None for percent in document["generator"]["cpu_percent"]) == [False, True]
    (error,) = document["errors"]
    assert (error["kind"], error["count"]) == ("worker-lost", 1)
    assert "was killed by SIGKILL" in error["example"]
    assert "s into the run; its 20 streams are not in this report" in error["example"]


def test_when_all_workers_are_killed_the_report_still_comes(server: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with running(f"{server}/load", "-n", "10", "-z", "30s", "--workers", "2", "--json", str(path)) as process:
        workers = all_workers_of(process)
        until(lambda: streams_open(server) == 10)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        _, stderr = process.communicate(timeout=20)
    assert (process.returncode, without_progress(stderr)) == (5, "")
    document = document_at(path)
    assert (document["run"]["workers_lost"], document["streams"]["lost"]) == (2, 10)
    assert 0 < document["run"]["duration_s"] < 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("rate", [10, 0], ids=["quiet", "full-blast"])
def test_a_signal_to_the_whole_group_gives_one_partial_report_of_all_workers(
    server: str, tmp_path: Path, number: signal.Signals, rate: int
) -> None:
    path = tmp_path / "run.json"
    with running(
        f"{server}/load?rate={rate}", "-n", "40", "-z", "60s", "--workers", "2", "--json", str(path)
    ) as process:
        workers = all_workers_of(process)
        until(lambda: streams_open(server) == 40)
        os.killpg(process.pid, number)
        began_s = time.monotonic()
        stdout, stderr = process.communicate(timeout=20)
        assert time.monotonic() - began_s < LATE_S
    assert (process.returncode, without_progress(stderr)) == (130, "")
    assert not any(is_running(worker) for worker in workers)
    assert " ".join(stdout.split()).count("interrupted: the report covers the part that ran") == 1
    document = document_at(path)
    assert (document["run"]["interrupted"], document["run"]["incomplete"]) == (True, False)
    # At full blast the server may have opened a stream whose answer we have not read yet.
    assert document["streams"]["opened"] + document["streams"]["unfinished"] == 40
    assert document["streams"]["opened"] > 0
    assert document["run"]["workers_lost"] == 0


@pytest.mark.parametrize("after_s", [0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_ctrl_c_while_workers_are_still_starting_is_a_report_and_no_traceback(server: str, after_s: float) -> None:
    with running(f"{server}/load", "-n", "10", "-z", "60s", "--workers", "4") as process:
        until(lambda: bool(workers_of(process.pid)))
        time.sleep(after_s)
        children = list(children_of(process.pid))
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
        assert (process.returncode, without_progress(stderr)) == (130, "")
        until(lambda: not any(is_running(child) for child in children))
    assert "interrupted" in stdout
    assert "incomplete" not in stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_everything_at_once(server: str, number: signal.Signals) -> None:
    with running(f"{server}/load", "-n", "10", "-z", "60s", "--workers", "2") as process:
        workers = all_workers_of(process)
        children = list(children_of(process.pid))
        until(lambda: streams_open(server) == 10)
        os.kill(workers[0], signal.SIGSTOP)  # it does not answer the first one, and so the run goes on
        os.killpg(process.pid, number)
        until(lambda: streams_open(server) == 5)
        os.killpg(process.pid, number)
        began_s = time.monotonic()
        stdout, stderr = process.communicate(timeout=20)
        assert time.monotonic() - began_s < LATE_S
        until(lambda: not any(is_running(child) for child in children))
    assert process.returncode in (130, -signal.SIGTERM)
    assert (stdout, without_progress(stderr)) == ("", "")


@pytest.mark.parametrize("rate", [10, 0], ids=["quiet", "full-blast"])
def test_workers_do_not_outlive_their_parent(server: str, rate: int) -> None:
    with running(f"{server}/load?rate={rate}", "-n", "10", "-z", "60s", "--workers", "2") as process:
        all_workers_of(process)
        children = list(children_of(process.pid))
        until(lambda: streams_open(server) == 10)
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not any(is_running(child) for child in children), timeout_s=LATE_S)
        _, stderr = process.communicate(timeout=20)
    assert without_progress(stderr) == ""


def test_workers_do_not_outlive_a_parent_that_dies_while_they_start(server: str) -> None:
    with running(f"{server}/load", "-n", "10", "-z", "60s", "--workers", "2") as process:
        all_workers_of(process)
        children = list(children_of(process.pid))
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not any(is_running(child) for child in children), timeout_s=LATE_S)
        _, stderr = process.communicate(timeout=20)
    # A worker that has no task yet still has Python's signal handler, which prints a traceback.
    assert stderr == "" or stderr.endswith(("EOFError: Ran out of input\n", "pickle data was truncated\n"))


def test_strict_makes_a_saturated_run_exit_with_4_and_still_reports(server: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    arguments = [f"{server}/load", "-n", "2", "-z", "2s", "--strict", "--json", str(path)]
    with running(*arguments) as process:
        until(lambda: streams_open(server) == 2)
        os.kill(process.pid, signal.SIGSTOP)  # for 0.5 s it reads nothing: that is not the server's doing
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGCONT)
        stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (4, "")
    assert "The load generator was the bottleneck" in stdout
    assert document_at(path)["generator"]["saturated"]


@pytest.mark.parametrize("workers", ["0", "65", "two", "1.5"])
def test_a_number_of_workers_that_makes_no_sense_is_one_line(workers: str) -> None:
    done = subprocess.run(
        [*SSE, "bench", "http://h/", "--workers", workers], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"sse: '{workers}' is not a number of workers: write auto, or 1 to 64\n"

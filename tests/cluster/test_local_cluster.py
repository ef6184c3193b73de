"""`--cluster local:N` starts a cluster of processes on this machine, and ends it."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
from cluster_runs import bench, running_bench
from real_processes import streams_open, until


def test_local_cluster_runs_the_load_in_its_workers(server: str, tmp_path: Path) -> None:
    done = bench(tmp_path, f"{server}/load?count=10&rate=50", "-n", "8", "-z", "20s", "--cluster", "local:2")
    assert (done.code, done.stderr) == (0, "")
    assert done.report["run"]["workers"] == 2
    assert done.report["events"]["received"] == 80


def test_local_cluster_ends_with_its_client(server: str, tmp_path: Path) -> None:
    with running_bench(tmp_path, f"{server}/load", "-n", "8", "-z", "60s", "--cluster", "local:2") as run:
        until(lambda: streams_open(server) == 8, 30)
        processes = psutil.Process(run.popen.pid).children(recursive=True)
        run.popen.kill()
        run.popen.wait()
        until(lambda: streams_open(server) == 0)
        until(lambda: not any(process.is_running() for process in processes))


def test_local_cluster_that_is_interrupted_while_it_starts_leaves_nothing(server: str, tmp_path: Path) -> None:
    with running_bench(tmp_path, f"{server}/load", "-z", "60s", "--cluster", "local:2") as run:
        program = psutil.Process(run.popen.pid)
        until(lambda: len(program.children(recursive=True)) >= 2, 30)
        processes = program.children(recursive=True)
        done = run.signalled(signal.SIGINT)
    assert (done.code, done.stderr) == (130, "")
    until(lambda: not any(process.is_running() for process in processes))

"""Ctrl-C and SIGTERM end all machines, with one partial report."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from busy_machine import LATE_S
from cluster_processes import Cluster, load_processes
from cluster_runs import running_bench
from real_processes import streams_open, until

from sseclient_cli.run.hosts.exchange import LEASE_S


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_shards_with_the_partial_report(
    cluster: Cluster, server: str, tmp_path: Path, number: signal.Signals
) -> None:
    arguments = [f"{server}/load", "-n", "40", "-z", "60s", "--cluster", cluster.address]
    with running_bench(tmp_path, *arguments) as run:
        until(lambda: streams_open(server) == 40)
        began_s = time.monotonic()
        done = run.signalled(number)
        assert time.monotonic() - began_s < 1 + LATE_S
    assert (done.code, done.stderr) == (130, "")
    assert done.text.count("interrupted: the report covers the part that ran") == 1
    run_of = done.report["run"]
    assert (run_of["interrupted"], run_of["incomplete"], run_of["workers_lost"]) == (True, False, 0)
    assert done.report["streams"]["opened"] == 40
    assert done.report["events"]["received"] > 0
    until(lambda: streams_open(server) == 0)
    until(lambda: load_processes(cluster) == [])


def test_a_second_signal_ends_the_client_at_once_and_the_load_within_its_lease(
    cluster: Cluster, server: str, tmp_path: Path
) -> None:
    with running_bench(tmp_path, f"{server}/load", "-n", "40", "-z", "60s", "--cluster", cluster.address) as run:
        until(lambda: streams_open(server) == 40)
        os.kill(load_processes(cluster)[0], signal.SIGSTOP)  # it does not answer the first one, and so the run goes on
        os.killpg(run.popen.pid, signal.SIGINT)
        until(lambda: streams_open(server) == 10)
        began_s = time.monotonic()
        done = run.signalled(signal.SIGINT)
        assert time.monotonic() - began_s < LATE_S
        assert (done.code, done.stdout, done.stderr) == (130, "", "")
        until(lambda: load_processes(cluster) == [], LEASE_S + LATE_S)
        assert streams_open(server) == 0


def test_ctrl_c_while_processes_start_is_a_report_and_no_traceback(
    cluster: Cluster, server: str, tmp_path: Path
) -> None:
    with running_bench(tmp_path, f"{server}/load", "-n", "40", "-z", "60s", "--cluster", cluster.address) as run:
        until(lambda: load_processes(cluster) != [])
        done = run.signalled(signal.SIGINT)
    assert (done.code, done.stderr) == (130, "")
    assert "interrupted" in done.text
    until(lambda: load_processes(cluster) == [])

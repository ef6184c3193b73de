"""A loss in mid-run is named in the report of the rest, and no orphan keeps loading the target."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from busy_machine import LATE_S
from cluster_processes import load_processes
from cluster_runs import Finished
from host_cluster import Host, HostCluster, host_cluster
from real_processes import until

from sseclient_cli.run.hosts.exchange import LEASE_S

STREAMS = 20
STREAMS_EACH = 10
HOSTS = {"alpha": Host(), "beta": Host()}
LOAD = ["/load", "-n", str(STREAMS), "--ramp-up", "0s", "-z"]


@pytest.fixture(name="them")
def two_hosts(tmp_path: Path) -> Iterator[HostCluster]:
    with host_cluster(tmp_path, HOSTS) as them:
        yield them


def check_report_without(lost: dict[str, int], done: Finished, kind: str, how: str) -> None:
    """Check the report of a run that lost these numbers of streams by host."""
    assert (done.code, done.stderr) == (5, "")
    run, streams = done.report["run"], done.report["streams"]
    assert (run["incomplete"], run["interrupted"]) == (True, False)
    assert (streams["planned"], streams["lost"]) == (STREAMS, sum(lost.values()))
    assert streams["opened"] == STREAMS - sum(lost.values())
    assert {name: host["lost"] for name, host in done.hosts.items()} == {**dict.fromkeys(HOSTS, 0), **lost}
    for name, count in lost.items():
        assert f"{name} lost 1 of 1 workers and {count} streams" in done.text
    (error,) = [error for error in done.report["errors"] if error["kind"] == kind]
    assert f"on {next(iter(lost))} {how}" in error["example"]


def test_killed_load_process_is_lost_with_its_streams_on_its_host(them: HostCluster) -> None:
    with them.running(*LOAD, "3s") as run:
        them.wait_for_streams(STREAMS)
        (victim,) = load_processes(them.cluster, "beta-0")
        os.kill(victim, signal.SIGKILL)
        them.wait_for_streams(STREAMS_EACH)
        done = run.finished()
    check_report_without({"beta": STREAMS_EACH}, done, "worker-lost", "was killed by SIGKILL")
    assert done.report["events"]["received"] > 0


def test_killed_dask_worker_is_lost_with_its_load(them: HostCluster) -> None:
    with them.running(*LOAD, "3s") as run:
        them.wait_for_streams(STREAMS)
        os.kill(them.cluster.workers["beta-0"].popen.pid, signal.SIGKILL)
        them.wait_for_streams(STREAMS_EACH)
        done = run.finished()
    check_report_without({"beta": STREAMS_EACH}, done, "host-lost", "was lost")


def test_machine_behind_a_cut_link_is_lost_and_ends_its_load(them: HostCluster) -> None:
    with them.running(*LOAD, "9s") as run:  # longer than the lease
        them.wait_for_streams(STREAMS)
        them.isolate(them.hosts["beta"])  # only its connections to the target are left
        them.wait_for_streams(STREAMS_EACH, LEASE_S + LATE_S)
        done = run.finished()
    check_report_without({"beta": STREAMS_EACH}, done, "host-lost", "was lost: its machine does not answer")
    until(lambda: load_processes(them.cluster) == [])


def test_killed_scheduler_ends_the_run_with_a_report_and_all_load(them: HostCluster) -> None:
    with them.running(*LOAD, "30s") as run:
        them.wait_for_streams(STREAMS)
        os.kill(them.cluster.scheduler.popen.pid, signal.SIGKILL)
        them.wait_for_streams(0, LEASE_S + LATE_S)
        done = run.finished()
    check_report_without(
        dict.fromkeys(HOSTS, STREAMS_EACH), done, "host-lost", "was lost with the scheduler of the cluster"
    )


def test_load_ends_when_its_client_was_killed(them: HostCluster) -> None:
    with them.running(*LOAD, "30s") as run:
        them.wait_for_streams(STREAMS)
        run.popen.kill()
        run.popen.wait()
        them.wait_for_streams(0, LEASE_S + LATE_S)
    until(lambda: load_processes(them.cluster) == [])


def test_worker_that_its_nanny_starts_again_does_not_run_its_shard_again(tmp_path: Path) -> None:
    with host_cluster(tmp_path, HOSTS, options=["--nanny"]) as them, them.running(*LOAD, "3s") as run:
        them.wait_for_streams(STREAMS)
        nanny = them.cluster.workers["beta-0"]
        (load,) = load_processes(them.cluster, "beta-0")
        os.kill(psutil.Process(load).ppid(), signal.SIGKILL)
        them.wait_for_streams(STREAMS_EACH)
        until(lambda: nanny.log.count("Registered to") == 2)
        done = run.finished()
        opened = them.get("/stats")["streams_opened"]
    check_report_without({"beta": STREAMS_EACH}, done, "host-lost", "was lost")
    assert opened <= STREAMS + len(HOSTS)  # with the preflights

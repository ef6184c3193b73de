"""A machine that cannot take part in the run is named before any stream is opened."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_processes import dask_scheduler, start_worker, wait_for_workers
from cluster_runs import bench
from host_cluster import Host, HostCluster, host_cluster

STREAMS = 200
OPEN_FILES = 100


@pytest.fixture(name="them")
def two_hosts(tmp_path: Path) -> Iterator[HostCluster]:
    with host_cluster(tmp_path, {"alpha": Host(), "beta": Host()}) as them:
        yield them


def test_machine_that_cannot_reach_the_target_is_named(them: HostCluster) -> None:
    them.hosts["beta"].refuse_route_to(them.target)
    done = them.bench("/load", "-n", str(STREAMS), "-z", "2s")
    assert (done.code, done.stdout, done.report) == (3, "", {})
    assert done.stderr.startswith("sse: on beta: ")
    assert them.get("/stats")["streams_opened"] <= 1  # the preflight of the other machine


def test_machine_with_too_few_open_files_is_named(them: HostCluster) -> None:
    worker = them.cluster.workers["beta-0"].popen.pid
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))  # as after `ulimit -n` in its shell
    done = them.bench("/load", "-n", str(STREAMS), "-z", "2s")
    assert (done.code, done.stdout, done.report) == (2, "", {})
    assert done.stderr.startswith("sse: on beta: ")
    assert str(OPEN_FILES) in done.stderr
    assert them.get("/stats")["streams_opened"] <= 1  # the preflight of the other machine


def test_other_version_on_a_worker_is_an_error_that_names_both(server: str, tmp_path: Path) -> None:
    other = tmp_path / "other" / "sseclient_cli-99.0.dist-info"
    other.mkdir(parents=True)
    other.joinpath("METADATA").write_text("Metadata-Version: 2.4\nName: sseclient-cli\nVersion: 99.0\n", "ascii")
    with dask_scheduler(tmp_path) as cluster:
        start_worker(cluster, "same")
        start_worker(cluster, "other", environment={"PYTHONPATH": str(other.parent)})
        wait_for_workers(cluster)
        address = cluster.workers["other"].logged(r"Start worker at:\s+(\S+)\n")
        done = bench(tmp_path, f"{server}/load", "-n", "10", "-z", "2s", "--cluster", cluster.address)
    assert done.code != 0
    assert (done.stdout, done.report) == ("", {})
    assert address in done.stderr
    assert "sseclient-cli 99.0 (here " in done.stderr

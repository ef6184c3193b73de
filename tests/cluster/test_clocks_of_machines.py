"""A machine whose wall clock differs is named; `--correct-clocks` takes the difference out of arrival times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from host_cluster import Host, HostCluster, host_cluster

AHEAD_S = 2.5
LOAD = ["/load?rate=20", "-n", "8", "-z", "2s"]


@pytest.fixture(name="them", scope="module")
def two_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostCluster]:
    hosts = {"right": Host(), "ahead": Host(wall_offset_s=AHEAD_S, monotonic_offset_s=3000)}
    with host_cluster(tmp_path_factory.mktemp("dask"), hosts) as them:
        yield them


def test_machine_with_another_clock_is_named_and_corrects_nothing(them: HostCluster) -> None:
    done = them.bench(*LOAD)
    assert (done.code, done.stderr) == (0, "")
    for name, offset_ms in {"right": 0, "ahead": 1000 * AHEAD_S}.items():
        host = done.hosts[name]
        assert abs(host["clock_offset_ms"] - offset_ms) <= host["clock_bound_ms"]
    assert not any(host["clock_corrected"] for host in done.hosts.values())
    assert "host-clocks-differ" in done.findings
    assert "ahead" in done.text
    assert done.report["latency"]["delivery"]["max_ms"] == pytest.approx(1000 * AHEAD_S, abs=1000)


def test_corrected_clocks_give_the_latencies_of_one_clock(them: HostCluster) -> None:
    done = them.bench(*LOAD, "--correct-clocks")
    assert (done.code, done.stderr) == (0, "")
    assert all(host["clock_corrected"] for host in done.hosts.values())
    assert "host-clocks-differ" not in done.findings
    assert done.report["latency"]["delivery"]["p50_ms"] < 1000 * AHEAD_S / 5

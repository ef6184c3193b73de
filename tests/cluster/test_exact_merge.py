"""The report of a cluster equals that of one process: counts exactly, percentiles to the resolution of a histogram."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cluster_processes import Cluster
from cluster_runs import bench
from real_processes import json_of
from real_servers import serving_app

STREAMS = 40
FAULTS = "count=60&rate=50&drop=7&duplicate=11&reorder=4&seed=18"
DELAYS_S = [100 * 1.1**row for row in range(35)]
"""Far above the noise of a run. No percentile is at the edge of two rows, as streams may differ by a few events."""


def counts_of(report: dict[str, Any]) -> dict[str, int]:
    audit = report["audit"]
    return {
        "streams": report["streams"]["opened"],
        "sent": report["events"]["received"],
        **{name: audit[ours] for name, ours in (("dropped", "lost"), ("duplicated", "duplicated"))},
    }


def test_counts_of_four_dask_workers_equal_those_of_one_process_and_the_log_of_the_server(
    cluster: Cluster, server: str, tmp_path: Path
) -> None:
    for run, options in {"alone": ["--workers", "1"], "dask": ["--cluster", cluster.address, "--workers", "4"]}.items():
        arguments = [f"{server}/faults?{FAULTS}&run={run}", "-n", str(STREAMS), "-z", "30s", "--sequence", "id"]
        done = bench(tmp_path, *arguments, "--no-preflight", *options)
        assert (done.code, done.stderr) == (0, "")
        truth = json_of(server, f"/truth/{run}")["totals"]
        assert counts_of(done.report) == {name: truth[name] for name in ("streams", "sent", "dropped", "duplicated")}
        assert truth["dropped"] > 0 < truth["duplicated"]
        assert done.report["run"]["workers"] == int(options[-1])


def test_percentiles_of_four_dask_workers_are_those_of_one_process(cluster: Cluster, tmp_path: Path) -> None:
    values = tmp_path / "values.csv"
    values.write_text("\n".join(["late_s", *map(str, DELAYS_S)]), "utf-8")
    found = []
    with serving_app("delayed") as url:
        for options in (["--workers", "1"], ["--cluster", cluster.address, "--workers", "4"]):
            arguments = [f"{url}/?late_s={{late_s}}", "--values", str(values), "-n", str(len(DELAYS_S)), "-z", "1s"]
            done = bench(tmp_path, *arguments, *options)
            assert done.code == 0, done.stderr
            found.append(done.report["latency"]["delivery"])
    for delivery in found:
        for name, row in {"p50_ms": 17, "p90_ms": 31, "p95_ms": 33, "p99_ms": 34}.items():
            assert delivery[name] == pytest.approx(1000 * DELAYS_S[row], rel=0.002), name
        assert delivery["max_ms"] == pytest.approx(1000 * DELAYS_S[-1], rel=0.002)


def test_hosts_of_the_report_add_up_to_the_run(cluster: Cluster, server: str, tmp_path: Path) -> None:
    done = bench(tmp_path, f"{server}/load?count=20&rate=50", "-n", "10", "-z", "10s", "--cluster", cluster.address)
    assert done.code == 0, done.stderr
    (host,) = done.hosts.values()
    assert (host["workers"], host["workers_lost"]) == (4, 0)
    assert (host["planned"], host["opened"], host["failed"], host["lost"]) == (10, 10, 0, 0)
    assert host["events"] == done.report["events"]["received"] == 200
    assert len(host["cpu_percent"]) == 4

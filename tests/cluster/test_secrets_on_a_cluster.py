"""No secret of a run is in the logs, pages, events and states of Dask."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cluster_processes import Cluster, pages
from cluster_runs import running_bench
from real_processes import streams_open, until

SECRET = "hush"
STREAMS = 20
BODY = f"body-{SECRET}"

DUMP = """
import sys
from distributed import Client

with Client(sys.argv[1]) as client:
    client.dump_cluster_state(sys.argv[2], format="yaml")
    print(client.get_events(), client.get_scheduler_logs(), client.get_worker_logs())
"""
"""All that a client can ask scheduler and workers about: states, tasks, transitions, events, logs."""


def kept_by(cluster: Cluster, folder: Path) -> str:
    file = folder / "state"
    done = subprocess.run(
        [sys.executable, "-c", DUMP, cluster.address, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr + file.with_suffix(".yaml").read_text("utf-8")


def test_secrets_are_in_no_log_page_event_or_state_of_dask(cluster: Cluster, server: str, tmp_path: Path) -> None:
    values = tmp_path / "values.csv"
    values.write_text("token\n" + "".join(f"{SECRET}-{row}\n" for row in range(STREAMS)), "utf-8")
    arguments = [
        f"{server}/load", "-n", str(STREAMS), "-z", "60s", "--cluster", cluster.address,
        "--bearer", SECRET, "-H", f"X-Api-Key: {SECRET}", "-H", f"X-Mine: {SECRET}", "-b", f"session={SECRET}",
        "-H", "X-Token: {token}", "--values", str(values),
    ]  # fmt: skip
    with running_bench(tmp_path, *arguments) as run:
        until(lambda: streams_open(server) == STREAMS)
        during = pages(cluster) + kept_by(cluster, tmp_path)
        run.popen.terminate()
        done = run.finished()
    assert done.code == 130, done.stderr
    assert done.report["streams"]["opened"] == STREAMS
    for text in (during, pages(cluster), cluster.logs()):
        assert text
        assert SECRET not in text
    assert "sse-bench-" in during  # the agents are there to be seen


def test_secrets_are_in_no_log_after_errors(cluster: Cluster, server: str, tmp_path: Path) -> None:
    arguments = [f"{server}/faults?status=401", "-n", "4", "-z", "2s", "--cluster", cluster.address]
    with running_bench(tmp_path, *arguments, "--bearer", SECRET, "-d", BODY) as run:
        done = run.finished()
    assert done.code == 3
    for text in (done.stderr, pages(cluster), cluster.logs()):
        assert text
        assert SECRET not in text

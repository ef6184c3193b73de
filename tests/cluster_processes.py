"""Starts a Dask scheduler and Dask workers as processes of their own, on free ports, in one place for all tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from real_processes import until

START_WITHIN_S = 30
PAGES = ["/info/main/workers.html", "/info/main/logs.html", "/json/counts.json", "/metrics"]
"""Pages of the scheduler that exist without bokeh."""


@dataclass(frozen=True)
class DaskProcess:
    """A scheduler, a worker or a nanny, with its log."""

    popen: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    def logged(self, pattern: str) -> str:
        """Wait for this line of the log, and return the group of the pattern."""
        until(lambda: bool(re.search(pattern, self.log)) or self.popen.poll() is not None, START_WITHIN_S)
        match = re.search(pattern, self.log)
        assert match, self.log
        return match[1]

    def end(self) -> None:
        """Kill the process and its children, which are in its process group."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


@dataclass(frozen=True)
class Cluster:
    """A scheduler and its workers by name."""

    folder: Path
    scheduler: DaskProcess
    address: str
    http: str
    workers: dict[str, DaskProcess] = field(default_factory=dict)

    def logs(self) -> str:
        return "".join(process.log for process in (self.scheduler, *self.workers.values()))


def started(
    name: str, folder: Path, module: str, *options: str, prefix: Sequence[str], environment: Mapping[str, str]
) -> DaskProcess:
    """Start a program of Dask in a process group of its own; `prefix` goes before the command."""
    log_file = folder / f"{name}.log"
    command = [*prefix, sys.executable, "-m", f"distributed.cli.{module}", *options]
    with log_file.open("wb") as log:
        popen = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), **environment},
        )  # fmt: skip
    return DaskProcess(popen, log_file)


def start_worker(
    cluster: Cluster,
    name: str,
    *options: str,
    host: str = "127.0.0.1",
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> DaskProcess:
    """Start a Dask worker with one thread, without a nanny unless the options say so."""
    cluster.workers[name] = started(
        name, cluster.folder, "dask_worker", cluster.address, "--host", host, "--nthreads", "1", "--name", name,
        "--no-dashboard", "--local-directory", str(cluster.folder), *(options or ["--no-nanny"]),
        prefix=prefix, environment=environment or {},
    )  # fmt: skip
    return cluster.workers[name]


@contextmanager
def dask_scheduler(
    folder: Path, *options: str, host: str = "127.0.0.1", prefix: Sequence[str] = ()
) -> Iterator[Cluster]:
    """Run a scheduler, and end it and the workers that were started for it with the block."""
    page = f"{host.rpartition('/')[2]}:0"
    scheduler = started(
        "scheduler", folder, "dask_scheduler", "--host", host, "--port", "0", "--dashboard-address", page, *options,
        prefix=prefix, environment={},
    )  # fmt: skip
    workers: dict[str, DaskProcess] = {}
    try:
        address = scheduler.logged(r"Scheduler at:\s+(\S+)\n")
        http = scheduler.logged(r"dashboard at:\s+(\S+)/status\n")
        yield Cluster(folder, scheduler, address, http, workers)
    finally:
        for process in (*workers.values(), scheduler):
            process.end()


@contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Run a scheduler and workers without nannies."""
    with dask_scheduler(folder) as cluster:
        for number in range(workers):
            start_worker(cluster, f"worker-{number}")
        wait_for_workers(cluster)
        yield cluster


def wait_for_workers(cluster: Cluster) -> None:
    for worker in cluster.workers.values():
        worker.logged("(Registered to):")


def pages(cluster: Cluster) -> str:
    """Return all that the scheduler shows over HTTP: its pages, and those of workers and tasks that they link to."""
    with httpx.Client(base_url=cluster.http, timeout=30, trust_env=False) as client:
        texts = [client.get(path).raise_for_status().text for path in PAGES]
        links = set(re.findall(r'href="\.\./((?:worker|task|logs|call-stack|call-stacks)/[^"]+)"', texts[0]))
        return "".join([*texts, *(client.get(f"/info/{link}").text for link in links)])


def load_processes(cluster: Cluster, worker: str = "") -> list[int]:
    """Return the processes that load the target, of one Dask worker or of all."""
    workers = [cluster.workers[worker]] if worker else cluster.workers.values()
    found = []
    for process in workers:
        with suppress(psutil.NoSuchProcess):
            found += psutil.Process(process.popen.pid).children(recursive=True)
    return [process.pid for process in found if _is_load_process(process)]


def _is_load_process(process: psutil.Process) -> bool:
    try:
        return "sseclient_cli.run.executors.apart" in process.cmdline()
    except psutil.NoSuchProcess:
        return False

"""A Dask cluster on machines of their own: a client, a scheduler, hosts, and the target, which the client cannot reach.

The demo server is the target. Its access log has all streams.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from cluster_processes import Cluster, dask_scheduler, start_worker, wait_for_workers
from cluster_runs import Finished, Running, running_bench
from demo_server_processes import serving
from machines import Machine, network
from real_processes import json_of, until
from shifted_clocks import with_shifted_wall_clock


@dataclass(frozen=True)
class Host:
    """A host to create: its port at the switch, and its clock."""

    delay_ms: float = 0
    loss: float = 0
    monotonic_offset_s: int | None = None
    wall_offset_s: float = 0


@dataclass(frozen=True)
class HostCluster:
    """The machines, with the processes on them."""

    client: Machine
    scheduler: Machine
    target: Machine
    hosts: dict[str, Machine]
    cluster: Cluster
    server: str
    """The URL of the demo server."""

    folder: Path
    _server_log: IO[str] = field(repr=False)

    def bench(self, url: str, *options: str) -> Finished:
        """Run `sse bench` on the client. The URL may be a path of the demo server."""
        with self.running(url, *options) as run:
            return run.finished()

    @contextmanager
    def running(self, url: str, *options: str) -> Iterator[Running]:
        """Start `sse bench` on the client. The URL may be a path of the demo server."""
        arguments = [urljoin(self.server, url), "--cluster", self.cluster.address, *options]
        with running_bench(self.folder, *arguments, prefix=self.client.prefix) as run:
            yield run

    def get(self, path: str) -> Any:
        """Return a JSON answer of the demo server."""
        return self.target.call(lambda: json_of(self.server, path))

    def streams_open(self) -> int:
        return int(self.get("/stats")["streams_open"])

    def wait_for_streams(self, count: int, timeout_s: float = 20) -> None:
        until(lambda: self.streams_open() == count, timeout_s)

    def requests(self) -> list[dict[str, Any]]:
        """Return the lines of the server's access log."""
        self._server_log.seek(0)
        return [json.loads(line) for line in self._server_log]

    def isolate(self, host: Machine) -> None:
        """Cut all connections of a host except those to the target."""
        host.cut_from(self.client, self.scheduler, *(other for other in self.hosts.values() if other != host))


@contextmanager
def host_cluster(
    folder: Path,
    hosts: dict[str, Host],
    *,
    workers: int = 1,
    own_folder: Path | None = None,
    options: Sequence[str] = (),
) -> Iterator[HostCluster]:
    """Run a cluster with Dask workers on each host, without nannies unless the options say so.

    `own_folder` exists for the client only.
    """
    with ExitStack() as stack:
        net = stack.enter_context(network())
        client = net.machine("client", own_folder=own_folder)
        scheduler, target = net.machine("scheduler"), net.machine("target")
        client.refuse_route_to(target)
        machines = {
            name: net.machine(name, delay_ms=host.delay_ms, loss=host.loss, monotonic_offset_s=host.monotonic_offset_s)
            for name, host in hosts.items()
        }
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
        served = serving("--access-log", "all", "--host", target.address, prefix=target.prefix, stderr=log)
        _, server = stack.enter_context(served)
        cluster = stack.enter_context(dask_scheduler(folder, host=scheduler.address, prefix=scheduler.prefix))
        for name, machine in machines.items():
            offset_s = hosts[name].wall_offset_s
            environment = with_shifted_wall_clock(offset_s) if offset_s else {}
            for number in range(workers):
                start_worker(
                    cluster,
                    f"{name}-{number}",
                    *options,
                    host=machine.address,
                    prefix=machine.prefix,
                    environment=environment,
                )
        wait_for_workers(cluster)
        yield HostCluster(client, scheduler, target, machines, cluster, server, folder, log)

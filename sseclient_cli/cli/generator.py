"""The load generator of a run: this machine, or the machines of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from sseclient_cli.cli.measuring import explain_refusal, require_resources, require_route_ports, route_of
from sseclient_cli.cli.options.cluster import ClusterOptions
from sseclient_cli.cli.options.load import DEFAULT_WORKERS, LoadOptions
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.errors import BadStatusError, UsageError

if TYPE_CHECKING:
    from sseclient_cli.client.mcp_session import McpServer
    from sseclient_cli.run.executors import Executor
    from sseclient_cli.run.executors.cluster import Cluster
    from sseclient_cli.run.hosts.route import Route
    from sseclient_cli.run.spec import RunSpec


class Generator(Protocol):
    """Prepares runs, and chooses their executor."""

    def require_resources(self, spec: RunSpec) -> RunSpec:
        """Return the run with its number of workers. Raises LimitError if it exceeds the limits of a machine."""

    def routes(self, spec: RunSpec, *, with_preflight: bool, known: McpServer | None = None) -> list[Route]:
        """Return the route to each target. A ``known`` server has answered before. Raises SseError."""

    def require_ports(self, spec: RunSpec, routes: Sequence[Route]) -> None:
        """Raise LimitError if the addresses of the routes have too few local ports."""

    def executor(self, spec: RunSpec) -> Executor:
        """Return the executor of a run."""


def check_cluster(options: ClusterOptions) -> None:
    """Raise UsageError for an option that needs a cluster."""
    if options.correct_clocks and options.cluster is None:
        raise UsageError("--correct-clocks needs --cluster: one machine has one clock")


@contextmanager
def generator_of(cluster: ClusterOptions, load: LoadOptions, output: BenchOutputOptions) -> Iterator[Generator]:
    """Join the cluster, if there is one, while the block runs."""
    if cluster.cluster is None:
        yield _ThisMachine(load, output)
        return
    try:
        from sseclient_cli.run.executors.dask import joined
    except ImportError as exc:
        if (exc.name or "").partition(".")[0] not in ("dask", "distributed"):
            raise
        raise UsageError("--cluster needs dask's distributed: pip install 'sseclient-cli[cluster]'") from None
    with ExitStack() as stack:
        with _waiting(output, f"joining the cluster {cluster.cluster}"):
            machines = stack.enter_context(joined(cluster.cluster, corrects_clocks=cluster.correct_clocks))
        yield _OnCluster(machines, load, output)


@dataclass(frozen=True, slots=True)
class _ThisMachine:
    load: LoadOptions
    output: BenchOutputOptions

    def require_resources(self, spec: RunSpec) -> RunSpec:
        require_resources(spec)
        return spec

    def routes(self, spec: RunSpec, *, with_preflight: bool, known: McpServer | None = None) -> list[Route]:
        return [route_of(side, with_preflight=with_preflight, output=self.output, known=known) for side in spec.sides]

    def require_ports(self, spec: RunSpec, routes: Sequence[Route]) -> None:
        if self.load.all_addresses:
            plan = replace(spec.plan, connections=len(routes) * spec.plan.connections)
            for route in routes:
                require_route_ports(route, plan)

    def executor(self, spec: RunSpec) -> Executor:
        from sseclient_cli.run.executors.choice import executor_of

        return executor_of(spec.workers)


@dataclass(frozen=True, slots=True)
class _OnCluster:
    cluster: Cluster
    load: LoadOptions
    output: BenchOutputOptions

    def require_resources(self, spec: RunSpec) -> RunSpec:
        placed = self.cluster.place(spec, self.load.workers or DEFAULT_WORKERS)
        self.cluster.require_resources(placed)
        return placed

    def routes(self, spec: RunSpec, *, with_preflight: bool, known: McpServer | None = None) -> list[Route]:
        with _waiting(self.output, f"waiting for {spec.target.redacted_url} to answer the machines of the cluster"):
            try:
                return self.cluster.find_routes(with_preflight=with_preflight and known is None)
            except BadStatusError as exc:
                explain_refusal(exc, spec)
                raise

    def require_ports(self, spec: RunSpec, routes: Sequence[Route]) -> None:
        """Do nothing: ``require_resources`` has checked the ports on each machine."""

    def executor(self, spec: RunSpec) -> Executor:
        return self.cluster.executor(spec)


def _waiting(output: BenchOutputOptions, text: str) -> AbstractContextManager[None]:
    from rich.console import Console

    from sseclient_cli.render.terminal.live import waiting_view

    return waiting_view(Console(stderr=True) if output.is_moving else None, text)

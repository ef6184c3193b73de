"""The machines of a cluster, checked and ready for runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from anyio.from_thread import BlockingPortal

from sseclient_cli.run.executors.cluster_run import ClusterExecutor, Place
from sseclient_cli.run.executors.machines import Machine, found_machines, place
from sseclient_cli.run.executors.network import Network
from sseclient_cli.run.hosts.host_errors import answers_of
from sseclient_cli.run.hosts.route import Route
from sseclient_cli.run.hosts.shipment import packed
from sseclient_cli.run.spec import RunSpec, Shard


class Cluster:
    """The machines of a cluster. ``corrects_clocks`` takes their measured offset out of arrival times."""

    def __init__(self, portal: BlockingPortal, network: Network, *, corrects_clocks: bool) -> None:
        self._portal, self._network, self._corrects_clocks = portal, network, corrects_clocks
        self._machines = portal.call(found_machines, network)
        self._places: list[tuple[Machine, str]] = []
        self._with_preflight: bool | None = None
        """How the routes were found. None before that."""
        self._checked: RunSpec | None = None
        """The run of the last check, whose values are on the first agent of each machine."""

    def place(self, spec: RunSpec, asked: str) -> RunSpec:
        """Decide how many load processes each machine has. Return the run with the number of all.

        ``asked`` is the number for each machine, or ``auto``. Raises UsageError.
        """
        self._places = place(self._machines, spec.plan.connections, asked)
        return replace(spec, workers=len(self._places))

    def require_resources(self, spec: RunSpec) -> None:
        """Raise SseError, which names the machines, if one of them cannot do its share of a placed run.

        The run travels to each machine. A run that was checked is not checked again.
        """
        if self._checked is not None and self._checked.plan == spec.plan and self._has_values_of(spec):
            return
        streams = -(-spec.plan.most_open // len(self._places))
        shipment = packed(spec)
        self._ask(lambda machine: ("check", shipment, streams * len(machine.placed), len(machine.placed)))
        self._checked = spec
        if self._with_preflight is not None and any(
            machine.placed and not machine.routes for machine in self._machines
        ):
            self.find_routes(with_preflight=self._with_preflight)  # a larger run has streams on more machines

    def find_routes(self, *, with_preflight: bool) -> list[Route]:
        """Find the routes of each machine to the targets of the checked run. Return those of the first machine.

        Their preflights have the requests of all machines. Raises SseError, which names the machines.
        """
        self._with_preflight = with_preflight
        answers = self._ask(lambda _: ("find_routes", with_preflight))
        for machine, routes in answers:
            machine.routes = routes
        return [_with_all_requests(*of_target) for of_target in zip(*(routes for _, routes in answers), strict=True)]

    def _ask(self, call_of: Callable[[Machine], tuple[Any, ...]]) -> list[tuple[Machine, Any]]:
        """Call the first agent of each machine. Return the answers. Raises an error of all machines that have one."""
        used = [machine for machine in self._machines if machine.placed]

        async def ask() -> list[Any]:
            return await answers_of(
                (machine.name, self._network.call(machine.placed[0], *call_of(machine))) for machine in used
            )

        return list(zip(used, self._portal.call(ask), strict=True))

    def executor(self, spec: RunSpec) -> ClusterExecutor:
        """Return the executor of a run that was placed and checked."""
        shards = {machine.name: self._shard(spec, machine) for machine, _ in self._places}
        hosts = {machine.name: machine.described(is_corrected=self._corrects_clocks) for machine, _ in self._places}
        places = [
            Place(
                agent,
                shards[machine.name],
                machine.name,
                hosts[machine.name],
                machine.clock,
                keeps_values=agent == machine.placed[0] and self._has_values_of(spec),
            )
            for machine, agent in self._places
        ]
        bound_ns = max(machine.clock.bound_ns for machine, _ in self._places)
        return ClusterExecutor(self._portal, self._network, places, trip_ns=2 * bound_ns)

    def _has_values_of(self, spec: RunSpec) -> bool:
        checked = () if self._checked is None else self._checked.sides
        return [side.target.per_stream for side in checked] == [side.target.per_stream for side in spec.sides]

    def _shard(self, spec: RunSpec, machine: Machine) -> Shard:
        """Return the whole run as one shard with the routes and the clock of a machine."""
        routes = [route.of(side.target) for route, side in zip(machine.routes, spec.sides, strict=True)]
        shard = spec.shard(*(route.chain for route in routes), others=routes[0].others)
        return replace(shard, clock_correction_ns=machine.clock.wall_ns if self._corrects_clocks else 0)


def _with_all_requests(first: Route, *others: Route) -> Route:
    if first.preflight is None:
        return first
    requests = sum(route.preflight.requests for route in (first, *others) if route.preflight)
    return first._replace(preflight=replace(first.preflight, requests=requests))

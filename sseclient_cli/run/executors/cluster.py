"""The machines of a cluster, checked and ready for runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from anyio.from_thread import BlockingPortal

from sseclient_cli.errors import ClusterError, SseError
from sseclient_cli.run.executors.cluster_run import ClusterExecutor, Place
from sseclient_cli.run.executors.machines import Machine, found_machines, place
from sseclient_cli.run.executors.network import Network
from sseclient_cli.run.hosts.host_errors import on_hosts
from sseclient_cli.run.hosts.route import Route
from sseclient_cli.run.hosts.shipment import packed
from sseclient_cli.run.spec import RunSpec, Shard


class Cluster:
    """The machines of a cluster. ``corrects_clocks`` takes their measured offset out of arrival times."""

    def __init__(self, portal: BlockingPortal, network: Network, *, corrects_clocks: bool) -> None:
        self._portal, self._network, self._corrects_clocks = portal, network, corrects_clocks
        self._machines = portal.call(found_machines, network)
        self._places: list[tuple[Machine, str]] = []
        self._checked: RunSpec | None = None
        """The run of the last check, whose values are on the first agent of each machine."""

    def place(self, spec: RunSpec, asked: str) -> RunSpec:
        """Decide how many load processes each machine has. Return the run with the number of all.

        ``asked`` is the number for each machine, or ``auto``. Raises UsageError.
        """
        self._places = place(self._machines, spec.plan.connections, asked)
        return replace(spec, workers=len(self._places))

    def require_resources(self, spec: RunSpec) -> None:
        """Raise SseError if a machine cannot do its share of a placed run. ``find_routes`` checks the first run."""
        if self._checked is not None and self._checked.plan != spec.plan:
            self._check(spec, with_preflight=False)

    def find_routes(self, spec: RunSpec, *, with_preflight: bool) -> list[Route]:
        """Check a placed run on each machine, and find its routes to the targets. Return those of the first machine.

        Raises SseError, which names the machines.
        """
        routes = self._check(spec, with_preflight=with_preflight)
        for machine in self._machines:
            machine.routes = routes.get(machine.name, ())
        return list(self._places[0][0].routes)

    def _check(self, spec: RunSpec, *, with_preflight: bool) -> dict[str, tuple[Route, ...]]:
        """Check on each machine whether it can do its share. Return the routes by machine."""
        used = [machine for machine in self._machines if machine.placed]
        streams = -(-spec.plan.most_open // len(self._places))
        shipment = packed(spec)

        async def ask() -> list[Any]:
            calls = [
                self._network.call(
                    machine.placed[0],
                    "check",
                    shipment,
                    streams * len(machine.placed),
                    len(machine.placed),
                    with_preflight,
                )
                for machine in used
            ]
            return await asyncio.gather(*calls, return_exceptions=True)

        answers = dict(zip([machine.name for machine in used], self._portal.call(ask), strict=True))
        errors = {
            name: answer
            if isinstance(answer, SseError)
            else ClusterError(f"the check before the run failed: {answer!r}")
            for name, answer in answers.items()
            if isinstance(answer, BaseException)
        }
        if errors:
            raise on_hosts(errors, len(used))
        self._checked = spec
        return answers

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
                has_values=agent == machine.placed[0] and self._has_values_of(spec),
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

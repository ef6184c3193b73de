"""The executor that runs a plan on the machines of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from anyio.from_thread import BlockingPortal

from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.executors import START_DELAY_NS, Post
from sseclient_cli.run.executors.clocks import measured_clocks
from sseclient_cli.run.executors.exchanges import Exchanges
from sseclient_cli.run.executors.network import Network
from sseclient_cli.run.hosts.clock_offset import ClockOffset, drift
from sseclient_cli.run.hosts.exchange import Kill
from sseclient_cli.run.hosts.host_errors import answers_of
from sseclient_cli.run.hosts.shipment import packed
from sseclient_cli.run.messages import Command
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard

RELEASE_TIMEOUT_S = 3.0
"""Timeout for the end of the agents' processes. Those of an agent that does not answer end by themselves."""

TRIPS_OF_A_START = 8
"""Round trips that the start command may take through the tree of agents."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one load process."""

    agent: str
    shard: Shard
    """The whole run, with the routes and the clock of its machine."""
    machine: str
    host: HostTotals
    """The machine as the report describes it."""
    clock: ClockOffset
    """That of the machine, before the run."""
    keeps_values: bool = False
    """Whether the agent has the values of the streams already."""


class ClusterExecutor:
    """Runs each shard in a process that the agent of its place starts."""

    def __init__(self, portal: BlockingPortal, network: Network, places: Sequence[Place], *, trip_ns: int) -> None:
        self.workers = len(places)
        self.start_delay_ns = START_DELAY_NS + TRIPS_OF_A_START * trip_ns
        self._portal, self._network, self._places = portal, network, places
        self._hosts = {place.machine: place.host for place in places}

    @contextmanager
    def started(self, shards: Sequence[Shard], post: Post, *, with_progress: bool) -> Iterator[Sequence[_Remote]]:
        """Start the processes."""
        places = self._places[: len(shards)]

        def post_described(number: int, message: object) -> None:
            if isinstance(message, Totals):
                for side in (message, *message.against.values()):
                    for name, totals in side.hosts.items():
                        totals.merge(self._hosts[name])
            post(number, message)

        async def exchanges() -> Exchanges:
            agents = [place.agent for place in places]
            return Exchanges(
                self._network,
                agents,
                post_described,
                sends_snapshots=shards[0].sends_snapshots,
                before_totals=self._bound_clocks,
            )

        run = self._portal.call(exchanges)
        try:
            self._portal.call(self._begin, shards, with_progress)
            task = self._portal.start_task_soon(run.run)
            try:
                yield [_Remote(number, place, run) for number, place in enumerate(places)]
            finally:
                task.cancel()
        finally:
            self._portal.call(self._release, run.agents)

    async def _begin(self, shards: Sequence[Shard], with_progress: bool) -> None:
        plans: dict[str, dict[int, Plan]] = {}
        for number, shard in enumerate(shards):
            plans.setdefault(self._places[number].agent, {})[number] = shard.plan
        place_of = {place.agent: place for place in self._places}

        async def begin(agent: str, of_agent: Mapping[int, Plan]) -> None:
            place = place_of[agent]
            shard = replace(place.shard, sends_snapshots=shards[0].sends_snapshots)
            if place.keeps_values:
                shard = shard.with_values([None] * len(shard.chains))
            await self._network.call(
                agent, "begin", packed(shard), of_agent, place.machine, with_progress, place.keeps_values
            )

        await answers_of((place_of[agent].machine, begin(agent, of_agent)) for agent, of_agent in plans.items())

    async def _bound_clocks(self, agents: Collection[str]) -> None:
        """Measure the clocks again: the bound of a host then covers the drift and the steps during the run."""
        first = {place.machine: place for place in reversed(self._places) if place.agent in agents}
        clocks = await measured_clocks(self._network, [place.agent for place in first.values()])
        for place in first.values():
            if place.agent in clocks:
                place.host.clock_bound_ns = drift(place.clock, clocks[place.agent]).bound_ns

    async def _release(self, agents: Sequence[str]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_TIMEOUT_S):
                await asyncio.gather(
                    *(self._network.call(agent, "release") for agent in agents), return_exceptions=True
                )


class _Remote:
    """The handle of a shard on another machine."""

    def __init__(self, number: int, place: Place, run: Exchanges) -> None:
        self._number, self._run = number, run
        self.clock_offset_ns = place.clock.monotonic_ns
        self.hosts: Mapping[str, HostTotals] = {place.machine: place.host}

    def tell(self, command: Command) -> None:
        self._run.order(self._number, command)

    def kill(self) -> None:
        self._run.order(self._number, Kill())

    def death(self) -> str:
        return self._run.deaths[self._number]

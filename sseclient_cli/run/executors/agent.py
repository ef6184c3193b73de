"""The agent of a machine in a cluster: it runs shards there, and passes messages on to the agents below it.

Its methods are called over the network, the coroutines in an event loop that must not wait. Each shard runs in a
process of its own, as without a cluster: the threads of the cluster's own program would falsify arrival times.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, TypeVar

from sseclient_cli.engine.clock import Reading, read_clocks
from sseclient_cli.run.executors.agent_run import AgentRun
from sseclient_cli.run.hosts.checks import check_host, find_routes
from sseclient_cli.run.hosts.exchange import Answer, Collected, Orders
from sseclient_cli.run.hosts.host import Host, this_host
from sseclient_cli.run.hosts.route import Route
from sseclient_cli.run.hosts.shipment import Shipment
from sseclient_cli.run.hosts.tree import Branch, collect_timeout_s, exchange_timeout_s
from sseclient_cli.run.hosts.versions import code_digest
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import RunSpec, Shard

_Part = TypeVar("_Part", Answer, Collected)


class Agent(ABC):
    """The agent of one machine, or of one of several worker programs on it."""

    def __init__(self) -> None:
        self._run: AgentRun | None = None
        self._checked: RunSpec | None = None
        """The run of the last check."""
        self._share = 0
        self._checking = ExitStack()
        """Holds its files, until a run begins."""

    @abstractmethod
    async def call(self, agent: str, method: str, *args: object) -> Any:
        """Call a method of another agent. Raises OSError if its process has ended."""

    async def clock(self) -> Reading:
        """Return the time of both clocks."""
        return read_clocks()

    def code(self) -> str:
        """Return the digest of this package's code here."""
        return code_digest()

    def host(self) -> Host:
        """Return the machine."""
        return this_host()

    def check(self, shipment: Shipment[RunSpec], share: int, workers: int) -> None:
        """Check whether this machine can do its share: see ``check_host``. Keep the run for what follows."""
        self._checking.close()
        spec = self._checking.enter_context(shipment.unpacked())
        self._checked, self._share = check_host(spec, share, workers), share

    def find_routes(self, with_preflight: bool) -> tuple[Route, ...]:
        """Find the routes to the targets of the run that was checked last."""
        assert self._checked is not None
        return find_routes(self._checked, self._share, with_preflight=with_preflight)

    def begin(
        self, shipment: Shipment[Shard], plans: Mapping[int, Plan], name: str, with_progress: bool, keeps_values: bool
    ) -> None:
        """Start the processes of a run: see ``AgentRun``. With ``keeps_values``, it has those of the last check."""
        self.release()
        kept = () if self._checked is None else self._checked.sides
        values = [side.target.per_stream for side in kept] if keeps_values else None
        self._run = AgentRun(shipment, values, plans, name, with_progress=with_progress)

    async def exchange(self, orders: Orders, branch: Branch) -> Answer:
        """Pass commands to the shards of this branch of the tree, and return their state."""
        answer = self._current_run().answer(orders)
        answer.agents.add(branch.agent)
        return await self._merged(answer, "exchange", orders, branch, exchange_timeout_s)

    async def collect(self, branch: Branch) -> Collected:
        """Return the merged totals of the shards of this branch that have ended."""
        return await self._merged(self._current_run().collected(), "collect", None, branch, collect_timeout_s)

    def release(self) -> None:
        """End the processes of the run, if there is one, and remove the files of the check."""
        self._checking.close()
        if self._run is not None:
            self._run.release()
            self._run = None

    def _current_run(self) -> AgentRun:
        if self._run is None:  # the cluster has started this worker program again
            raise ConnectionResetError("this agent has no run")
        return self._run

    async def _merged(
        self, own: _Part, method: str, orders: Orders | None, branch: Branch, timeout_s: Callable[[Branch], float]
    ) -> _Part:
        """Merge the answers of the branches below into our own."""
        args = () if orders is None else (orders,)

        async def ask(below: Branch) -> _Part:
            try:
                async with asyncio.timeout(timeout_s(below)):
                    answer: _Part = await self.call(below.agent, method, *args, below)
            except TimeoutError:
                return type(own)()
            except OSError:
                return type(own)(broken={below.agent})
            return answer

        for part in await asyncio.gather(*map(ask, branch.below)):
            own.merge(part)
        return own

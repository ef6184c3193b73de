"""The agent of a machine in a cluster: it runs shards there, and passes messages on to the agents below it.

Its methods are called over the network, the coroutines in an event loop that must not wait. Each shard runs in a
process of its own, as without a cluster: the threads of the cluster's own program would falsify arrival times.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from sseclient_cli.engine.clock import Reading, read_clocks
from sseclient_cli.errors import SseError
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.executors import Handle
from sseclient_cli.run.executors.apart import started_apart
from sseclient_cli.run.executors.processes import ProcessesExecutor
from sseclient_cli.run.hosts.checks import check_host
from sseclient_cli.run.hosts.exchange import LEASE_S, Answer, Collected, Kill, Orders
from sseclient_cli.run.hosts.host import Host, this_host
from sseclient_cli.run.hosts.route import Route
from sseclient_cli.run.hosts.shipment import Shipment
from sseclient_cli.run.hosts.tree import Branch, collect_timeout_s, exchange_timeout_s
from sseclient_cli.run.messages import Ready, Snapshot
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.progress import Progress, ended, merged
from sseclient_cli.run.spec import RunSpec, Shard

_Part = TypeVar("_Part", Answer, Collected)


class Agent(ABC):
    """The agent of one machine, or of one of several worker programs on it."""

    def __init__(self) -> None:
        self._name = ""
        self._plans: dict[int, Plan] = {}
        self._handles: dict[int, Handle] = {}
        self._processes = ExitStack()
        self._lock = Lock()
        """Protects the state below, which the threads of the processes change."""
        self._state = Answer()
        self._dead: set[int] = set()
        self._progress: dict[int, Progress] = {}
        self._snapshots: dict[int, Totals] = {}
        self._totals: dict[int, Totals] = {}
        self._heard_s = time.monotonic()
        """The time of the last exchange."""
        self._is_released = Event()

    @abstractmethod
    async def call(self, agent: str, method: str, *args: object) -> Any:
        """Call a method of another agent. Raises OSError if its process has ended."""

    async def clock(self) -> Reading:
        """Return the time of both clocks."""
        return read_clocks()

    def host(self) -> Host:
        """Return the machine."""
        return this_host()

    def check(self, shipment: Shipment[RunSpec], share: int, workers: int, with_preflight: bool) -> tuple[Route, ...]:
        """Check whether this machine can do its share: see ``check_host``."""
        with shipment.unpacked() as spec:
            return check_host(spec, share, workers, with_preflight)

    def begin(self, shipment: Shipment[Shard], plans: Mapping[int, Plan], name: str, with_progress: bool) -> None:
        """Start a process for each plan, by the number of its shard. ``name`` is that of the machine in the report.

        Raises LimitError.
        """
        self._name, self._plans = name, dict(plans)
        numbers = list(plans)
        shard = self._processes.enter_context(shipment.unpacked())
        shards = [replace(shard, plan=plan) for plan in plans.values()]
        executor = ProcessesExecutor(len(shards), started_apart)
        handles = self._processes.enter_context(
            executor.started(
                shards, lambda index, message: self._take(numbers[index], message), with_progress=with_progress
            )
        )
        self._handles = dict(zip(numbers, handles, strict=True))
        self._heard_s = time.monotonic()
        Thread(target=self._end_without_coordinator, daemon=True).start()

    async def exchange(self, orders: Orders, branch: Branch) -> Answer:
        """Pass commands to the shards of this branch of the tree, and return their state."""
        self._require_run()
        return await self._merged(self._answer(orders, branch.agent), "exchange", orders, branch, exchange_timeout_s)

    async def collect(self, branch: Branch) -> Collected:
        """Return the merged totals of the shards of this branch that have ended."""
        self._require_run()
        collected = Collected(shards=set(self._totals))
        for number in sorted(self._totals):
            collected.totals.merge(self._totals[number])
        return await self._merged(collected, "collect", None, branch, collect_timeout_s)

    def release(self) -> None:
        """End all processes and forget the run."""
        self._is_released.set()
        self._processes.close()

    def _require_run(self) -> None:
        self._heard_s = time.monotonic()
        if not self._plans:  # the cluster has started this worker program again
            raise ConnectionResetError("this agent has no run")

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

    def _answer(self, orders: Orders, agent: str) -> Answer:
        for number in self._plans.keys() & orders.commands:
            command = orders.commands[number]
            if isinstance(command, Kill):
                self._handles[number].kill()
            else:
                self._handles[number].tell(command)
        deaths = {number: self._handles[number].death() for number in self._dead & self._handles.keys()}
        with self._lock:
            answer = Answer(agents={agent}, deaths=deaths, progress_of=set(self._progress))
            answer.merge(self._state)
            answer.progress = merged(self._progress.values())
            answer.progress.workers = [replace(worker, host=self._name) for worker in answer.progress.workers]
            self._progress = {number: progress.shown() for number, progress in self._progress.items()}
            so_far = self._snapshots | self._totals
            if orders.wants_snapshot and so_far:
                answer.snapshot, answer.snapshot_of = Totals(), set(so_far)
                for totals in so_far.values():
                    answer.snapshot.merge(totals)
        return answer

    def _take(self, number: int, message: object) -> None:
        """Keep a message of a process. It ends with None."""
        with self._lock:
            match message:
                case Progress():
                    earlier = self._progress.get(number)
                    self._progress[number] = message if earlier is None else message.after(earlier)
                case Snapshot():
                    self._snapshots[number] = message.totals
                case Ready():
                    self._state.ready.add(number)
                case Totals():
                    self._keep(number, message)
                case SseError():
                    self._state.errors[number] = message
                case None if number not in self._state.ended and number not in self._state.errors:
                    self._dead.add(number)

    def _keep(self, number: int, totals: Totals) -> None:
        for side in (totals, *totals.against.values()):
            side.hosts = {self._name: HostTotals.of(side)}
        self._totals[number] = totals
        self._state.ended.add(number)
        elapsed_s = totals.duration_ns / 1e9
        self._progress[number] = ended(totals, elapsed_s=elapsed_s, duration_s=self._plans[number].duration_s)

    def _end_without_coordinator(self) -> None:
        while not self._is_released.wait(LEASE_S / 10):
            if time.monotonic() - self._heard_s > LEASE_S:
                self.release()

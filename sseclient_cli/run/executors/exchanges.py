"""Exchanges with the agents of a run: passes commands to the shards, and what they answer to the coordinator.

The state of all agents arrives merged, four times a second in total. An agent that does not answer is given up after
the time in which it ends its load by itself, so that its streams cannot be counted as lost while they run.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from sseclient_cli.errors import HostLostError, InternalError, SseError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.executors import Post
from sseclient_cli.run.executors.network import Network
from sseclient_cli.run.hosts.exchange import LEASE_S, Answer, Collected, Kill, Orders
from sseclient_cli.run.hosts.tree import Branch, collect_timeout_s, exchange_timeout_s, tree
from sseclient_cli.run.messages import Command, Ended, Ready, Snapshot
from sseclient_cli.run.progress import Progress

TURN_S = 0.25
"""Interval of exchanges: that of the live view."""

TURNS_OF_A_SNAPSHOT = 4
"""Workers send a snapshot once per second."""

LOST_S = 2 * LEASE_S
"""Time without an answer after which an agent is lost. Its load has ended before. A machine that was only slow still
has the totals."""

BROKEN_TURNS = 2
"""Turns with a broken connection after which an agent is lost: one break may have another cause than its end."""


class Exchanges:
    """The exchanges of one run. ``agent_of`` is the agent of each shard, by its number."""

    def __init__(
        self,
        network: Network,
        agent_of: Sequence[str],
        post: Post,
        *,
        sends_snapshots: bool,
        before_totals: Callable[[Collection[str]], Awaitable[None]],
    ) -> None:
        self._network, self._agent_of, self._post = network, agent_of, post
        self._sends_snapshots = sends_snapshots
        self._before_totals = before_totals
        self._loop = asyncio.get_running_loop()
        self._is_ordered = asyncio.Event()
        self._incoming: SimpleQueue[tuple[int, Command | Kill]] = SimpleQueue()
        self._commands: dict[int, Command | Kill] = {}
        """Commands whose agent has not answered yet."""
        self._heard_s = dict.fromkeys(agent_of, time.monotonic())
        """The time of the last answer of each agent that is not lost."""
        self._misses: Counter[str] = Counter()
        """Turns without an answer since the last one. Agents that miss turns are asked last."""
        self._breaks: Counter[str] = Counter()
        """The same with a broken connection."""
        self._open = set(range(len(agent_of)))
        """Shards without totals."""
        self._ready: set[int] = set()
        self._ended: set[int] = set()
        self.deaths: dict[int, str] = {}
        """How the processes of shards died, as a predicate."""

    @property
    def agents(self) -> list[str]:
        """The agents that are not lost."""
        return list(self._heard_s)

    def order(self, number: int, command: Command | Kill) -> None:
        """Send a command to a shard, from any thread."""
        self._incoming.put((number, command))
        self._loop.call_soon_threadsafe(self._is_ordered.set)

    async def run(self) -> None:
        """Exchange messages until all shards have ended, then collect their totals."""
        try:
            await self._run()
        except Exception as exc:  # noqa: BLE001 - the coordinator would wait without end
            for number in sorted(self._open):
                self._lose(number, InternalError(f"{type(exc).__name__}: {exc}"))

    async def _run(self) -> None:
        turn = 0
        while self._open - self._ended:
            turn += 1
            self._take_orders()
            wants_snapshot = self._sends_snapshots and turn % TURNS_OF_A_SNAPSHOT == 0
            await self._exchange(Orders(dict(self._commands), wants_snapshot))
            try:
                async with asyncio.timeout(TURN_S):
                    await self._is_ordered.wait()
            except TimeoutError:
                continue
            self._is_ordered.clear()
        if self._open:
            await self._before_totals(self.agents)
        while self._open:
            await self._collect()

    def _take_orders(self) -> None:
        while True:
            try:
                number, command = self._incoming.get_nowait()
            except Empty:
                return
            self._commands[number] = command

    async def _exchange(self, orders: Orders) -> None:
        branch = tree(sorted(self._heard_s, key=self._misses.__getitem__))
        answer = Answer()
        try:
            async with asyncio.timeout(exchange_timeout_s(branch)):
                answer = await self._network.call(branch.agent, "exchange", orders, branch)
        except TimeoutError:
            self._misses[branch.agent] += 1
        except OSError:
            answer.broken.add(branch.agent)
            self._misses[branch.agent] += 1
        self._note(branch, answer)
        self._pass_on(answer, orders)
        self._give_up()

    def _note(self, branch: Branch, answer: Answer) -> None:
        now_s = time.monotonic()
        for agent in branch.agents:
            if agent in answer.agents:
                self._heard_s[agent] = now_s
                self._misses[agent] = self._breaks[agent] = 0
            else:
                self._misses[agent] += 1
                self._breaks[agent] = self._breaks[agent] + 1 if agent in answer.broken else 0

    def _pass_on(self, answer: Answer, orders: Orders) -> None:
        for number, command in orders.commands.items():
            if self._agent_of[number] in answer.agents and self._commands.get(number) is command:
                del self._commands[number]
        for number in sorted((answer.ready - self._ready) & self._open):
            self._post(number, Ready())
        self._ready |= answer.ready
        self._post_merged(answer.progress_of, answer.progress, Progress)
        if answer.snapshot is not None and answer.snapshot_of >= self._open:
            first, *others = sorted(self._open)
            self._post(first, Snapshot(answer.snapshot))
            for number in others:
                self._post(number, Snapshot(Totals()))
        for number in sorted((answer.ended - self._ended) & self._open):
            self._post(number, Ended())
        self._ended |= answer.ended
        for number in sorted(answer.errors.keys() & self._open):
            self._lose(number, answer.errors[number])
        for number in sorted(answer.deaths.keys() & self._open):
            self.deaths[number] = answer.deaths[number]
            self._lose(number, None)

    def _post_merged(self, numbers: set[int], merged: Progress | Totals, empty: type[Progress] | type[Totals]) -> None:
        """Post what the shards sent together as that of the first, and nothing as that of the others."""
        for place, number in enumerate(sorted(numbers & self._open)):
            self._post(number, empty() if place else merged)

    def _give_up(self) -> None:
        now_s = time.monotonic()
        for agent, heard_s in list(self._heard_s.items()):
            loss = self._network.loss(agent)
            if loss or self._breaks[agent] >= BROKEN_TURNS or now_s - heard_s > LOST_S:
                self._lose_agent(agent, HostLostError(loss or "was lost: its machine does not answer"))

    def _lose_agent(self, agent: str, error: HostLostError) -> None:
        del self._heard_s[agent]
        for number in sorted(self._open):
            if self._agent_of[number] == agent:
                self._lose(number, error)

    def _lose(self, number: int, error: SseError | None) -> None:
        """End a shard with an error; None for the death of its process."""
        self._open.discard(number)
        self._commands.pop(number, None)
        self._post(number, error)

    async def _collect(self) -> None:
        """Collect the totals of the shards that have ended. Those of agents that do not answer are lost."""
        agents = dict.fromkeys(self._agent_of[number] for number in sorted(self._open))
        branch = tree(list(agents))
        collected = Collected()
        with suppress(OSError):  # also TimeoutError
            async with asyncio.timeout(collect_timeout_s(branch)):
                collected = await self._network.call(branch.agent, "collect", branch)
        numbers = collected.shards & self._open
        self._post_merged(numbers, collected.totals, Totals)
        self._open -= numbers
        if not numbers:
            self._lose_agent(branch.agent, HostLostError("was lost with its totals: its machine does not answer"))

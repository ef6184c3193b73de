"""A network of real agents in this process, whose messages are pickled, and which can lose any of them."""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sseclient_cli.run.executors.agent import Agent


class PeerAgent(Agent):
    """An agent of the network."""

    def __init__(self, network: AgentNetwork) -> None:
        super().__init__()
        self._network = network

    async def call(self, agent: str, method: str, *args: object) -> Any:
        return await self._network.call(agent, method, *args)


class AgentNetwork:
    """Agents by name. ``silent`` ones do not answer, ``refusing`` ones break the connection, and
    ``failing`` ones have a bug."""

    def __init__(self, agents: Sequence[str]) -> None:
        self.agents = agents
        self._agents = {agent: PeerAgent(self) for agent in agents}
        self.silent: set[str] = set()
        self.refusing: set[str] = set()
        self.failing: set[str] = set()
        self.codes: dict[str, str] = {}
        """The digests of agents with other code."""
        self.losses: dict[str, str] = {}
        self.calls: Counter[str] = Counter()

    async def call(self, agent: str, method: str, *args: object) -> Any:
        self.calls[method] += 1
        if agent in self.failing:
            raise RuntimeError("such a bug")
        if agent in self.refusing:
            raise ConnectionRefusedError
        if agent in self.silent:
            await asyncio.sleep(3600)
        if method == "code" and agent in self.codes:
            return self.codes[agent]
        function = getattr(self._agents[agent], method)
        received = pickle.loads(pickle.dumps(args))
        if asyncio.iscoroutinefunction(function):
            result = await function(*received)
        else:
            result = await asyncio.to_thread(function, *received)
        return pickle.loads(pickle.dumps(result))

    def kill(self, agent: str, shard: int) -> None:
        """Kill the process of a shard."""
        run = self._agents[agent]._run
        assert run is not None
        run._handles[shard].kill()

    def start_again(self, agent: str) -> None:
        """Replace an agent by a new one, like a worker program that starts again."""
        self._agents[agent] = PeerAgent(self)

    def loss(self, agent: str) -> str:
        return self.losses.get(agent, "")

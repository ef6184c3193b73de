"""The tree through which the agents of a cluster pass messages, so that one machine talks to a few others only.

Pure. The first agent is the root. The order of the agents is that of a walk that visits each agent before those below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXCHANGE_TIMEOUT_S = 1.0
"""Timeout of the answer of a single agent. A machine that is gone does not refuse connections."""

COLLECT_TIMEOUT_S = 15.0
"""The same for totals, which are larger: some MB for each shard."""

LEVEL_S = 0.25
"""Additional time for each level below, so that an agent answers although one below it does not."""

ARITY = 8
"""Agents that one agent asks. 1,000 agents are then five levels; a merge of 8 totals takes less than their way."""


@dataclass(frozen=True, slots=True)
class Branch:
    """An agent, by its name in the network, and the branches below it."""

    agent: str
    below: tuple[Branch, ...] = ()

    @property
    def agents(self) -> list[str]:
        """This agent and all agents below it."""
        return [self.agent, *(agent for branch in self.below for agent in branch.agents)]

    @property
    def height(self) -> int:
        """The number of its levels."""
        return 1 + max((branch.height for branch in self.below), default=0)


def tree(agents: Sequence[str], arity: int = ARITY) -> Branch:
    """Return the tree of at least one agent."""
    root, *others = agents
    size, larger = divmod(len(others), arity)
    branches, first = [], 0
    for number in range(min(arity, len(others))):
        past = first + size + (number < larger)
        branches.append(tree(others[first:past], arity))
        first = past
    return Branch(root, tuple(branches))


def exchange_timeout_s(branch: Branch) -> float:
    """Return the timeout of the answer of a branch to an exchange."""
    return EXCHANGE_TIMEOUT_S + LEVEL_S * branch.height


def collect_timeout_s(branch: Branch) -> float:
    """Return the timeout of the totals of a branch, which each level merges."""
    return COLLECT_TIMEOUT_S * branch.height

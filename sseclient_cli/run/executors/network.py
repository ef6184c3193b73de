"""The network of agents that a cluster provides. An executor of a cluster needs nothing else of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Network(Protocol):
    """Agents on the worker programs of a cluster, by name."""

    @property
    def agents(self) -> Sequence[str]:
        """The names of all agents."""

    async def call(self, agent: str, method: str, *args: object) -> Any:
        """Call a method of an agent. Raises OSError if it cannot be reached, and what the method raises."""

    def loss(self, agent: str) -> str:
        """Return how an agent was lost, as far as the network knows, as a predicate; empty if it was not."""

"""The ways of an event from the process that accepts it to the subscribers of all processes.

- PeersFanOut: through the hub of this server to its workers. With the peers of a single worker, the event reaches only
  the subscribers of this process; this is the mistake that ``separate_channels`` shows.
- RedisFanOut (redis_fan_out.py): through Redis to all servers that use it.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from demo_server.workers.counters import Number
from demo_server.workers.peers import Peers


@dataclass(frozen=True, slots=True)
class Published:
    """An accepted event."""

    number: Number
    subscribers: int | None
    """None if this process cannot know it."""


class NotPublishedError(Exception):
    """An event cannot be published, or it is unknown whether it was. The message is the reason, for the client."""


class FanOut(Protocol):
    """Publishes events to the channels of all processes."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Deliver events of other processes inside the block."""
        ...

    async def publish(self, name: str, event_type: str | None, data: str) -> Published:
        """Publish an event; raise NotPublishedError if it is not certain that it was published."""
        ...


class PeersFanOut:
    """The channels of all workers among these peers."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def running(self) -> AbstractAsyncContextManager[None]:
        """Do nothing: peers deliver by themselves."""
        return nullcontext()

    async def publish(self, name: str, event_type: str | None, data: str) -> Published:
        """Deliver the event in all workers, and return the number of subscribers."""
        answers = await self._peers.ask("deliver", name, event_type, data, counter=f"channel {name}")
        assert answers.number is not None
        return Published(answers.number, sum(answers.values))

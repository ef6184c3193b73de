"""Where the workers of a run live. An executor starts one worker per shard and passes messages, nothing else.

``worker_life.work`` is what a worker does; the coordinator has signals, waiting, merging and lost workers. A handle is
how the coordinator sees one worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sseclient_cli.run.messages import Command
from sseclient_cli.run.spec import Shard


class Handle(Protocol):
    """A worker that was started."""

    clock_offset_ns: int
    """Its monotonic clock minus the coordinator's: 0 on this machine, whose processes share one."""

    def tell(self, command: Command) -> None:
        """Send a command. A worker that is gone gets none, which is no error."""

    def kill(self) -> None:
        """End the worker now. The end of its messages follows."""

    def death(self) -> str:
        """Return how a worker ended whose messages have ended without its totals, as the rest of a sentence."""


Post = Callable[[int, object], None]
"""Takes a message of worker ``i``, from any thread; None is the end of its messages."""


class Executor(Protocol):
    """Starts workers."""

    workers: int
    """How many it starts at most."""

    def started(
        self, shards: Sequence[Shard], post: Post, *, with_progress: bool
    ) -> AbstractContextManager[Sequence[Handle]]:
        """Start a worker for each shard; at the end of the block none of them is left. Raises LimitError."""

"""Executors start one worker per shard and pass messages between the workers and the coordinator.

A worker runs ``worker_life.work``. The coordinator handles signals, timeouts, lost workers and merging. It uses a
handle for each worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.run.messages import Command
from sseclient_cli.run.spec import Shard
from sseclient_cli.units import NS_PER_S

START_DELAY_NS = NS_PER_S // 10
"""Delay between the start command and the start on one machine, so that the command reaches all workers in time."""


class Handle(Protocol):
    """The coordinator's interface to a started worker."""

    clock_offset_ns: int
    """Its monotonic clock minus the coordinator's: 0 on the same machine, where all processes share one clock."""
    hosts: Mapping[str, HostTotals]
    """The machine of a cluster that it runs on, by name, without results. Empty without a cluster."""

    def tell(self, command: Command) -> None:
        """Send a command. It is dropped if the worker has ended."""

    def kill(self) -> None:
        """Kill the worker. The end of its messages (None) follows."""

    def death(self) -> str:
        """Return how the worker ended without sending totals, as a predicate ('was killed by SIGKILL')."""


Post = Callable[[int, object], None]
"""Called with the number of a worker and its message, from any thread. None means the end of its messages."""


class Executor(Protocol):
    """Starts workers."""

    workers: int
    """Maximum number of workers."""
    start_delay_ns: int
    """Delay between the start command and the start."""

    def started(
        self, shards: Sequence[Shard], post: Post, *, with_progress: bool
    ) -> AbstractContextManager[Sequence[Handle]]:
        """Start a worker for each shard. At the end of the block, all have ended or were killed. Raises LimitError."""

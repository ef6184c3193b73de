"""Runs a single worker in a thread of this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread

from sseclient_cli.measure.host_totals import NO_HOSTS
from sseclient_cli.run.executors import START_DELAY_NS, Post
from sseclient_cli.run.messages import Command, Interrupt
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker_life import work


class LocalExecutor:
    """Runs the whole plan in this process."""

    workers = 1
    start_delay_ns = START_DELAY_NS

    @contextmanager
    def started(self, shards: Sequence[Shard], post: Post, *, with_progress: bool) -> Iterator[Sequence[_Thread]]:
        """Start the worker in a thread."""
        (shard,) = shards
        handle = _Thread(shard, post, with_progress=with_progress)
        try:
            yield [handle]
        except BaseException:
            handle.tell(Interrupt())  # or leave() would wait for the end of the plan
            raise
        finally:
            handle.leave()


class _Thread:
    """The handle of the worker."""

    clock_offset_ns = 0
    hosts = NO_HOSTS

    def __init__(self, shard: Shard, post: Post, *, with_progress: bool) -> None:
        self._post = post
        self._commands: SimpleQueue[Command | None] = SimpleQueue()
        self._is_abandoned = False
        self._thread = Thread(target=self._work, args=(shard,), kwargs={"with_progress": with_progress}, daemon=True)
        self._thread.start()

    def tell(self, command: Command) -> None:
        self._commands.put(command)

    def kill(self) -> None:
        """Abandon the thread. Python cannot kill it, but the process ends without waiting for a daemon thread."""
        self._is_abandoned = True
        self._post(0, None)

    def leave(self) -> None:
        """End the thread, and the one that waits for commands."""
        self._commands.put(None)
        if not self._is_abandoned:
            self._thread.join()

    def death(self) -> str:
        return "was abandoned"

    def _work(self, shard: Shard, *, with_progress: bool) -> None:
        def post(message: object) -> None:
            self._post(0, message)

        work(shard, self._commands.get, post, post if with_progress else None, on_orphaned=lambda: None)

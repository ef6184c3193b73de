"""Runs one worker process per shard, so that a run can use every core of the machine.

One thread per worker reads its pipe. A blocked thread costs nothing, and a worker that stops in the middle of a message
blocks only its own thread. If the coordinator dies, each worker reads the end of its pipe and exits. Only the
coordinator handles signals: see ``signals_blocked`` and ``_work``.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from typing import Protocol

from sseclient_cli.ending_signals import ending_signals, signals_blocked
from sseclient_cli.errors import LimitError
from sseclient_cli.measure.host_totals import NO_HOSTS
from sseclient_cli.run.executors import START_DELAY_NS, Post
from sseclient_cli.run.messages import Command, Snapshot
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker_life import work

REAP_S = 1.0
"""Time to wait for the exit code of a process after the end of its pipe."""


class LoadProcess(Protocol):
    """The part of ``multiprocessing.Process`` that is needed of a started process."""

    @property
    def exitcode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""

    def kill(self) -> None:
        """Kill it."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, at most ``timeout`` seconds."""


Launch = Callable[[Shard, bool], tuple[LoadProcess, Connection]]
"""Starts a process that calls ``work_over`` for the shard, with progress or without. Returns our end of its pipe."""


class ProcessesExecutor:
    """Runs each shard in a separate process."""

    start_delay_ns = START_DELAY_NS

    def __init__(self, workers: int, launch: Launch | None = None) -> None:
        self.workers = workers
        self._launch = launch or spawned

    @contextmanager
    def started(self, shards: Sequence[Shard], post: Post, *, with_progress: bool) -> Iterator[Sequence[_Process]]:
        """Start the processes. Call it from the main thread: it blocks signals while they start."""
        processes: list[_Process] = []
        try:
            with signals_blocked():
                self._start(processes, shards, post, with_progress=with_progress)
            yield processes
        finally:
            # Also kill workers that have sent their totals: they have no more work. Kill all, then wait for all.
            for process in processes:
                process.kill()
            for process in processes:
                process.join()

    def _start(self, processes: list[_Process], shards: Sequence[Shard], post: Post, *, with_progress: bool) -> None:
        for index, shard in enumerate(shards):
            try:
                processes.append(_Process(index, post, *self._launch(shard, with_progress)))
            except OSError as exc:
                reason = (exc.strerror or str(exc)).lower()
                words = f"cannot start {len(shards)} worker processes ({reason})"
                raise LimitError(words, code="worker-processes", arguments=["workers"]) from exc


class _Process:
    """The handle of a worker process."""

    clock_offset_ns = 0
    hosts = NO_HOSTS

    def __init__(self, index: int, post: Post, process: LoadProcess, connection: Connection) -> None:
        self._process, self._connection = process, connection
        Thread(target=self._read, args=(index, post), daemon=True).start()

    def tell(self, command: Command) -> None:
        with suppress(OSError):  # it has died; the end of its pipe reports that
            self._connection.send(command)

    def kill(self) -> None:
        self._process.kill()

    def join(self) -> None:
        self._process.join()

    def death(self) -> str:
        self._process.join(REAP_S)
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"ended without a report (exit code {code})"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
        return f"was killed by {name}{hint}"

    def _read(self, index: int, post: Post) -> None:
        try:
            while True:
                post(index, self._connection.recv())
        except (EOFError, OSError):
            post(index, None)


def spawned(shard: Shard, with_progress: bool) -> tuple[LoadProcess, Connection]:
    """Start a process with multiprocessing."""
    context = get_context("spawn")
    connection, worker_end = context.Pipe()
    process = context.Process(target=work_over, args=(shard, worker_end, with_progress), daemon=True)
    process.start()
    worker_end.close()  # or the pipe would never reach its end
    return process, connection


def work_over(shard: Shard, connection: Connection, with_progress: bool) -> None:
    """Run a worker that communicates over a pipe: the main function of its process."""
    # Ctrl-C in a terminal and SIGTERM from `timeout` reach the whole process group. The coordinator handles them and
    # sends one command to each worker. Until here these signals were blocked, since before this process started.
    for number in ending_signals():
        signal.signal(number, signal.SIG_IGN)

    def receive() -> Command | None:
        try:
            command: Command = connection.recv()
        except (EOFError, OSError):
            return None
        return command

    def send(message: object) -> None:
        with suppress(OSError):  # the coordinator has died
            connection.send(message)

    def send_progress(progress: Progress | Snapshot) -> bool:
        with suppress(OSError):
            if _takes_more(connection):
                connection.send(progress)
                return True
        return False

    work(shard, receive, send, send_progress if with_progress else None, on_orphaned=lambda: os._exit(1))


def _takes_more(connection: Connection) -> bool:
    """Return whether a send would not block: the load must not wait for a stopped or busy coordinator."""
    # Windows cannot select() on a pipe.
    return sys.platform == "win32" or bool(select.select([], [connection], [], 0)[1])

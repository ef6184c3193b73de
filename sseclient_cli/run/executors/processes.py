"""One worker process per shard, so that a run can use every core of this machine.

The parent starts them, gives them one start, passes their snapshots on, and merges their totals. Meanwhile it waits. A
thread for each worker reads its pipe into one queue (a blocked reader costs nothing, and a worker that is stopped
in the middle of a message holds up only its own); all decisions are made in the calling thread.

What can go wrong, and what becomes of it: a worker that dies or raises is reported as lost, and the others go on. One
that does not answer in time is killed and lost. If the parent dies, each worker sees the end of its pipe and
ends itself. Signals are the parent's alone: see ``_signals_blocked`` and ``worker_process.work``.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType

from sseclient_cli.ending_signals import ending_signals, hangup_signal
from sseclient_cli.errors import LimitError, WorkerLostError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.executors import lost_shard
from sseclient_cli.run.executors.worker_process import INTERRUPT, Failure, work
from sseclient_cli.run.progress import Progress, merged
from sseclient_cli.run.spec import Shard
from sseclient_cli.units import NS_PER_S

TURN_S = 0.25
"""How often the parent looks up: the snapshots of all workers are passed on together."""

START_PATIENCE_S = 30
"""For all workers to be ready. One takes half a second of CPU time; 64 of them share the cores."""

START_DELAY_NS = NS_PER_S // 10
"""From the word to start to the start: enough for the word to reach all of them."""

END_PATIENCE_S = 5
"""Beyond the end of the plan, or an interrupt. A worker ends within 0.5 s of its time."""

REAP_S = 1.0
"""How long a process may take to be gone after its pipe has ended."""


class ProcessesExecutor:
    """Runs the plan on several processes. It must be called from the main thread: signals arrive there."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, job: Shard, on_snapshot: Callable[[Progress], None] | None) -> Totals:
        """Run the job. The first Ctrl-C, SIGTERM or hangup ends it with a partial report; a second ends everything."""
        return _Run(job, min(self._workers, job.plan.planned), on_snapshot).run()


@dataclass(slots=True, eq=False)
class _Worker:
    """What the parent knows of a worker."""

    name: str
    job: Shard
    process: SpawnProcess
    connection: Connection
    latest: Progress
    is_ready: bool = False
    is_given_up: bool = False
    totals: Totals | None = None
    """What it measured, or what is said in its place: then it is done with."""


class _Run:
    """One run: the state that the decisions are made on."""

    def __init__(self, job: Shard, count: int, on_snapshot: Callable[[Progress], None] | None) -> None:
        self._job = job
        self._count = count
        self._on_snapshot = on_snapshot
        self._workers: list[_Worker] = []
        self._inbox: SimpleQueue[tuple[_Worker | None, object]] = SimpleQueue()
        """Messages, each with its sender; a message of None is the end of a pipe, a sender of None is a signal."""
        self._start_ns: int | None = None
        """When the run began or would have begun; None as long as some are not ready."""
        self._patience_turns = round(START_PATIENCE_S / TURN_S)
        """Turns, not a deadline: after Ctrl-Z and fg, or a laptop's sleep, everybody is late together."""
        self._interrupted = False

    def run(self) -> Totals:
        with self._hearing_signals():
            try:
                self._start_processes()
                while any(worker.totals is None for worker in self._workers):
                    self._turn()
            finally:
                # Those that have sent their totals too: they have nothing left to do. All first, and then the waiting.
                for worker in self._workers:
                    worker.process.kill()
                for worker in self._workers:
                    worker.process.join()
        totals = Totals(interrupted=self._interrupted)
        for worker in self._workers:
            totals.merge(worker.totals or Totals())
        if not totals.duration_ns:  # nobody is left to say how long it was
            totals.duration_ns = round(min(self._elapsed_s(), self._job.plan.duration_s) * NS_PER_S)
        return totals

    def _start_processes(self) -> None:
        context = get_context("spawn")
        with _signals_blocked():
            for index in range(self._count):
                ours, theirs = context.Pipe()
                shard = replace(self._job, plan=self._job.plan.shard(index, self._count))
                process = context.Process(
                    target=work, args=(shard, theirs), kwargs={"shows": self._on_snapshot is not None}, daemon=True
                )
                try:
                    process.start()
                except OSError as exc:
                    reason = (exc.strerror or str(exc)).lower()
                    words = f"cannot start {self._count} worker processes ({reason}): lower --workers"
                    raise LimitError(words) from exc
                theirs.close()  # or its end would never come
                waiting = self._snapshot(Totals(planned=shard.plan.planned))
                worker = _Worker(f"worker {index} of {self._count}", shard, process, ours, waiting)
                self._workers.append(worker)
                Thread(target=self._read, args=(worker,), daemon=True).start()

    def _read(self, worker: _Worker) -> None:
        try:
            while True:
                self._inbox.put((worker, worker.connection.recv()))
        except (EOFError, OSError):
            self._inbox.put((worker, None))

    def _turn(self) -> None:
        """Deal with what comes for a quarter of a second; then show how it goes, and lose patience by one turn."""
        ends_s = time.monotonic() + TURN_S
        while (left_s := ends_s - time.monotonic()) > 0:
            try:
                sender, message = self._inbox.get(timeout=left_s)
            except Empty:
                break
            if sender is None:
                self._interrupt()
            elif sender.totals is None:
                self._take(sender, message)
            if all(worker.totals is not None for worker in self._workers):
                return
        if self._on_snapshot is not None:
            self._show(self._on_snapshot)
        if not self._is_under_way():
            self._patience_turns -= 1
            if self._patience_turns <= 0:
                self._give_up()

    def _show(self, on_snapshot: Callable[[Progress], None]) -> None:
        try:
            on_snapshot(merged(worker.latest for worker in self._workers))
        except Exception:  # noqa: BLE001 - a view that breaks must not cost the run
            self._on_snapshot = None

    def _take(self, worker: _Worker, message: object) -> None:
        match message:
            case Progress():
                worker.latest = message
            case Totals():
                self._close(worker, message)
            case Failure():
                self._lose(worker, message.kind, f"failed {self._when()}: {message.text}")
            case None:
                self._lose(worker, WorkerLostError.kind, f"{_death(worker)} {self._when()}")
            case _:
                worker.is_ready = True
        self._start_if_all_are_ready()

    def _start_if_all_are_ready(self) -> None:
        if self._start_ns is None and all(worker.is_ready or worker.totals is not None for worker in self._workers):
            self._start_ns = time.monotonic_ns() + START_DELAY_NS
            self._patience_turns = round(END_PATIENCE_S / TURN_S)
            self._tell(self._start_ns)

    def _interrupt(self) -> None:
        self._interrupted = True
        if self._start_ns is None:
            # Nobody has begun: no stream is lost, however long a busy machine takes to start a worker.
            self._start_ns = time.monotonic_ns()
            for worker in self._workers:
                if worker.totals is None:
                    self._close(worker, Totals(planned=worker.job.plan.planned, cpu_percent=[None]))
        self._patience_turns = round(END_PATIENCE_S / TURN_S)
        self._tell(INTERRUPT)

    def _tell(self, message: object) -> None:
        for worker in self._workers:
            if worker.totals is None:
                with suppress(OSError):  # it is dead; the end of its pipe will say so
                    worker.connection.send(message)

    def _is_under_way(self) -> bool:
        """Whether the plan itself explains that the workers are silent."""
        if self._interrupted or self._start_ns is None:
            return False
        return time.monotonic_ns() < self._start_ns + round(self._job.plan.duration_s * NS_PER_S)

    def _give_up(self) -> None:
        """Kill who has not answered; the end of its pipe does the rest."""
        for worker in self._workers:
            if worker.totals is None and not (self._start_ns is None and worker.is_ready):
                worker.is_given_up = True
                worker.process.kill()

    def _lose(self, worker: _Worker, kind: str, story: str) -> None:
        self._close(worker, lost_shard(worker.job, kind, f"{worker.name} {story}", self._elapsed_s()))

    def _close(self, worker: _Worker, totals: Totals) -> None:
        worker.totals = totals
        worker.latest = self._snapshot(totals)

    def _snapshot(self, totals: Totals) -> Progress:
        return Progress.of(totals, elapsed_s=self._elapsed_s(), duration_s=self._job.plan.duration_s)

    def _elapsed_s(self) -> float:
        return 0.0 if self._start_ns is None else max(time.monotonic_ns() - self._start_ns, 0) / NS_PER_S

    def _when(self) -> str:
        return "before the run began" if self._start_ns is None else f"{self._elapsed_s():.1f} s into the run"

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        """Take the first signal as a wish to end, and the second as an order."""
        hangup = hangup_signal()
        previous = {number: signal.getsignal(number) for number in ending_signals()}

        def set_all(handler: Callable[[int, FrameType | None], object]) -> None:
            for number in previous:
                signal.signal(number, handler)

        def restore() -> None:
            for number, handler in previous.items():
                signal.signal(number, handler)

        def first(_number: int, _frame: FrameType | None) -> None:
            set_all(second)
            if hangup is not None:  # the terminal and its shell send one each: the next one is no order
                signal.signal(hangup, previous[hangup])
            self._inbox.put((None, None))  # reentrant, unlike most that a handler could do

        def second(number: int, _frame: FrameType | None) -> None:
            for worker in self._workers:
                worker.process.kill()
            restore()
            signal.raise_signal(number)

        set_all(first)
        try:
            yield
        finally:
            restore()


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Let processes that are started meanwhile inherit that signals are blocked.

    Python installs its handler for Ctrl-C long before any code of ours could ignore it. The parent's own signals wait.
    """
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    # It starts with the first process otherwise, blocks the signals itself, and lifts our block in the end.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ending_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _death(worker: _Worker) -> str:
    """Say how a worker ended whose pipe has ended."""
    if worker.is_given_up:
        return "did not answer any more and was killed"
    worker.process.join(REAP_S)
    code = worker.process.exitcode
    if code is None or code >= 0:
        return f"ended without a report (exit code {code})"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"

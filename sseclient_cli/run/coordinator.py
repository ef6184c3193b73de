"""Coordinates the workers of a run: common start, progress, signals, lost workers, merged totals.

All decisions are made in the calling thread. It must be the main thread, because Python delivers signals there. A
worker that dies, raises an exception or does not answer in time is lost. The other workers continue.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from sseclient_cli.ending_signals import ending_signals_taken
from sseclient_cli.errors import HostLostError, InternalError, SseError, WorkerLostError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.executors import Executor, Handle
from sseclient_cli.run.lost_shard import lost_shard
from sseclient_cli.run.messages import Command, Ended, Interrupt, Ready, Snapshot, Start
from sseclient_cli.run.progress import Progress, ended, merged
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.unstarted import unstarted
from sseclient_cli.units import NS_PER_S

TURN_S = 0.25
"""Interval at which the merged progress of all workers is passed on."""

START_TIMEOUT_S = 30
"""Timeout until all workers are ready. A worker needs 0.5 s of CPU time, and up to 64 workers share the cores."""

END_TIMEOUT_S = 5
"""Timeout for the end of a worker after the end of the plan or an interrupt. It normally ends within 0.5 s."""

TOTALS_TIMEOUT_S = 60
"""Timeout for totals that come after the end of their worker: those of a cluster are merged on their way."""

OnProgress = Callable[[Progress], None]
OnStart = Callable[[int], None]
EarlyEnd = Callable[[Totals], str]
"""Gets the totals so far. Returns why the run must end now, or an empty text."""


def run(
    shard: Shard,
    executor: Executor,
    on_progress: OnProgress | None = None,
    on_start: OnStart | None = None,
    early_end: EarlyEnd | None = None,
) -> Totals:
    """Run a plan and return the merged totals of its workers.

    ``on_start`` gets the time of the start (monotonic ns), a moment before it. ``early_end`` is called about once per
    second. The totals are merged in the order of the workers; with a second target, those of its streams are in
    ``against``. The first SIGINT (Ctrl-C), SIGTERM or SIGHUP ends the run with a partial report; the second ends the
    process. Raises SseError if workers cannot start.
    """
    if early_end is not None:
        shard = replace(shard, sends_snapshots=True)
    return _Coordinator(shard, executor, on_progress, on_start, early_end).run()


def _name(index: int, count: int, handle: Handle) -> str:
    return " on ".join([f"worker {index} of {count}", *handle.hosts])


@dataclass(slots=True, eq=False)
class _Worker:
    """The coordinator's state of a worker."""

    name: str
    shard: Shard
    latest: Progress
    handle: Handle
    is_ready: bool = False
    has_ended: bool = False
    """Whether only its totals are missing."""
    is_given_up: bool = False
    snapshot: Totals | None = None
    """Its totals so far, if ``early_end`` has not had them."""
    totals: Totals | None = None
    """The totals that it sent, or those of a lost worker. None while it is active."""


class _Coordinator:
    """The state of one run."""

    def __init__(
        self,
        shard: Shard,
        executor: Executor,
        on_progress: OnProgress | None,
        on_start: OnStart | None,
        early_end: EarlyEnd | None,
    ) -> None:
        self._shard = shard
        self._executor = executor
        self._on_progress = on_progress
        self._on_start = on_start
        self._early_end = early_end
        self._workers: list[_Worker] = []
        self._inbox: SimpleQueue[tuple[int | None, object]] = SimpleQueue()
        """Messages with the number of their worker. A number of None means a signal."""
        self._start_ns: int | None = None
        """Start of the run (monotonic), or the time of an interrupt before it. None until all workers are ready."""
        self._turns_left = round(START_TIMEOUT_S / TURN_S)
        """Turns until the timeout. A deadline could expire while the processes are stopped (Ctrl-Z) or suspended."""
        self._awaits_totals = False
        """Whether all workers have ended, and only totals are missing."""
        self._interrupted = False
        self._aborted_by = ""
        """The reason that ``early_end`` returned."""
        self._view_error: tuple[str, int] | None = None
        """What the live view raised, and the timeline row of that time."""

    def run(self) -> Totals:
        with ExitStack() as stack:
            stack.enter_context(ending_signals_taken(lambda: self._inbox.put((None, None)), self._end_everything))
            count = min(self._executor.workers, self._shard.plan.planned)
            shards = [self._shard.part(index, count) for index in range(count)]
            self._workers = self._started(shards, stack)
            while any(worker.totals is None for worker in self._workers):
                self._turn()
        totals = Totals()
        for worker in self._workers:
            totals.merge(worker.totals or Totals())
        for side in (totals, *totals.against.values()):
            self._complete(side)
        return totals

    def _complete(self, totals: Totals) -> None:
        # A worker ends early in the same manner for both reasons.
        totals.interrupted, totals.aborted_by = self._interrupted, self._aborted_by
        if self._view_error is not None:
            totals.count_error(InternalError.kind, *self._view_error)
        if not totals.duration_ns:  # all workers are lost
            totals.duration_ns = round(min(self._elapsed_s(), self._shard.plan.duration_s) * NS_PER_S)

    def _started(self, shards: list[Shard], stack: ExitStack) -> list[_Worker]:
        handles = stack.enter_context(
            self._executor.started(
                shards,
                lambda index, message: self._inbox.put((index, message)),
                with_progress=bool(self._on_progress or self._early_end),
            )
        )
        return [
            _Worker(_name(index, len(shards), handle), shard, self._progress(unstarted(shard)), handle)
            for index, (shard, handle) in enumerate(zip(shards, handles, strict=True))
        ]

    def _turn(self) -> None:
        """Handle messages for TURN_S, then report progress and count the turn towards the timeout."""
        ends_s = time.monotonic() + TURN_S
        while (left_s := ends_s - time.monotonic()) > 0:
            try:
                index, message = self._inbox.get(timeout=left_s)
            except Empty:
                break
            if index is None:
                self._interrupt()
            elif self._workers[index].totals is None:
                self._handle_message(self._workers[index], message)
            if all(worker.totals is not None for worker in self._workers):
                return
        if self._on_progress is not None:
            self._report_progress(self._on_progress)
        if self._early_end is not None and not self._is_ending:
            self._judge(self._early_end)
        if not self._is_under_way():
            self._turns_left -= 1
            if self._turns_left <= 0:
                self._give_up()

    def _report_progress(self, on_progress: OnProgress) -> None:
        try:
            on_progress(merged(worker.latest for worker in self._workers))
        except Exception as exc:  # noqa: BLE001 - an error in the live view must not end the run
            self._on_progress = None
            self._view_error = f"{type(exc).__name__}: {exc}", self._shard.plan.row_at(self._elapsed_s())
        for worker in self._workers:
            worker.latest = worker.latest.shown()

    def _judge(self, early_end: EarlyEnd) -> None:
        """End the run if ``early_end`` has a reason to, once all active workers have sent new totals."""
        parts = [worker.totals or worker.snapshot for worker in self._workers]
        totals = Totals()
        for part in parts:
            if part is None:
                return
            totals.merge(part)
        for worker in self._workers:
            worker.snapshot = None
        self._aborted_by = early_end(totals)
        if self._aborted_by:
            self._end_workers()

    def _handle_message(self, worker: _Worker, message: object) -> None:
        match message:
            case Progress():
                worker.latest = message.after(worker.latest)
            case Snapshot():
                worker.snapshot = message.totals
            case Totals():
                self._close(worker, message)
            case SseError():
                self._take_error(worker, message)
            case Ready():
                worker.is_ready = True
            case Ended():
                worker.has_ended = True
            case None:
                death = "stopped responding and was abandoned" if worker.is_given_up else worker.handle.death()
                self._lose(worker, WorkerLostError.kind, f"{death} {self._when()}")
            case _:
                raise TypeError(f"a worker sent {message!r}")
        self._start_if_all_are_ready()
        if not self._awaits_totals and all(each.has_ended or each.totals is not None for each in self._workers):
            self._awaits_totals = True
            self._turns_left = round(TOTALS_TIMEOUT_S / TURN_S)

    def _take_error(self, worker: _Worker, error: SseError) -> None:
        if isinstance(error, HostLostError):
            self._lose(worker, error.kind, f"{error} {self._when()}")
            return
        if self._start_ns is None and len(self._workers) == 1:
            raise error  # there is nothing to report
        self._lose(worker, error.kind, f"failed {self._when()}: {error}")

    def _start_if_all_are_ready(self) -> None:
        if self._start_ns is None and all(worker.is_ready or worker.totals is not None for worker in self._workers):
            self._start_ns = time.monotonic_ns() + self._executor.start_delay_ns
            self._turns_left = round(END_TIMEOUT_S / TURN_S)
            if self._on_start is not None:
                self._on_start(self._start_ns)
            for worker in self._workers:
                self._tell(worker, Start(self._start_ns + worker.handle.clock_offset_ns))

    def _interrupt(self) -> None:
        self._interrupted = True
        if self._start_ns is None:
            # No worker has started its run, so no stream is lost. Do not wait for workers that are not ready yet.
            self._start_ns = time.monotonic_ns()
            for worker in self._workers:
                if worker.totals is None:
                    self._close(worker, unstarted(worker.shard, worker.handle.hosts))
        self._end_workers()

    @property
    def _is_ending(self) -> bool:
        return self._interrupted or bool(self._aborted_by)

    def _end_workers(self) -> None:
        self._turns_left = round(END_TIMEOUT_S / TURN_S)
        for worker in self._workers:
            self._tell(worker, Interrupt())

    def _tell(self, worker: _Worker, command: Command) -> None:
        if worker.totals is None:
            worker.handle.tell(command)

    def _is_under_way(self) -> bool:
        """Return whether the planned duration is not over, so that no timeout applies yet."""
        if self._is_ending or self._start_ns is None:
            return False
        return time.monotonic_ns() < self._start_ns + round(self._shard.plan.duration_s * NS_PER_S)

    def _give_up(self) -> None:
        """Kill the workers that have not answered. The end of their messages then marks them as lost."""
        for worker in self._workers:
            has_answered = worker.is_ready if self._start_ns is None else worker.has_ended and not self._awaits_totals
            if worker.totals is None and not has_answered:
                worker.is_given_up = True
                worker.handle.kill()

    def _end_everything(self, number: int) -> None:
        for worker in self._workers:
            worker.handle.kill()
        signal.raise_signal(number)

    def _lose(self, worker: _Worker, kind: str, event: str) -> None:
        words = f"{worker.name} {event}"
        self._close(worker, lost_shard(worker.shard, kind, words, self._elapsed_s(), worker.handle.hosts))

    def _close(self, worker: _Worker, totals: Totals) -> None:
        worker.totals = totals
        worker.latest = self._progress(totals).after(worker.latest)

    def _progress(self, totals: Totals) -> Progress:
        return ended(totals, elapsed_s=self._elapsed_s(), duration_s=self._shard.plan.duration_s)

    def _elapsed_s(self) -> float:
        return 0.0 if self._start_ns is None else max(time.monotonic_ns() - self._start_ns, 0) / NS_PER_S

    def _when(self) -> str:
        return "before the run began" if self._start_ns is None else f"{self._elapsed_s():.1f} s into the run"

"""Runs one shard of a plan in a loop and returns its totals. All load models use this loop: they differ in the plan.

A turn of the loop handles a bounded number of ready sockets, then the due actions of the stream pool. A tick ten times
per second adds the samples to the totals, checks timeouts and reports progress.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.held_memory import HeldMemory, max_held_bytes
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.tcp_transport import TIMESTAMPING_STARTS_S, has_timestamps, keep_timestamping
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.actor import Actor
from sseclient_cli.run.gathering import Gathering
from sseclient_cli.run.messages import Snapshot
from sseclient_cli.run.plan import OnEnd
from sseclient_cli.run.progress import Delay
from sseclient_cli.run.progress_reporter import OnProgress, ProgressReporter, cpu_percent
from sseclient_cli.run.resource_limits import available_memory_bytes
from sseclient_cli.run.side import Side
from sseclient_cli.run.spec import Shard
from sseclient_cli.units import NS_PER_S

TICK_NS = NS_PER_S // 10
SNAPSHOT_NS = NS_PER_S
"""Interval of snapshots. One takes 1 to 7 ms."""

POLL_RESOLUTION_NS = NS_PER_S // 1000
"""epoll waits whole milliseconds. For shorter waits the loop sleeps."""


class Worker:
    """Runs one shard."""

    def __init__(
        self,
        shard: Shard,
        on_progress: OnProgress | None = None,
        on_snapshot: Callable[[Snapshot], object] | None = None,
    ) -> None:
        self._plan = plan = shard.plan
        self._on_snapshot = on_snapshot
        self._poller = Poller()
        self._clock = RunClock(shard.clock_correction_ns)
        # The stride of a shard is the number of workers.
        held_memory = HeldMemory(max_held_bytes(available_memory_bytes(), plan.stride))
        self._sides = [
            Side(
                chain,
                plan,
                self._poller,
                self._clock,
                held_memory,
                shift_ns=number * plan.start_interval_ns // len(shard.chains),
                others=shard.others,
                publisher_id=shard.publisher_id,
            )
            for number, chain in enumerate(shard.chains)
        ]
        self._pools: tuple[Actor, ...] = tuple(actor for side in self._sides for actor in side.actors)
        for side in self._sides:
            # interrupt() also sets ends_ns, from another thread.
            side.connector.keep_waiting = lambda: time.monotonic_ns() < self._clock.ends_ns
        self._gathering = Gathering(
            is_stamped=all(has_timestamps(chain[-1].address) for chain in shard.chains),
            # The other loads act on an answer or on the end of a connection, and that moment has no kernel timestamp.
            may_be_long=plan.on_end is OnEnd.STOP
            and not (plan.reopens or plan.bad_clients is not None or shard.publisher_id),
        )
        self._is_interrupted = False
        self._folded_ns = 0
        self._cpu_ns = 0
        """CPU time of this process at the last fold."""
        self._started_ns = 0
        self._tick_due_ns = 0
        self._snapshot_due_ns = 0
        self._cpu_start_ns = 0
        self._reporter: ProgressReporter | None = None
        if on_progress is not None:
            self._reporter = ProgressReporter(on_progress, self._sides, plan)

    def run(self) -> Totals:
        """Run the plan from now on, and return the totals."""
        with self.prepared():
            return self.run_from(time.monotonic_ns())

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Do what takes time before a run, so that it can begin at a given moment within the block."""
        with self._poller, keep_timestamping(), _rare_garbage_collection():
            time.sleep(TIMESTAMPING_STARTS_S)
            yield

    def run_from(self, start_ns: int) -> Totals:
        """Run the plan from ``start_ns`` (monotonic), and return the totals. The worker must be prepared."""
        time.sleep(max(start_ns - time.monotonic_ns(), 0) / NS_PER_S)
        return self._run(start_ns)

    def interrupt(self) -> None:
        """End the run now and mark it as interrupted. Other threads may call it."""
        self._is_interrupted = True
        self._clock.end_now()

    def _run(self, started_ns: int) -> Totals:
        self._started_ns = started_ns
        self._clock.started_ns = started_ns
        self._clock.warm_ns = started_ns + round(self._plan.warmup_s * NS_PER_S)
        self._folded_ns = started_ns
        if not self._is_interrupted:
            self._clock.ends_ns = started_ns + round(self._plan.duration_s * NS_PER_S)
        self._clock.synchronize()
        for side in self._sides:
            side.begin(started_ns)
        self._snapshot_due_ns = started_ns + SNAPSHOT_NS
        self._tick_due_ns = started_ns + TICK_NS
        self._cpu_start_ns = self._cpu_ns = time.process_time_ns()
        if self._reporter is not None:
            self._reporter.begin(started_ns, self._cpu_start_ns)
        self._loop()
        for side in self._sides:
            self._take_time(side.totals, side.ended_ns or time.monotonic_ns())
        return self._finish()

    def _take_time(self, totals: Totals, ended_ns: int) -> None:
        """Set the duration until ``ended_ns``, and the CPU so far."""
        totals.duration_ns = ended_ns - self._started_ns
        cpu_ns = time.process_time_ns() - self._cpu_start_ns
        totals.cpu_percent = [cpu_percent(cpu_ns, time.monotonic_ns() - self._started_ns)]

    def _loop(self) -> None:
        """Run the loop until the run is over."""
        poller, pools, clock = self._poller, self._pools, self._clock
        handle_ready = poller.handle_ready
        turn_ns = 0
        while True:
            now_ns = time.monotonic_ns()
            if now_ns >= clock.ends_ns or self._is_interrupted or all(pool.is_over for pool in pools):
                break
            if now_ns >= self._next_due_ns():
                for pool in pools:
                    pool.do_due()
                handle_ready(0)  # connects to a nearby server are complete; their time is taken when handled
            if now_ns >= self._tick_due_ns:
                self._tick(now_ns)
            if poller.has_more:
                handle_ready(0)  # do not pause: the load generator would become the bottleneck
                continue
            now_ns = time.monotonic_ns()
            idle_ns = min(self._next_due_ns(), self._tick_due_ns, clock.ends_ns) - now_ns
            gather_ns = self._gathering.interval_ns(is_connecting=self._is_connecting())
            if gather_ns or idle_ns < POLL_RESOLUTION_NS:
                pause_ns = min(idle_ns, turn_ns + gather_ns - now_ns) if gather_ns else idle_ns
                if pause_ns > 0:
                    time.sleep(pause_ns / NS_PER_S)
                turn_ns = now_ns + max(pause_ns, 0)
                clock.notice_step()  # just before arrival times are converted to the monotonic clock
                handle_ready(0)
            else:
                clock.notice_step()
                handle_ready((idle_ns - POLL_RESOLUTION_NS) / NS_PER_S)

    def _next_due_ns(self) -> int:
        return min([pool.next_due_ns for pool in self._pools])

    def _is_connecting(self) -> bool:
        return any(side.context.attempts.under_way for side in self._sides)

    # Ticks.

    def _tick(self, now_ns: int) -> None:
        self._record_lag(now_ns)
        self._clock.synchronize()
        queues: Counter[int] = Counter()
        for side in self._sides:
            side.tick()
            queues.update(side.pool.receive_queues_bytes())
        for side in self._active_sides:
            side.totals.receive_queue.record(queues)
        self._fold(now_ns)
        for side in self._sides:
            side.notice_end(now_ns)
        if self._reporter is not None:
            self._reporter.note(Delay.QUEUE, queues)
            self._reporter.tick(now_ns)
        if self._on_snapshot is not None and now_ns >= self._snapshot_due_ns:
            self._snapshot_due_ns = max(self._snapshot_due_ns + SNAPSHOT_NS, now_ns)
            self._on_snapshot(self._snapshot())

    def _record_lag(self, now_ns: int) -> None:
        """Record the lag of this tick and of each missed tick, so that a long stall is more than a single sample."""
        lags_us = []
        while self._tick_due_ns <= now_ns:
            lags_us.append((now_ns - self._tick_due_ns) // 1000)
            self._tick_due_ns += TICK_NS
        lags = Counter(lags_us)
        for side in self._active_sides:
            side.record_lag(self._row(now_ns), lags)
        if self._reporter is not None:
            self._reporter.note(Delay.LOOP, lags)

    def _fold(self, now_ns: int) -> None:
        is_warm = self._folded_ns >= self._clock.warm_ns
        row, cpu_ns = self._row(now_ns), time.process_time_ns()
        samples = [side.measurement.samples for side in self._sides]
        self._gathering.note(sum(each.events for each in samples), sum(each.coalesced for each in samples))
        passed_ns, used_ns = now_ns - self._folded_ns, cpu_ns - self._cpu_ns
        self._folded_ns, self._cpu_ns = now_ns, cpu_ns
        for side in self._active_sides:
            folded = side.fold(row, used_ns, passed_ns, with_latencies=is_warm)
            if self._reporter is not None:
                self._reporter.note_folded(folded, is_warm=is_warm)

    @property
    def _active_sides(self) -> list[Side]:
        return [side for side in self._sides if side.ended_ns is None]

    def _row(self, now_ns: int) -> int:
        """Return the timeline row of the samples since the last tick."""
        elapsed_s = (now_ns - self._started_ns) / NS_PER_S - TICK_NS / NS_PER_S / 2
        return self._plan.row_at(elapsed_s)

    def _snapshot(self) -> Snapshot:
        so_far = Totals()
        so_far.merge(replace(self._sides[0].totals, timeline={}))  # a copy: the totals change while it is read
        self._take_time(so_far, time.monotonic_ns())
        return Snapshot(so_far)

    def _finish(self) -> Totals:
        """Complete the totals and close all streams."""
        now_ns = time.monotonic_ns()
        self._fold(now_ns)  # first, because the gaps so far determine which silence is unusual
        for side in self._sides:
            side.finish(now_ns)
        self._record_lag(now_ns)
        self._fold(now_ns)
        totals, *others = [side.complete(self._clock, self._started_ns) for side in self._sides]
        for each in (totals, *others):
            each.interrupted = self._is_interrupted
        totals.against = dict(enumerate(others, 1))
        return totals


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Run the garbage collector rarely, and never on existing objects: there are many long-lived streams."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

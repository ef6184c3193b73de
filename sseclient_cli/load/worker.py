"""One shard of a plan on one event loop -> Totals. The only loop there is: what differs between runs is the plan.

The loop calls three kinds of things: a stream whose socket is ready, the next intended start, and a tick ten times a
second that folds the samples, looks at the clock, and shows the others how it goes.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sseclient_cli.errors import ConnectTimeoutError, SseError
from sseclient_cli.load.fields import FieldReader
from sseclient_cli.load.histogram import rounded
from sseclient_cli.load.http1 import request_bytes
from sseclient_cli.load.metrics import Latency, Totals
from sseclient_cli.load.plan import NS_PER_S, Field, Plan
from sseclient_cli.load.snapshot import Snapshot
from sseclient_cli.load.stream import Bench, Phase, Stream, clock_offset_ns
from sseclient_cli.load.wire import STAMPING_STARTS_S, keep_stamping
from sseclient_cli.target import Address, Target

TICK_S = 0.1
TICK_NS = round(TICK_S * NS_PER_S)
SNAPSHOT_NS = NS_PER_S // 4
"""A snapshot four times a second: fast enough for eyes, and the live view costs less than 2 % of a core."""

QUEUES_PER_TICK = 8
"""Sockets that are asked at each tick how much lies in them unread (2 us each): 800 samples in 10 s make a p99."""

STARTS_PER_TURN = 50
"""Connections opened before the loop looks at its sockets again (0.1 ms each): the open streams must not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an executor gives a worker: whom to load, at which address, and how."""

    target: Target
    address: Address
    plan: Plan


class Worker:
    """Runs one job."""

    def __init__(self, job: Job, on_snapshot: Callable[[Snapshot], None] | None = None) -> None:
        self._job = job
        self._plan = job.plan
        self._on_snapshot = on_snapshot
        self._bench = Bench(
            address=job.address,
            request=request_bytes(job.target),
            fields=FieldReader(job.plan.timestamp, job.plan.sequence),
        )
        self._done = asyncio.Event()
        self._wake: Callable[[], object] = lambda: None
        """Makes the loop see that it is over, once there is a loop."""
        self._totals = Totals(planned=job.plan.planned)
        self._streams: set[Stream] = set()
        """All streams that are not closed."""
        self._connecting: dict[Stream, int] = {}
        """Those that are not connected yet, in the order of their starts, with their start (monotonic ns)."""
        self._started_ns = 0
        self._all_started = False
        self._tick_due_ns = 0
        self._last_snapshot = (0, 0)
        self._snapshot_due_ns = 0
        self._recent: dict[Latency, Counter[int]] = {Latency.GAP: Counter(), Latency.DELIVERY: Counter()}

    async def run(self, start_ns: int | None = None) -> Totals:
        """Do the plan, from ``start_ns`` on (monotonic; None is now), and return what was measured."""
        self._loop = asyncio.get_running_loop()
        self._wake = partial(self._loop.call_soon_threadsafe, self._done.set)
        with keep_stamping():
            await asyncio.sleep(STAMPING_STARTS_S)
            if start_ns is not None:
                await asyncio.sleep(max(start_ns - time.monotonic_ns(), 0) / NS_PER_S)
            return await self._run(start_ns or time.monotonic_ns())

    async def _run(self, started_ns: int) -> Totals:
        self._started_ns = started_ns
        if self._totals.interrupted:
            self._done.set()
        else:
            self._bench.ends_ns = self._started_ns + round(self._plan.duration_s * NS_PER_S)
        self._last_snapshot = (self._started_ns, 0)
        self._snapshot_due_ns = self._started_ns + SNAPSHOT_NS
        cpu_start_ns = time.process_time_ns()
        starts = self._plan.intended_starts_ns()
        self._start_due(starts, next(starts, None))
        self._tick_due_ns = self._started_ns + TICK_NS
        self._loop.call_later(TICK_S, self._tick)
        left_s = self._plan.duration_s - (time.monotonic_ns() - self._started_ns) / NS_PER_S
        self._loop.call_later(max(left_s, 0), self._done.set)
        await self._done.wait()
        return self._finish(cpu_start_ns)

    def interrupt(self) -> None:
        """End the run now, as an interrupted one; callable from a signal handler while the loop is busy."""
        # At once: what the loop has still to do in this turn, thousands of reads perhaps, then takes no time.
        self._bench.ends_ns = 0
        self._totals.interrupted = True
        self._wake()

    # Starting and ending streams.

    def _start_due(self, starts: Iterator[int], due_ns: int | None) -> None:
        """Start what is due, a bounded number at a time, and come back for the next."""
        if self._done.is_set():
            return
        for _ in range(STARTS_PER_TURN):
            if due_ns is None or self._started_ns + due_ns > time.monotonic_ns():
                break
            self._start(self._started_ns + due_ns)
            due_ns = next(starts, None)
        if due_ns is None:
            self._all_started = True
            self._end_if_nothing_is_left()
        else:
            wait_s = (self._started_ns + due_ns - time.monotonic_ns()) / NS_PER_S
            self._loop.call_later(max(wait_s, 0), self._start_due, starts, due_ns)

    def _start(self, intended_ns: int) -> None:
        try:
            stream = Stream(self._bench, intended_ns, self._opened, self._ended)
        except SseError as exc:
            self._count_failure(exc)
            return
        self._streams.add(stream)
        self._connecting[stream] = time.monotonic_ns()
        self._loop.add_writer(stream.fileno(), self._connectable, stream)

    def _connectable(self, stream: Stream) -> None:
        fd = stream.fileno()
        request_is_out = stream.on_connectable()
        if stream.phase is Phase.CLOSED:
            return
        if self._connecting.pop(stream, None) is not None:
            # From now on, and not only when the request is out: a server may refuse a body before it has it all.
            self._loop.add_reader(fd, stream.on_readable)
        if request_is_out:
            self._loop.remove_writer(fd)

    def _opened(self, _stream: Stream) -> None:
        totals = self._totals
        totals.opened += 1
        totals.open_now += 1
        totals.peak_open = max(totals.peak_open, totals.open_now)

    def _ended(self, stream: Stream, error: SseError | None) -> None:
        """Forget a stream that is about to close, and count how it ended."""
        self._forget(stream)
        if stream.phase is Phase.OPEN:
            self._totals.open_now -= 1
            if error is None:
                self._totals.ended_by_server += 1
            else:
                self._totals.count_error(error.kind, str(error), self._interval())
        elif error is not None:
            self._count_failure(error)
        self._end_if_nothing_is_left()

    def _end_if_nothing_is_left(self) -> None:
        if self._all_started and not self._streams:
            self._done.set()

    def _forget(self, stream: Stream) -> None:
        # Before the socket closes: a closed one has no number any more, and its number soon belongs to another.
        fd = stream.fileno()
        self._loop.remove_reader(fd)
        self._loop.remove_writer(fd)
        self._streams.remove(stream)
        self._connecting.pop(stream, None)

    def _count_failure(self, error: SseError) -> None:
        self._totals.failed += 1
        self._totals.count_error(error.kind, str(error), self._interval())

    def _end_overdue_connects(self, now_ns: int) -> None:
        timeout_s = self._job.target.connect_timeout_s
        overdue = []
        for stream, started_ns in self._connecting.items():
            if now_ns - started_ns < timeout_s * NS_PER_S:
                break  # the order is that of the starts: all others are younger
            overdue.append(stream)
        for stream in overdue:
            stream.end(ConnectTimeoutError(f"no connection within {timeout_s:g} s"))

    # Looking at the clock.

    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        self._record_lag(now_ns)
        self._bench.monotonic_less_wall_ns = clock_offset_ns()
        self._end_overdue_connects(now_ns)
        self._sample_receive_queues()
        self._fold()
        if self._on_snapshot is not None and now_ns >= self._snapshot_due_ns:
            self._snapshot_due_ns = max(self._snapshot_due_ns + SNAPSHOT_NS, now_ns)
            self._on_snapshot(self._snapshot(now_ns))
        if not self._done.is_set():
            self._loop.call_later(max(self._tick_due_ns - time.monotonic_ns(), 0) / NS_PER_S, self._tick)

    def _record_lag(self, now_ns: int) -> None:
        """Record how late this tick is, and each that should have come meanwhile: a stall is no single sample."""
        # uvloop's timers have whole milliseconds and may fire half of one early: that is no lag.
        lags_us = [max(now_ns - self._tick_due_ns, 0) // 1000]
        self._tick_due_ns += TICK_NS
        while self._tick_due_ns <= now_ns:
            lags_us.append((now_ns - self._tick_due_ns) // 1000)
            self._tick_due_ns += TICK_NS
        self._totals.loop_lag.record(Counter(lags_us))

    def _sample_receive_queues(self) -> None:
        """Ask some streams how much waits to be read: what a server is held up by, if it is much."""
        sampled: Counter[int] = Counter()
        for stream in random.sample(list(self._streams), min(QUEUES_PER_TICK, len(self._streams))):
            if stream.phase is Phase.OPEN and (queued_bytes := stream.receive_queue_bytes()) is not None:
                sampled[queued_bytes] += 1
        self._totals.receive_queue.record(sampled)

    def _fold(self) -> None:
        gaps, delivered = self._totals.fold(self._bench.recorder, self._interval())
        if self._on_snapshot is not None:
            self._recent[Latency.GAP].update(rounded(gaps))
            self._recent[Latency.DELIVERY].update(rounded(delivered))

    def _interval(self) -> int:
        """Return the number of the timeline's row that the last tick's samples belong to."""
        elapsed_s = (time.monotonic_ns() - self._started_ns) / NS_PER_S - TICK_S / 2
        return max(int(min(elapsed_s, math.ceil(self._plan.duration_s) - 1)) // self._plan.interval_s, 0)

    def _snapshot(self, now_ns: int) -> Snapshot:
        then_ns, events_then = self._last_snapshot
        self._last_snapshot = (now_ns, self._totals.events)
        recent = {kind: counts for kind, counts in self._recent.items() if counts}
        self._recent = {kind: Counter() for kind in self._recent}
        return Snapshot.of(
            self._totals,
            elapsed_s=(now_ns - self._started_ns) / NS_PER_S,
            duration_s=self._plan.duration_s,
            events_per_s=(self._totals.events - events_then) * NS_PER_S / (now_ns - then_ns),
            recent=recent,
        )

    def _finish(self, cpu_start_ns: int) -> Totals:
        """Close everything and complete the totals."""
        totals = self._totals
        fields = self._bench.fields
        fields.give_up()
        self._bench.measure_waiting()
        self._fold()
        now_ns = time.monotonic_ns()
        if now_ns > self._tick_due_ns:
            self._record_lag(now_ns)
        totals.duration_ns = max(now_ns - self._started_ns, 0)
        totals.cpu_percent = [100 * (time.process_time_ns() - cpu_start_ns) / max(totals.duration_ns, 1)]
        totals.timestamp_fields = {str(fields.timestamp)} if isinstance(fields.timestamp, Field) else set()
        totals.sequence_fields = {str(fields.sequence)} if isinstance(fields.sequence, Field) else set()
        totals.audit.merge(self._bench.audit)
        for stream in list(self._streams):
            self._forget(stream)
            stream.close()
        return totals

"""The stream pool of a worker: starts, closes, replaces and reconnects streams according to the plan.

The worker's loop calls it when an action is due. The streams call it when they open, complete or end.
"""

from __future__ import annotations

import random
from collections import Counter
from time import monotonic_ns

from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.stream import Stream
from sseclient_cli.errors import SseError, UnansweredError, UnexpectedResponseError
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.recovery import STORM, RecoveryLog
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Target
from sseclient_cli.run.actor import NEVER_NS
from sseclient_cli.run.due_queue import DueQueue
from sseclient_cli.run.plan import Action, Moment, OnEnd, Plan
from sseclient_cli.run.pooled_stream import PooledStream
from sseclient_cli.run.request_slots import RequestSlots, verdict_on, wait_ns
from sseclient_cli.run.timeouts import Timeouts, is_unanswered

STARTS_PER_TURN = 10
"""Limit of connects per turn (0.1 ms each), so that arrived data does not wait long to be read."""

QUEUES_SAMPLED = 16
"""Streams whose receive queue is sampled at each tick, which takes 0.02 ms."""

MAX_URLS = 100
"""URLs whose streams are counted apart; the rest share one entry. A file could have one for each stream."""


class StreamPool:
    """Owns the streams of a worker and updates its totals. Errors are counted in timeline row ``row``."""

    def __init__(
        self, context: EngineContext, measurement: Measurement, plan: Plan, totals: Totals, target: Target
    ) -> None:
        self._context = context
        self._measurement = measurement
        self._plan = plan
        self._totals = totals
        self._per_stream = target.per_stream
        self._recovery = RecoveryLog(totals.recovery)
        self._timeouts = Timeouts(context.attempts, target, plan.idle_timeout_s)
        self._requests = RequestSlots(plan, target)
        self._moments = plan.moments()
        self._next: Moment | None = next(self._moments, None)
        self._streams: dict[int, PooledStream] = {}
        """The active streams by slot, connected or waiting to reconnect."""
        self._reconnects = DueQueue[PooledStream]()
        self._restarts = DueQueue[int]()
        """The slots in which the next stream starts."""
        self._retired_opened = 0
        """Streams that are over and had opened."""
        self._started_ns = 0
        self.row = 0

    def begin(self, started_ns: int) -> None:
        """Set the start of the run (monotonic), to which the times of the plan are relative."""
        self._started_ns = started_ns
        self._recovery.begin(started_ns)

    @property
    def next_due_ns(self) -> int:
        """When to call ``do_due`` next (monotonic)."""
        planned_ns = NEVER_NS if self._next is None else self._started_ns + self._next.at_ns
        return min(planned_ns, self._reconnects.next_ns, self._restarts.next_ns)

    @property
    def is_over(self) -> bool:
        """Whether no stream is active and none will start."""
        has_more = bool(self._restarts) and self._requests.has_more
        return self._next is None and not self._streams and not has_more

    def do_due(self) -> None:
        """Do the due actions of the plan and the due reconnects, at most STARTS_PER_TURN per call."""
        for _ in range(STARTS_PER_TURN):
            now_ns = monotonic_ns()
            if self._reconnects.next_ns <= now_ns:
                due_ns, stream = self._reconnects.pop()
                if self._streams.get(stream.slot) is stream and stream.phase is Phase.CLOSED:
                    self._connect(stream, due_ns)
            elif self._restarts.next_ns <= now_ns:
                due_ns, slot = self._restarts.pop()
                if slot not in self._streams:
                    self._start(slot, due_ns, is_planned=False)
            elif self._next is not None and self._started_ns + self._next.at_ns <= now_ns:
                moment, self._next = self._next, next(self._moments, None)
                self._do(moment)
            else:
                break

    def end_overdue(self) -> None:
        """End the attempts and streams that have exceeded a timeout, and those whose answer is complete."""
        self._timeouts.check(self._streams)
        for stream in self._requests.complete(self._streams.values()):
            if verdict_on(stream, None) is not None:
                stream.ended(None)
                continue
            self.completed(stream)
            self._restart(stream.slot, 0)

    def finish(self, now_ns: int) -> None:
        """Add the streams that are active at ``now_ns`` (monotonic), the end of the run, to the totals."""
        for stream in self._streams.values():
            self._totals.unanswered += is_unanswered(stream, now_ns)
            if stream.has_opened:
                stream.sampler.reach_end_of_run(now_ns, is_open=stream.phase is Phase.OPEN)
            self._add_to_totals(stream)
            self._requests.cut(stream)

    def close(self) -> None:
        """Close all connections at the end of the run."""
        for stream in self._streams.values():
            stream.close()

    def receive_queues_bytes(self) -> list[int]:
        """Return the number of unread bytes in a sample of the open streams. Large queues block the server."""
        sampled = random.sample(list(self._streams.values()), min(QUEUES_SAMPLED, len(self._streams)))
        queues = [stream.receive_queue_bytes() for stream in sampled if stream.phase is Phase.OPEN]
        return [queued_bytes for queued_bytes in queues if queued_bytes is not None]

    def active_streams(self) -> list[PooledStream]:
        """Return the streams that are not over."""
        return list(self._streams.values())

    @property
    def reconnecting(self) -> int:
        """Number of streams that were open, and now wait or connect again."""
        return self._totals.opened - self._retired_opened - self._totals.open_now

    @property
    def opening(self) -> int:
        """Number of streams that connect, or wait for their first response head."""
        return len(self._streams) - (self._totals.opened - self._retired_opened)

    def _do(self, moment: Moment) -> None:
        at_ns = self._started_ns + moment.at_ns
        if moment.action is Action.STORM:
            self._storm(at_ns)
            return
        stream = self._streams.get(moment.slot)
        if stream is not None and stream.has_opened:
            self.completed(stream)
        elif stream is not None:
            self._give_up(stream)
        if moment.action is Action.START:
            self._start(moment.slot, at_ns, is_planned=True)

    def _start(self, slot: int, intended_ns: int, *, is_planned: bool) -> None:
        """Start the next stream in a slot, unless other slots have sent all requests of the plan."""
        stream = self._requests.new_stream(self._context, self, slot, self._measurement)
        self._totals.planned += (stream is not None) - is_planned
        if stream is not None:
            self._streams[slot] = stream
            self._connect(stream, intended_ns)

    def _restart(self, slot: int, after_ns: int) -> None:
        """Schedule the next stream in a slot whose stream is over, if the plan says so."""
        now_ns = monotonic_ns()
        if self._plan.on_end is OnEnd.RESTART:
            # Not now: hundreds of answers may end in one turn of the loop, and making a request takes 0.1 ms.
            self._restarts.add(now_ns + after_ns, slot)
        else:
            self._recovery.gave_up(slot, now_ns)

    def _connect(self, stream: PooledStream, intended_ns: int) -> None:
        self._recovery.attempted(stream.slot, monotonic_ns())
        try:
            stream.connect(intended_ns)
        except (SseError, OSError) as exc:  # OSError: the poller has no room for another socket
            stream.ended(exc)

    def _storm(self, at_ns: int) -> None:
        """Drop all connections. The reconnects begin after the last drop, so that they reach the server at once."""
        for stream in self._streams.values():
            if monotonic_ns() >= self._context.clock.ends_ns:
                break  # end the run on time
            if stream.phase is not Phase.CLOSED:
                was_open = stream.phase is Phase.OPEN
                self._totals.open_now -= was_open
                stream.drop()
                if was_open:
                    self._recovery.lost(stream.slot, monotonic_ns(), STORM, stream.reconnection)
                self._schedule_connect(stream, at_ns)

    def _give_up(self, stream: PooledStream) -> None:
        """Count a stream as failed: its lifetime ended before the response."""
        self._count_failure(stream)
        self._totals.unanswered += stream.phase is Phase.REQUESTING
        error = UnansweredError(f"no answer within the stream's lifetime of {self._plan.lifetime_s:g} s")
        self._totals.count_error(error.kind, str(error), self.row)
        self._requests.conclude(self._retire(stream), error)
        stream.close()

    def _count_failure(self, stream: Stream) -> None:
        self._count_url(self._totals.url_failed, stream)
        self._totals.failed += 1
        self._totals.interval(self.row).failed += 1

    def _count_url(self, counts: Counter[int], stream: Stream) -> None:
        if self._per_stream is not None:
            counts[min(self._per_stream.url_of(stream.number), MAX_URLS)] += 1

    def _retire(self, stream: Stream) -> PooledStream:
        """Remove a stream that is over from the pool."""
        retired = self._streams.pop(stream.slot)
        self._retired_opened += retired.has_opened
        self._add_to_totals(retired)
        return retired

    def _add_to_totals(self, stream: PooledStream) -> None:
        if stream.has_opened:
            now_ns = monotonic_ns()
            stream.finish(now_ns)
            self._totals.without_event += not stream.sampler.events and stream.sampler.has_had_time(now_ns)
            complaint = stream.sampler.complaint
            if complaint:
                self._totals.bytes_without_event += 1
                self._totals.complaint = self._totals.complaint or stream.first.target.masked(complaint)

    def _schedule_connect(self, stream: PooledStream, due_ns: int) -> None:
        if len(self._reconnects) > 2 * len(self._streams) + STARTS_PER_TURN:
            # Most of them are over: `retry` can be a day and the lifetime a second.
            self._reconnects.keep(lambda waiting: self._streams.get(waiting.slot) is waiting)
        self._reconnects.add(due_ns, stream)

    # Called by the streams.

    def opened(self, stream: Stream) -> None:
        """Count a stream that has opened or reconnected."""
        totals = self._totals
        if stream.has_opened:
            totals.reconnected += 1
            totals.interval(self.row).reconnected += 1
        else:
            totals.opened += 1
            self._count_url(totals.url_opened, stream)
            totals.interval(self.row).opened += 1
        totals.open_now += 1
        totals.peak_open = max(totals.peak_open, totals.open_now)
        self._recovery.opened(stream.slot, stream.last_byte_ns)
        if stream.request is not stream.first:
            totals.count_redirection(stream.request.target.redacted_url)
        self._streams[stream.slot].join_reach(self._measurement)

    def completed(self, stream: Stream) -> None:
        """Close and count a stream whose lifetime is over, or that has received its number of events."""
        was_open = stream.phase is Phase.OPEN
        self._totals.open_now -= was_open
        self._totals.completed += 1
        self._recovery.completed(stream.slot, monotonic_ns(), was_open=was_open)
        self._requests.cut(self._retire(stream))
        stream.close()

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        """Count the end of a connection, then reconnect, restart or retire the stream."""
        pooled = self._streams.get(stream.slot)
        if pooled is not stream:
            return  # it was already complete
        totals = self._totals
        error = verdict_on(pooled, error)
        totals.open_now -= was is Phase.OPEN
        status = error.status if isinstance(error, UnexpectedResponseError) else None
        is_proper = error is None or (status == 204 and stream.has_opened)
        if error is None or is_proper:
            totals.ended_by_server += 1
        else:
            totals.count_error(error.kind, str(error), self.row)
            totals.unanswered += isinstance(error, UnansweredError)
        self._recovery.ended(stream.slot, monotonic_ns(), error, stream.reconnection, was_open=was is Phase.OPEN)
        if self._plan.on_end is OnEnd.RECONNECT:
            delay_ms = stream.reconnection.delay_ms(
                error, opened=was is Phase.OPEN, delivered=stream.has_delivered, random=random.random()
            )
            if delay_ms is not None:
                self._schedule_connect(pooled, monotonic_ns() + delay_ms * 1_000_000)
                return
        self._retire(stream)
        stream.close()
        self._requests.conclude(pooled, error)
        if not stream.has_opened:
            self._count_failure(stream)
        totals.broken += stream.has_opened and not is_proper
        self._restart(stream.slot, wait_ns(pooled, error, was))

"""The streams of a worker: started, ended, replaced and reconnected as the plan says, whatever the server does.

It does what is due when the worker's loop calls it, and is told by the streams what becomes of them.
"""

from __future__ import annotations

import random
from heapq import heapify, heappop, heappush
from itertools import count
from time import monotonic_ns

from sseclient_cli.engine.connection import Phase
from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.stream import Stream
from sseclient_cli.errors import SseError, UnansweredError, UnexpectedResponseError
from sseclient_cli.measure.event_sampler import EventSampler
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.reach_probe import ReachProbe
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Target
from sseclient_cli.run.plan import Action, Moment, OnEnd, Plan
from sseclient_cli.run.timeouts import Timeouts
from sseclient_cli.units import NS_PER_S

STARTS_PER_TURN = 10
"""Connections begun before the loop looks at its sockets again (0.1 ms each): what has come must not wait for long."""

RESTART_AFTER_FAILURE_NS = NS_PER_S
"""What a slot waits for its next stream when the last one could not be had: a server in trouble is not hammered."""

QUEUES_SAMPLED = 16
"""Streams whose receive queue is asked for at each tick: 0.02 ms."""

NEVER_NS = 2**63 - 1


class PooledStream(Stream):
    """A stream in its slot, with the sampler that measures it."""

    __slots__ = ("sampler",)

    def __init__(self, context: EngineContext, pool: StreamPool, slot: int, sampler: EventSampler) -> None:
        super().__init__(context, pool, slot, (sampler,))
        self.sampler = sampler


class StreamPool:
    """Owns every stream of a worker and counts into its totals; errors go into row ``row`` of the timeline."""

    def __init__(
        self, context: EngineContext, measurement: Measurement, plan: Plan, totals: Totals, target: Target
    ) -> None:
        self._context = context
        self._measurement = measurement
        self._plan = plan
        self._totals = totals
        self._timeouts = Timeouts(context.attempts, target, plan.idle_timeout_s)
        self._moments = plan.moments()
        self._next: Moment | None = next(self._moments, None)
        self._streams: dict[int, PooledStream] = {}
        """By slot: those that are not over, be they connected or waiting to be."""
        self._due: list[tuple[int, int, PooledStream]] = []
        """A heap: when to connect a stream (again), by what happened in the run and not by the plan."""
        self._order = count()
        self._started_ns = 0
        self.row = 0

    def begin(self, started_ns: int) -> None:
        """Set the moment that the plan counts from (monotonic)."""
        self._started_ns = started_ns

    @property
    def next_due_ns(self) -> int:
        """When ``do_due`` is to be called next (monotonic)."""
        planned_ns = NEVER_NS if self._next is None else self._started_ns + self._next.at_ns
        return min(planned_ns, self._due[0][0]) if self._due else planned_ns

    @property
    def is_over(self) -> bool:
        """Whether no stream is left and none will come."""
        return self._next is None and not self._streams

    def do_due(self) -> None:
        """Do what is due by the plan, and connect whose time has come, a bounded number at a time."""
        for _ in range(STARTS_PER_TURN):
            now_ns = monotonic_ns()
            if self._due and self._due[0][0] <= now_ns:
                due_ns, _, stream = heappop(self._due)
                if self._streams.get(stream.slot) is stream and stream.phase is Phase.CLOSED:
                    self._connect(stream, due_ns)
            elif self._next is not None and self._started_ns + self._next.at_ns <= now_ns:
                moment, self._next = self._next, next(self._moments, None)
                self._do(moment)
            else:
                break

    def end_overdue(self) -> None:
        """End the attempts and streams that have taken too long."""
        self._timeouts.look(self._streams)

    def finish(self, now_ns: int) -> None:
        """Add what is known of the streams that are not over at the end of the run (monotonic)."""
        for stream in self._streams.values():
            self._totals.unanswered += stream.phase is Phase.REQUESTING
            if stream.has_opened:
                stream.sampler.reach_end_of_run(now_ns, is_open=stream.phase is Phase.OPEN)
            self._add_up(stream)

    def close(self) -> None:
        """Close every connection at the end of the run."""
        for stream in self._streams.values():
            stream.close()

    def receive_queues_bytes(self) -> list[int]:
        """Return how much waits to be read in a few of the open streams: what a server is held up by, if it is much."""
        sampled = random.sample(list(self._streams.values()), min(QUEUES_SAMPLED, len(self._streams)))
        queues = [stream.receive_queue_bytes() for stream in sampled if stream.phase is Phase.OPEN]
        return [queued_bytes for queued_bytes in queues if queued_bytes is not None]

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
            self._start(moment.slot, at_ns)

    def _start(self, slot: int, intended_ns: int) -> None:
        self._connect(self._new_stream(slot), intended_ns)

    def _new_stream(self, slot: int) -> PooledStream:
        stream = PooledStream(self._context, self, slot, EventSampler(self._measurement))
        self._streams[slot] = stream
        return stream

    def _connect(self, stream: PooledStream, intended_ns: int) -> None:
        try:
            stream.connect(intended_ns)
        except SseError as exc:
            stream.ended(exc)

    def _storm(self, at_ns: int) -> None:
        """Drop every connection first, and then make all anew: the server is to see them come at once."""
        for stream in self._streams.values():
            if monotonic_ns() >= self._context.clock.ends_ns:
                break  # a run ends on time
            if stream.phase is not Phase.CLOSED:
                self._totals.open_now -= stream.phase is Phase.OPEN
                stream.drop()
                self._come_back(stream, at_ns)

    def _give_up(self, stream: PooledStream) -> None:
        """Count a stream whose time is over, by the plan, before the server has answered it."""
        self._totals.failed += 1
        self._totals.unanswered += stream.phase is Phase.REQUESTING
        error = UnansweredError(f"no answer within the stream's lifetime of {self._plan.lifetime_s:g} s")
        self._totals.count_error(error.kind, str(error), self.row)
        self._retire(stream)
        stream.close()

    def _retire(self, stream: Stream) -> None:
        """Let go of a stream that is over."""
        self._add_up(self._streams.pop(stream.slot))

    def _add_up(self, stream: PooledStream) -> None:
        if stream.has_opened:
            now_ns = monotonic_ns()
            stream.finish(now_ns)
            self._totals.without_event += not stream.sampler.events and stream.sampler.has_had_time(now_ns)
            complaint = stream.sampler.complaint
            if complaint:
                self._totals.bytes_without_event += 1
                self._totals.complaint = self._totals.complaint or complaint

    def _come_back(self, stream: PooledStream, due_ns: int) -> None:
        if len(self._due) > 2 * len(self._streams) + STARTS_PER_TURN:
            # Most of them are of streams that are over: `retry` may be a day, and a lifetime a second.
            self._due = [entry for entry in self._due if self._streams.get(entry[2].slot) is entry[2]]
            heapify(self._due)
        heappush(self._due, (due_ns, next(self._order), stream))

    # Called by the streams.

    def opened(self, stream: Stream) -> None:
        """Count a stream that has opened, or come back."""
        totals = self._totals
        if stream.has_opened:
            totals.reconnected += 1
        else:
            totals.opened += 1
        totals.open_now += 1
        totals.peak_open = max(totals.peak_open, totals.open_now)
        if stream.request is not self._context.connector.first:
            totals.count_redirection(stream.request.target.redacted_url)
        self._probe_reach(self._streams[stream.slot])

    def _probe_reach(self, stream: PooledStream) -> None:
        """Sample the stream for the reach of a broadcast, if it is its turn."""
        if stream.sampler.events or len(stream.observers) > 1:
            return
        reach = self._measurement.reach
        bit = reach.join(stream.last_byte_ns)
        if bit:
            stream.observers = (*stream.observers, ReachProbe(reach, bit, self._context.clock))

    def completed(self, stream: Stream) -> None:
        """Close a stream that has done what the plan wants of it."""
        self._totals.open_now -= stream.phase is Phase.OPEN
        self._totals.completed += 1
        self._retire(stream)
        stream.close()

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        """Count the end of a connection, and see to what follows by the plan."""
        pooled = self._streams.get(stream.slot)
        if pooled is not stream:
            return  # it was complete before
        totals, on_end = self._totals, self._plan.on_end
        totals.open_now -= was is Phase.OPEN
        status = error.status if isinstance(error, UnexpectedResponseError) else None
        is_proper = error is None or (status == 204 and stream.has_opened)
        if error is None or is_proper:
            totals.ended_by_server += 1
        else:
            totals.count_error(error.kind, str(error), self.row)
            totals.unanswered += isinstance(error, UnansweredError)
        if on_end is OnEnd.RECONNECT:
            delay_ms = stream.reconnection.delay_ms(
                error, opened=was is Phase.OPEN, delivered=stream.has_delivered, random=random.random()
            )
            if delay_ms is not None:
                self._come_back(pooled, monotonic_ns() + delay_ms * 1_000_000)
                return
        self._retire(stream)
        stream.close()
        totals.failed += not stream.has_opened
        totals.broken += stream.has_opened and not is_proper
        if on_end is OnEnd.RESTART:
            totals.planned += 1
            successor = self._new_stream(stream.slot)
            wait_ns = 0 if was is Phase.OPEN else RESTART_AFTER_FAILURE_NS
            self._come_back(successor, monotonic_ns() + wait_ns)

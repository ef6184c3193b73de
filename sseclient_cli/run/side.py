"""One target of a worker, with its own connector, measurement, totals, stream pool.

A run with ``against`` has two sides. They share the worker's loop, poller, clock and memory limit, so that a busy
machine delays both alike.
"""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING

from sseclient_cli.engine.attempts import Attempts
from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connector import Connector
from sseclient_cli.engine.context import MAX_EVENT_BYTES, EngineContext
from sseclient_cli.engine.held_memory import HeldMemory
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.measure.bad_clients import bad_totals
from sseclient_cli.measure.fanout_token import TokenReader
from sseclient_cli.measure.field_reader import KnownFields
from sseclient_cli.measure.llm_probe import LlmMeasurement
from sseclient_cli.measure.mcp_probe import ERROR_STATUSES, McpMeasurement
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.reach import MAX_STREAMS, ReachSample
from sseclient_cli.measure.receipts import Receipts
from sseclient_cli.measure.recovery import RecoveryTotals, bin_ms_of
from sseclient_cli.measure.request_probe import RequestMeasurement
from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.measure.undecided_events import UndecidedEvents
from sseclient_cli.request.target import ResolvedTarget
from sseclient_cli.request.tokenizer import TextTokenizer
from sseclient_cli.run.actor import Actor
from sseclient_cli.run.bad_pool import BadPool
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.stream_pool import StreamPool
from sseclient_cli.run.stream_survey import StreamSurvey
from sseclient_cli.units import NS_PER_S

if TYPE_CHECKING:
    from sseclient_cli.engine.http2_sessions import Http2Sessions


class Side:
    """The streams to one target."""

    def __init__(
        self,
        chain: tuple[ResolvedTarget, ...],
        plan: Plan,
        poller: Poller,
        clock: RunClock,
        held_memory: HeldMemory,
        *,
        shift_ns: int = 0,
        others: tuple[ResolvedTarget, ...] = (),
        publisher_id: str = "",
    ) -> None:
        target = chain[0].target
        if target.is_websocket:
            # The streams import it, too. The import takes 0.1 s, which must not delay the first of them.
            import_module("sseclient_cli.engine.websocket_exchange")
        self.connector = Connector(chain, plan.first_slot, others)
        self.totals = Totals(planned=plan.planned, connections=self.connector.connections)
        reads = Reads()
        self.context = EngineContext(
            connector=self.connector,
            poller=poller,
            clock=clock,
            reads=reads,
            attempts=Attempts(limits_head=target.head_timeout_s is not None),
            held_memory=held_memory,
            events_per_stream=plan.events,
            max_event_bytes=plan.max_event_bytes or MAX_EVENT_BYTES,
            retry_statuses=plan.retry_statuses,
            error_statuses=ERROR_STATUSES if plan.mcp is not None else frozenset(),
            http2=_sessions(self.connector, plan, poller, clock, reads) if target.http2 else None,
        )
        self.measurement = _measurement(plan, clock, poller, self.connector.last_event_id, publisher_id)
        if self.measurement.requests is not None:
            self.totals.requests = self.measurement.requests.totals
        if plan.reopens:
            self.totals.recovery = RecoveryTotals(bin_ms=bin_ms_of(plan.duration_s))
        self.pool = StreamPool(self.context, self.measurement, plan, self.totals, target)
        self.bad_pool: BadPool | None = None
        if plan.bad_clients is not None:
            self.totals.bad = bad_totals(plan.bad_slots)
            self.bad_pool = BadPool(self.context, plan, self.totals.bad, target)
        self.survey = StreamSurvey(self.pool, self.measurement)
        self._shift_ns = shift_ns
        self._succeeded = 0
        """Requests that are in the timeline."""
        self.ended_ns: int | None = None
        """When the plan had no stream left (monotonic, noticed at a tick). None while it has, or at the run's end."""

    @property
    def actors(self) -> tuple[Actor, ...]:
        """The pools that the worker's loop calls at planned times."""
        return (self.pool,) if self.bad_pool is None else (self.pool, self.bad_pool)

    def tick(self) -> None:
        """Check the timeouts of all streams, and let the bad clients act."""
        self.pool.end_overdue()
        if self.bad_pool is not None:
            self.bad_pool.tick()

    def begin(self, started_ns: int) -> None:
        """Set the start of the run (monotonic)."""
        for actor in self.actors:
            actor.begin(started_ns + self._shift_ns)

    def notice_end(self, now_ns: int) -> None:
        """Take ``now_ns`` as the end of this side if its plan has no stream left: the other side may continue."""
        if self.ended_ns is None and self.pool.is_over:
            self.ended_ns = now_ns

    def fold(self, row: int, cpu_ns: int, worker_ns: int, *, with_latencies: bool) -> dict[str, Counter[int]]:
        """Add the samples since the last fold to the totals. Return their values with counts, by name."""
        self.pool.row = row
        interval = self.totals.interval(row)
        interval.cpu_ns += cpu_ns
        interval.worker_ns += worker_ns
        if self.measurement.receipts is not None:
            self.measurement.receipts.fold(row)
        of_requests = self._fold_requests(interval)
        folded = self.totals.fold(self.measurement.samples, self.context.reads, row, with_latencies=with_latencies)
        return {**folded, **of_requests}

    def _fold_requests(self, interval: Interval) -> dict[str, Counter[int]]:
        """Add the requests since the last fold to the totals and a row of the timeline. Return their durations."""
        requests = self.measurement.requests
        if requests is None:
            return {}
        interval.requests += requests.totals.succeeded - self._succeeded
        self._succeeded = requests.totals.succeeded
        return requests.fold()

    def record_lag(self, row: int, lags_us: Counter[int]) -> None:
        """Add the lags of the loop, which is that of all sides."""
        self.totals.loop_lag.record(lags_us)
        interval = self.totals.interval(row)
        interval.loop_lag_max_us = max([interval.loop_lag_max_us or 0, *lags_us])

    def finish(self, now_ns: int) -> None:
        """Add the streams that are active at ``now_ns`` (monotonic), the end of the run."""
        clock = self.context.clock
        if self.measurement.receipts is not None:
            self.measurement.receipts.ends_ns = min(now_ns, clock.ends_ns or now_ns) - clock.started_ns
        self.pool.finish(now_ns)
        if self.bad_pool is not None:
            self.bad_pool.ask()
        self.measurement.reach.close(now_ns, clock.started_ns)

    def complete(self, clock: RunClock, started_ns: int) -> Totals:
        """Complete the totals after the last fold, and close all streams."""
        if self.bad_pool is not None:
            self.bad_pool.finish()
        totals, measurement = self.totals, self.measurement
        known = measurement.undecided.known
        totals.timestamp_fields = known.timestamps()
        totals.future_fields = {str(place) for place in known.future}
        totals.audits = measurement.audits
        totals.reach = measurement.reach
        totals.receipts = measurement.receipts
        totals.encodings = measurement.heads.encodings
        if self.context.http2 is not None:
            totals.max_concurrent_streams = self.context.http2.least_limit
        totals.formats = measurement.heads.formats
        totals.heads_with_events = measurement.heads.with_events
        totals.date_differences = measurement.heads.date_differences_s
        totals.clock_steps = {(at_ns - started_ns) // NS_PER_S: step_ns for at_ns, step_ns in clock.steps.items()}
        self.pool.close()
        if self.bad_pool is not None:
            self.bad_pool.close()
        return totals


def _sessions(connector: Connector, plan: Plan, poller: Poller, clock: RunClock, reads: Reads) -> Http2Sessions:
    from sseclient_cli.engine.http2_sessions import Http2Sessions  # imports h2, an optional package

    return Http2Sessions(connector, poller, clock, reads, streams_per_connection=plan.shared_by)


def _measurement(plan: Plan, clock: RunClock, poller: Poller, last_event_id: str, publisher_id: str) -> Measurement:
    return Measurement(
        clock=clock,
        poller=poller,
        undecided=UndecidedEvents(KnownFields(plan.timestamp, plan.sequence, last_event_id)),
        reach=ReachSample(every=max(1, plan.most_open // MAX_STREAMS)),
        expects_replays=plan.reopens,
        counts_error_events=plan.counts_error_events,
        receipts=Receipts() if publisher_id else None,
        tokens=TokenReader(publisher_id) if publisher_id else None,
        requests=_requests(plan, clock, poller),
    )


def _requests(plan: Plan, clock: RunClock, poller: Poller) -> RequestMeasurement | None:
    """Return what the requests of the plan share; None if its streams have no end of their own."""
    if plan.mcp is not None:
        sessions = plan.mcp.sessions if not plan.first_slot else 0  # those of the run, which the workers share
        return McpMeasurement(clock=clock, poller=poller, choice=plan.mcp, figures=McpTotals(sessions=sessions))
    if plan.llm is None:
        return None
    tokens_of = None if plan.llm.tokenizer is None else TextTokenizer(plan.llm.tokenizer).count
    return LlmMeasurement(clock=clock, poller=poller, choice=plan.llm, tokens_of=tokens_of)

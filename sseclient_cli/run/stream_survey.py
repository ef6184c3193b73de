"""Looks at each active stream of a worker in turn, for figures that otherwise exist only at the end of the run.

A worker can have 20,000 streams. A step looks at as many as take STEP_NS, so that the load does not wait. The figures
are those of the last complete pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic_ns

from sseclient_cli.engine.exchange import Phase
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.run.pooled_stream import PooledStream
from sseclient_cli.run.progress import small_enough
from sseclient_cli.run.stream_pool import StreamPool
from sseclient_cli.units import NS_PER_S

STEP_NS = 1_000_000
"""Time of one step. There is one per tick, so it is 1 % of a core at most: 1,500 streams per second."""

PASS_NS = NS_PER_S
"""Least time between the starts of two passes."""

STREAMS_BETWEEN_CLOCKS = 8


class StreamSurvey:
    """The survey of one worker's streams."""

    def __init__(self, pool: StreamPool, measurement: Measurement) -> None:
        self._pool = pool
        self._measurement = measurement
        self.silent: int | None = None
        """Open streams that were silent in the last pass; None before its end."""
        self.audits: dict[str, FieldAudit] | None = None
        """The sequence checks of all streams in the last pass. None before its end, and if they are too large."""
        self._due_ns = 0
        self._streams: list[PooledStream] = []
        self._silent = 0
        self._audits: dict[str, FieldAudit] | None = None

    def step(self) -> None:
        """Look at the next streams. The last one ends the pass."""
        now_ns = monotonic_ns()
        if not self._streams:
            if now_ns < self._due_ns:
                return
            self._due_ns = now_ns + PASS_NS
            self._begin()
        ends_ns = now_ns + STEP_NS
        while self._streams and monotonic_ns() < ends_ns:
            self._look_at(self._streams[-STREAMS_BETWEEN_CLOCKS:])
            del self._streams[-STREAMS_BETWEEN_CLOCKS:]
        if not self._streams:
            self.silent = self._silent
            self.audits = None if self._audits is None else small_enough(self._audits)

    def _begin(self) -> None:
        self._streams = self._pool.active_streams()
        self._silent = 0
        finished = small_enough(self._measurement.audits)
        self._audits = None if finished is None else {source: audit.copied() for source, audit in finished.items()}

    def _look_at(self, streams: Iterable[PooledStream]) -> None:
        now_ns = monotonic_ns()
        for stream in streams:
            sampler = stream.sampler
            self._silent += stream.phase is Phase.OPEN and sampler.is_silent(now_ns)
            if self._audits is not None:
                sampler.add_audit_to(self._audits)

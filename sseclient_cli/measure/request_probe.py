"""Observes one request and its answer. What the answer is, and when it is complete, depends on the API.

The pool asks a probe whether its answer is complete, and whether a response that ended properly was an answer.
Durations count from the sending of the request: the connection before it is measured apart. A duration is certain if it
is known to within 1 %, or 0.1 ms.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.observer import Connected, Opened, StreamObserver
from sseclient_cli.engine.poller import Poller
from sseclient_cli.errors import SseError
from sseclient_cli.measure.request_totals import RequestSamples, RequestTotals
from sseclient_cli.sse.event_stream import Event

MOST_UNCERTAIN = 100
"""A duration is at least this many times its uncertainty ..."""

CERTAIN_NS = 100_000
"""... or its uncertainty is at most this."""


class Moment(NamedTuple):
    """An arrival (monotonic), and by how much earlier it may have been; None if that is unknown."""

    at_ns: int
    uncertainty_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMeasurement:
    """What the probes of a worker share."""

    clock: RunClock
    poller: Poller
    totals: RequestTotals = field(default_factory=RequestTotals)
    samples: RequestSamples = field(default_factory=RequestSamples)

    def probe(self, number: int, turn: int | None) -> RequestProbe:
        """Return the probe of a new request with this number; ``turn`` is that of its conversation, if any."""
        raise NotImplementedError

    def fold(self) -> dict[str, Counter[int]]:
        """Move the samples since the last tick into the totals. Return their values with counts, by name."""
        return self.samples.fold(self.totals)


class RequestProbe(StreamObserver):
    """The probe of one request. A subclass reads the events: ``read``, ``failure`` and ``add_answer``."""

    __slots__ = ("_ended_ns", "_first_chunk", "_measurement", "_sent_ns", "is_complete")

    def __init__(self, measurement: RequestMeasurement) -> None:
        self._measurement = measurement
        self._sent_ns = 0
        """When the request was sent, or could be (monotonic); 0 before."""
        self._first_chunk: Moment | None = None
        self._ended_ns = 0
        """When the last event of the answer arrived (monotonic)."""
        self.is_complete = False
        """Whether the answer has ended, by the API's own mark or by an error in it."""

    @property
    def answer_text(self) -> str:
        """The content of the answer, for the next request of its conversation; empty without a conversation."""
        return ""

    def read(self, events: list[Event], others: Moment, last: Moment) -> bool:
        """Take the events of one read, ``last`` with its own arrival. Return whether they end the answer."""
        raise NotImplementedError

    def failure(self) -> SseError | None:
        """Return why a response that ended properly is no answer; None if it is one."""
        raise NotImplementedError

    def explained(self, error: SseError) -> SseError:
        """Return the error that ended the request before its answer, in the words of the API."""
        return error

    def add_answer(self, first_chunk_us: int | None) -> None:
        """Add the figures of an answer that succeeded; ``first_chunk_us`` is the time to its first event."""
        raise NotImplementedError

    def first_chunk_us(self) -> int | None:
        """Return the time from the sending of the request to the first event; None if it is not known."""
        return None if self._first_chunk is None else duration_us(Moment(self._sent_ns, 0), self._first_chunk)

    # Called by the stream.

    def connected(self, intended_ns: int, connected: Connected) -> None:
        """Note that the request can be sent."""
        self._sent_ns = connected.ready_ns

    def opened(self, opened: Opened) -> None:
        """Note when the request was sent."""
        self._sent_ns = opened.requested_ns

    def received(
        self,
        body: bytes,
        events: list[Event],
        arrival_ns: int,
        arrival_monotonic_ns: int,
        *,
        is_exact: bool,
        is_fresh: bool,
    ) -> None:
        """Read the events of one read, up to the end of the answer."""
        if not events or self.is_complete:
            return
        spread_ns = self._measurement.poller.spread_ns(arrival_ns, is_fresh=is_fresh)
        others = Moment(arrival_monotonic_ns, spread_ns)
        last = Moment(arrival_monotonic_ns, 0) if is_exact else others
        if self._first_chunk is None:
            self._first_chunk = last if len(events) == 1 else others
        self._ended_ns = arrival_monotonic_ns
        self.is_complete = self.read(events, others, last)

    # Called by the pool.

    def conclude(self, now_ns: int, error: SseError | None) -> None:
        """Add the request to the totals: its answer is complete, or it failed with this error at ``now_ns``."""
        if self._is_left_out():
            return
        measurement = self._measurement
        totals, samples = measurement.totals, measurement.samples
        if error is not None:
            totals.failed += 1
            if self._sent_ns:
                samples.failed_after.append((now_ns - self._sent_ns) // 1000)
            self._note(now_ns)
            return
        totals.succeeded += 1
        samples.duration.append((self._ended_ns - self._sent_ns) // 1000)
        first_us = self.first_chunk_us()
        totals.untimed += first_us is None
        if first_us is not None:
            samples.first_chunk.append(first_us)
        self._note(self._ended_ns)
        self.add_answer(first_us)

    def cut(self, now_ns: int) -> None:
        """Add a request that the plan ended at ``now_ns``: it is unfinished, unless its answer is complete."""
        if self.is_complete:
            self.conclude(now_ns, self.failure())
        elif self._sent_ns and not self._is_left_out():
            self._measurement.totals.unfinished += 1

    def _is_left_out(self) -> bool:
        """Count a request of the warm-up, and return whether it is one."""
        is_of_warm_up = 0 < self._sent_ns < self._measurement.clock.warm_ns
        self._measurement.totals.warm_up += is_of_warm_up
        return is_of_warm_up

    def _note(self, ended_ns: int) -> None:
        if self._sent_ns:
            clock, totals = self._measurement.clock, self._measurement.totals
            totals.begun((self._sent_ns - clock.started_ns) // 1000)
            totals.over((ended_ns - clock.started_ns) // 1000)


def duration_us(earlier: Moment, later: Moment) -> int | None:
    """Return the time between two arrivals; None if it is not known."""
    duration_ns = later.at_ns - earlier.at_ns
    if earlier.uncertainty_ns is None or later.uncertainty_ns is None:
        return None
    uncertainty_ns = earlier.uncertainty_ns + later.uncertainty_ns
    return duration_ns // 1000 if is_certain(duration_ns, uncertainty_ns) else None


def is_certain(duration_ns: int, uncertainty_ns: int) -> bool:
    """Return whether a duration is known to within 1 %, or 0.1 ms."""
    return uncertainty_ns <= CERTAIN_NS or uncertainty_ns * MOST_UNCERTAIN <= duration_ns

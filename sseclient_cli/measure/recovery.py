"""Records when streams lose their connection, try again and return, in bins of the run's time.

Pure. Each change of a stream is recorded, and nothing per event. The bins of all workers have the same length and begin
at the start of the run, so they merge, and ``report/recovery.py`` recognizes an outage over all workers. A return is
kept with the bin of its loss: a stream that returns late belongs to the outage that it was lost in.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from sseclient_cli.errors import SseError, UnexpectedResponseError
from sseclient_cli.measure.merging import Merging, counted, counted_by_name, largest, mergeable
from sseclient_cli.sse.retry_policy import Reconnection

LEAST_BIN_MS = 10
"""A reconnection on one machine takes a few ms, and a tick of the worker's loop 1 ms."""

MAX_BINS = 10_000
"""The bins of a run. In a run of more than 100 s they are longer: 90 ms in 15 minutes."""

ENDED = "ended"
"""The cause of a loss: the server ended a complete response. Other causes are the kinds of errors."""

STORM = "storm"
"""The cause of a loss: the plan dropped the connection."""

MAX_RETRIES = 20
"""Values of ``retry`` that a worker keeps exactly: a server may send a different one to each stream."""

DEFAULT_RETRY = -1
"""The key of streams whose server sent no ``retry``."""

_Key = TypeVar("_Key", int, str)


def bin_ms_of(duration_s: float) -> int:
    """Return the length of a bin, for the planned duration of a run."""
    return LEAST_BIN_MS * max(1, math.ceil(1000 * duration_s / MAX_BINS / LEAST_BIN_MS))


@mergeable
@dataclass(slots=True)
class RecoveryTotals(Merging):
    """The losses and returns of all streams. Unless a field says otherwise, its Counters are by bin."""

    bin_ms: int = largest(LEAST_BIN_MS)
    """The same for all workers."""
    open_changes: Counter[int] = counted()
    """Changes of the number of open streams."""
    causes: dict[str, Counter[int]] = counted_by_name()
    """Lost connections of open streams by cause."""
    returns: dict[int, Counter[int]] = counted_by_name()
    """Streams that opened again, by the bin of their loss."""
    departures: dict[int, Counter[int]] = counted_by_name()
    """Streams that an error ended for good after a loss, by the bin of their loss."""
    completions: dict[int, Counter[int]] = counted_by_name()
    """Streams that the plan closed before they returned, by the bin of their loss."""
    attempts: Counter[int] = counted()
    """Connection attempts of lost streams."""
    failures: dict[str, Counter[int]] = counted_by_name()
    """Failed attempts of lost streams by kind of error."""
    refusals: dict[int, Counter[int]] = counted_by_name()
    """Lost streams that received a response with this status and no event stream: once per loss, by the loss's bin."""
    retries: dict[int, Counter[int]] = counted_by_name()
    """Lost streams by reconnection time in ms, DEFAULT_RETRY without one of the server; by the loss's bin."""
    early: Counter[int] = counted()
    """Lost streams that tried again before their reconnection time was over, by the bin of the loss."""

    def losses(self, without: Collection[str] = ()) -> Counter[int]:
        """Return the lost connections of all causes but these."""
        lost: Counter[int] = Counter()
        for cause, counts in self.causes.items():
            lost.update({} if cause in without else counts)
        return lost


@dataclass(slots=True)
class _Lost:
    """A stream without its connection."""

    lost_ns: int
    place: int
    """The bin of its loss."""
    retry_ms: int
    has_tried: bool = False
    statuses: tuple[int, ...] = ()


class RecoveryLog:
    """Records the streams of one worker by their slot; records nothing without totals. Times are monotonic."""

    def __init__(self, totals: RecoveryTotals | None) -> None:
        self._totals = totals
        self._lost: dict[int, _Lost] = {}
        self._started_ns = 0

    def begin(self, started_ns: int) -> None:
        """Set the start of the run."""
        self._started_ns = started_ns

    def opened(self, slot: int, at_ns: int) -> None:
        """Record that a stream has opened, for the first time or again."""
        totals = self._totals
        if totals is None:
            return
        totals.open_changes[self._bin(totals, at_ns)] += 1
        lost = self._lost.pop(slot, None)
        if lost is not None:
            _count(totals.returns, lost.place, max(self._bin(totals, at_ns), lost.place))

    def ended(
        self, slot: int, at_ns: int, error: SseError | None, reconnection: Reconnection, *, was_open: bool
    ) -> None:
        """Record the end of a connection: an open stream has lost it, or an attempt has failed."""
        if was_open:
            self.lost(slot, at_ns, ENDED if error is None else error.kind, reconnection)
        elif error is not None:
            self._failed(slot, at_ns, error)

    def lost(self, slot: int, at_ns: int, cause: str, reconnection: Reconnection) -> None:
        """Record that an open stream has lost its connection."""
        totals = self._totals
        if totals is None:
            return
        place, retry_ms = self._bin(totals, at_ns), reconnection.reconnection_time_ms
        totals.open_changes[place] -= 1
        _count(totals.causes, cause, place)
        retry_key = _retry_key(totals, retry_ms) if reconnection.is_time_from_server else DEFAULT_RETRY
        _count(totals.retries, retry_key, place)
        self._lost[slot] = _Lost(at_ns, place, retry_ms)

    def attempted(self, slot: int, at_ns: int) -> None:
        """Record a connection attempt."""
        totals, lost = self._totals, self._lost.get(slot)
        if totals is None or lost is None:
            return
        totals.attempts[self._bin(totals, at_ns)] += 1
        if not lost.has_tried and at_ns - lost.lost_ns < lost.retry_ms * 1_000_000:
            totals.early[lost.place] += 1
        lost.has_tried = True

    def _failed(self, slot: int, at_ns: int, error: SseError) -> None:
        totals, lost = self._totals, self._lost.get(slot)
        if totals is None or lost is None:
            return
        _count(totals.failures, error.kind, self._bin(totals, at_ns))
        status = error.status if isinstance(error, UnexpectedResponseError) else None
        if status is not None and status not in lost.statuses:
            lost.statuses = (*lost.statuses, status)
            _count(totals.refusals, status, lost.place)

    def gave_up(self, slot: int, at_ns: int) -> None:
        """Record that an error ended a lost stream for good."""
        totals, lost = self._totals, self._lost.pop(slot, None)
        if totals is not None and lost is not None:
            _count(totals.departures, lost.place, self._bin(totals, at_ns))

    def completed(self, slot: int, at_ns: int, *, was_open: bool) -> None:
        """Record that the plan closed a stream."""
        totals, lost = self._totals, self._lost.pop(slot, None)
        if totals is None:
            return
        if was_open:
            totals.open_changes[self._bin(totals, at_ns)] -= 1
        elif lost is not None:
            _count(totals.completions, lost.place, self._bin(totals, at_ns))

    def _bin(self, totals: RecoveryTotals, at_ns: int) -> int:
        return max(at_ns - self._started_ns, 0) // (totals.bin_ms * 1_000_000)


def _count(counters: dict[_Key, Counter[int]], key: _Key, place: int) -> None:
    counters.setdefault(key, Counter())[place] += 1


def _retry_key(totals: RecoveryTotals, retry_ms: int) -> int:
    """Return the reconnection time, with two significant digits where there are many different ones."""
    if retry_ms in totals.retries or len(totals.retries) < MAX_RETRIES:
        return retry_ms
    unit = 10 ** max(len(str(retry_ms)) - 2, 0)
    return int(retry_ms // unit * unit)

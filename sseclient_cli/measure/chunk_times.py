"""When the chunks of one answer arrived: the first ones, the last one, and the gaps between them. Pure.

A read has one arrival time, that of its last byte, and so has its last chunk. If the load generator was late, the other
chunks of the read may have arrived long before, one by one. Leaving them out would favour slow answers, because a chunk
that shares its read follows the previous one soon. They are estimated instead, and counted: the gaps of such a read are
equal parts of the time since the previous chunk; those of the first read are the usual gap of the answer.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

from sseclient_cli.measure.chunk_bursts import arrived_together
from sseclient_cli.measure.request_probe import Moment, is_certain


class _Place(NamedTuple):
    """A chunk of a read: its arrival (monotonic) as far as known, and the chunks of the read that followed later."""

    moment: Moment
    behind: int


class ChunkTimes:
    """The arrivals of the chunks of one answer."""

    __slots__ = ("_first", "_first_answer", "_last", "chunks", "estimated", "gaps_us", "together")

    def __init__(self) -> None:
        self.chunks = 0
        self.gaps_us = array("q")
        self.together = 0
        """Chunks that arrived together with an earlier one: they have no gap."""
        self.estimated = 0
        """Chunks whose arrival is an estimate."""
        self._first: _Place | None = None
        self._first_answer: _Place | None = None
        self._last: Moment | None = None

    def take(self, count: int, first_answer: int | None, others: Moment, last: Moment) -> None:
        """Take the chunks of one read. ``first_answer`` is the place of the first one that is no reasoning."""
        self.chunks += count
        if self._last is None:
            self._first = _Place(last if count == 1 else others, count - 1)
        else:
            self._add_gaps(self._last, count, others, last)
        if self._first_answer is None and first_answer is not None:
            behind = count - 1 - first_answer
            self._first_answer = _Place(others if behind else last, behind)
        self._last = last

    def _add_gaps(self, before: Moment, count: int, others: Moment, last: Moment) -> None:
        gap_ns = last.at_ns - before.at_ns
        if count == 1:
            self.estimated += not is_certain(gap_ns, last.uncertainty_ns or 0)
            self.gaps_us.append(gap_ns // 1000)
        elif arrived_together(others.uncertainty_ns, gap_ns):
            self.together += count - 1
            self.gaps_us.append(gap_ns // 1000)
        else:
            self.estimated += count - 1
            self.gaps_us.extend([gap_ns // count // 1000] * count)

    def close(self) -> None:
        """Add the gaps within the first read, once all chunks have arrived."""
        if self._first is None:
            return
        behind = self._first.behind
        if self._arrival_ns(self._first) < self._first.moment.at_ns:
            self.estimated += behind
            self.gaps_us.extend([self._usual_gap_ns() // 1000] * behind)
        else:
            self.together += behind

    def first_us(self, sent_ns: int) -> int | None:
        """Return the time from the sending of the request (monotonic) to the first chunk; None without one."""
        return self._since(sent_ns, self._first)

    def first_answer_us(self, sent_ns: int) -> int | None:
        """Return the time to the first chunk that is no reasoning."""
        return self._since(sent_ns, self._first_answer)

    def total_us(self) -> int | None:
        """Return the time from the first to the last chunk; None with fewer than two."""
        if self._first is None or self._last is None or self.chunks < 2:
            return None
        return self._since(self._arrival_ns(self._first), _Place(self._last, 0))

    def _since(self, begin_ns: int, place: _Place | None) -> int | None:
        return None if place is None else (self._arrival_ns(place) - begin_ns) // 1000

    def _arrival_ns(self, place: _Place) -> int:
        """Return when a chunk arrived: those behind it in a late read followed at the usual gap of the answer.

        If the read is too short for that, they arrived together.
        """
        at_ns, uncertainty_ns = place.moment
        earlier_ns = place.behind * self._usual_gap_ns()
        return at_ns - earlier_ns if uncertainty_ns is None or earlier_ns <= uncertainty_ns else at_ns

    def _usual_gap_ns(self) -> int:
        """Return the mean gap after the first read."""
        if self._first is None or self._last is None:
            return 0
        later = self.chunks - 1 - self._first.behind
        return (self._last.at_ns - self._first.moment.at_ns) // later if later else 0

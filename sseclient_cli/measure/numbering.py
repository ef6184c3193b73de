"""Follows one run of sequence numbers: counts missing, late and repeated numbers, and recognizes a new numbering.

Pure. ``sequence_audit.py`` interprets the faults.

If the numbers fall, either events are sent again or the numbering has restarted. The content of the first events may
not decide which. Both stay possible (``_Successor``) until the content decides, or the stream is over.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from sseclient_cli.measure.merging import Merging, joined, mergeable, summed, united
from sseclient_cli.measure.recent_content import RecentContent
from sseclient_cli.sse.event_stream import Event

MAX_MISSING = 1_000
"""Missing numbers of one stream that are kept individually, to distinguish a late number from a duplicate. A longer gap
is kept as a range: if its numbers arrive after all, they count as duplicated. The same limit holds for late numbers
below the first one: further ones count as duplicated."""

MAX_RANGES = 1_000
"""Spans and longer gaps of one stream that are kept. Further ones count as missing and are not located."""

HIGHEST_FIRST = 1
"""The highest first number of a new numbering within a connection: counters begin at 0 or 1."""

LEAST_RUN = 16
"""A fall by less than this within a connection is no new numbering: a server that sends its first events twice does so
at once."""

LEAST_SUCCESSION = 3
"""After a fall within a connection, this many consecutive numbers prove a new numbering. Fewer may be one event that
was sent twice."""


@mergeable
@dataclass(slots=True)
class Faults(Merging):
    """The faults of one numbering."""

    jumps: int = summed()
    duplicated: int = summed()
    out_of_order: int = summed()
    conflicts: int = summed()
    """Duplicates with the number of the event before, but other content."""
    missing: set[int] = united()
    ranges: list[tuple[int, int]] = joined()
    """Longer gaps: the first number, and the one after the last."""
    unlocated: int = summed()
    """Missing numbers that are counted but not kept."""
    below: set[int] = united()
    """Late numbers below the first one."""
    ended: list[tuple[int, int]] = joined()
    """Numberings before the current one: the first number, and the one after the last."""
    restarts_within: int = summed()
    """New numberings within a connection."""
    resume_gaps: list[tuple[int, int]] = joined()
    """Numbers that a new connection skipped: the first number, and the one after the last."""
    resume_duplicated: int = summed()
    """Duplicates since the first reconnection."""
    foreign: int = summed()
    """Events since the first reconnection that precede the first event of the stream."""

    @property
    def count(self) -> int:
        """The number of steps that were not by one."""
        return self.jumps + self.duplicated + self.out_of_order

    @property
    def skipped(self) -> int:
        """The number of missing numbers in ``resume_gaps``, without those that arrived late."""
        singly = sum(first <= number < end for number in self.missing for first, end in self.resume_gaps)
        overlaps = (min(b, d) - max(a, c) for a, b in self.ranges for c, d in self.resume_gaps)
        return singly + sum(overlap for overlap in overlaps if overlap > 0)


@dataclass(slots=True)
class _Successor:
    """Numbers that are either a new numbering or events that are sent again."""

    numbering: Numbering
    faults_before: Faults | None
    """The faults of the old numbering before these numbers. Meanwhile, it counts the numbers as sent again."""
    is_within: bool
    """Whether it began within a connection."""

    @property
    def is_succession(self) -> bool:
        """Whether enough consecutive numbers have arrived."""
        return self.numbering.first is not None and self.numbering.expected - self.numbering.first >= LEAST_SUCCESSION


class Numbering:
    """One run of numbers. Its first number is the base: numbers before the stream opened are not lost."""

    __slots__ = ("_has_resumed", "_recent", "_resumed", "_successor", "expected", "faults", "first")

    def __init__(self, *, remembers: bool) -> None:
        self.first: int | None = None
        self.expected = -1
        """The next number in order. Valid once there is a first number."""
        self.faults: Faults | None = None
        self._resumed = False
        self._has_resumed = False
        self._recent = RecentContent() if remembers else None
        self._successor: _Successor | None = None

    def without_memory(self) -> Numbering:
        """Return a copy of this numbering that keeps no content."""
        self.settle()
        made = Numbering(remembers=False)
        made.first, made.expected, made._resumed = self.first, self.expected, self._resumed
        made._has_resumed = self._has_resumed
        made.faults = deepcopy(self.faults)
        return made

    @property
    def is_plain(self) -> bool:
        """Whether the next number in order only has to be counted."""
        return self._recent is None and self._successor is None

    @property
    def is_decided(self) -> bool:
        """Whether no number waits for a decision, so that ``settle`` changes nothing."""
        return self._successor is None

    def resume(self) -> None:
        """Treat the next number as the first of a new connection."""
        if self._successor is not None and self._successor.is_within:
            self.settle()
        if self._successor is not None:
            self._successor.numbering.resume()
        self._resumed = self.first is not None
        self._has_resumed = self._has_resumed or self._resumed

    def settle(self) -> None:
        """Decide now: a possible new numbering is one, if it follows a reconnection or is long enough.

        Its missing numbers are not counted, because they may have arrived before.
        """
        successor, self._successor = self._successor, None
        if successor is not None and (successor.is_succession or not successor.is_within):
            successor.numbering.faults = None
            self._replace_with(successor)

    def take(self, number: int, event: Event, earlier: Event | None) -> None:
        """Take a number. ``earlier`` is the event before, if it is kept."""
        if self._successor is not None:
            self._compare(self._successor, number, event)
        if self._successor is not None:
            self._take_late(number, event, earlier)
            self._successor.numbering.take(number, event, earlier)
            self._resumed = False
            return
        if self.first is None:
            self.first, self.expected = number, number + 1
        elif number == self.expected:
            self.expected = number + 1
        elif number > self.expected:
            self._jump(number)
        else:
            self._fall(number, event, earlier)
        self._resumed = False
        if self._recent is not None and self._successor is None:
            self._recent.note(number, event.data)

    def _jump(self, number: int) -> None:
        faults = self._noted()
        faults.jumps += 1
        if self._resumed and len(faults.resume_gaps) < MAX_RANGES:
            faults.resume_gaps.append((self.expected, number))
        # Keep the newest numbers of the gap individually: a late number is rarely late by much.
        far_end = max(self.expected, number - (MAX_MISSING - len(faults.missing)))
        faults.missing.update(range(far_end, number))
        if far_end > self.expected:
            if len(faults.ranges) < MAX_RANGES:
                faults.ranges.append((self.expected, far_end))
            else:
                faults.unlocated += far_end - self.expected
        self.expected = number + 1

    def _take_late(self, number: int, event: Event, earlier: Event | None) -> None:
        faults = self._noted()
        if number in faults.missing:
            faults.missing.remove(number)
            faults.out_of_order += 1
        elif self.first is not None and number < self.first and self._is_news(number):
            faults.out_of_order += 1  # a stream that begins in the wrong order
            faults.foreign += self._has_resumed
        else:
            faults.duplicated += 1
            faults.resume_duplicated += self._has_resumed
            is_next_to_its_twin = number == self.expected - 1 and earlier is not None
            faults.conflicts += is_next_to_its_twin and earlier != event

    def _fall(self, number: int, event: Event, earlier: Event | None) -> None:
        """Take a number below the expected one: late, sent again, or the first of a new numbering."""
        is_sent_again = self._is_sent_again(number, event)
        if is_sent_again:
            self._take_late(number, event, earlier)
            return
        is_within, following = not self._resumed, Numbering(remembers=self._recent is not None)
        following.take(number, event, earlier)
        if is_sent_again is None:
            self._successor = _Successor(following, deepcopy(self.faults), is_within)
            self._take_late(number, event, earlier)
        else:
            self._replace_with(_Successor(following, self.faults, is_within))

    def _is_sent_again(self, number: int, event: Event) -> bool | None:
        """Return whether a number below the expected one is of the old numbering; None if the next ones must decide."""
        if not self._resumed:
            is_first = number <= HIGHEST_FIRST and number + LEAST_RUN <= self.expected
            is_late = self.faults is not None and number in self.faults.missing
            return None if is_first and not is_late else True
        if self._recent is None:
            # Without the content, a number above the first one is assumed to be sent again, and a lower one to be new.
            return self.first is not None and number > self.first
        return self._recent.is_same(number, event.data)

    def _compare(self, successor: _Successor, number: int, event: Event) -> None:
        """Decide, if this number allows it, whether events are sent again or a new numbering has started."""
        is_same = None if self._recent is None else self._recent.is_same(number, event.data)
        is_one_event = successor.is_within and not successor.is_succession and number != successor.numbering.expected
        has_caught_up = is_same is None and number >= self.expected
        # If the content does not decide: a new numbering begins at or below the first number and gets here by steps.
        first, old_first = successor.numbering.first or 0, self.first or 0
        is_old = has_caught_up and (first > old_first or number != successor.numbering.expected)
        if is_same or is_one_event or is_old:
            self._successor = None
        elif is_same is False or has_caught_up or (self._recent is None and successor.is_succession):
            self._successor = None
            self._replace_with(successor)

    def _replace_with(self, successor: _Successor) -> None:
        numbering = successor.numbering
        self.faults = successor.faults_before
        faults = self._noted()
        if self.first is not None and len(faults.ended) < MAX_RANGES:
            faults.ended.append((self.first, self.expected))
        if numbering.faults is not None:
            faults.merge(numbering.faults)
        faults.restarts_within += successor.is_within
        self.first, self.expected, self._recent = numbering.first, numbering.expected, numbering._recent

    def _is_news(self, number: int) -> bool:
        """Return whether a number below the base arrives for the first time. Only MAX_MISSING of them are kept."""
        below = self._noted().below
        if number in below or len(below) >= MAX_MISSING:
            return False
        below.add(number)
        return True

    def _noted(self) -> Faults:
        if self.faults is None:
            self.faults = Faults()
        return self.faults

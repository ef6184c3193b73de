"""One run of sequence numbers as they come: what is missing, late, repeated, or begins anew.

Pure. ``audit.py`` says what the faults mean.

Where numbers fall back, either events are sent again or a new numbering has begun. The content of the first events may
not tell which, so both stay possible (``_Successor``) until it does, or the stream is over.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from sseclient_cli.measure.merging import Merging, joined, mergeable, summed, united
from sseclient_cli.measure.recent_content import RecentContent
from sseclient_cli.sse.event_stream import Event

MAX_MISSING = 1_000
"""How many missing numbers of one stream are remembered one by one, so that a late one can be told from a duplicate. A
longer gap is remembered as a range; should its numbers come after all, they count as duplicated. So do late numbers
below the first one, when so many have come."""

MAX_RANGES = 1_000
"""How many spans and longer gaps of one stream are remembered; further ones count as missing and are not located."""

HIGHEST_FIRST = 1
"""The highest number with which a numbering begins anew within a connection: counters begin at 0 or 1."""

LEAST_RUN = 16
"""So far a numbering must have come before it is taken to begin anew within a connection: a server that sends its first
events twice does so at once."""

LEAST_SUCCESSION = 3
"""So many numbers must follow each other from the first one on before a fall within a connection is a new numbering,
and not one event that came twice."""


@mergeable
@dataclass(slots=True)
class Faults(Merging):
    """What was not in order in one numbering."""

    jumps: int = summed()
    duplicated: int = summed()
    out_of_order: int = summed()
    conflicts: int = summed()
    """Of the duplicated ones, those with other content than the event before, which has the same number."""
    missing: set[int] = united()
    ranges: list[tuple[int, int]] = joined()
    """Longer gaps: first number, and the one after the last."""
    unlocated: int = summed()
    """Missing numbers beyond what is remembered."""
    below: set[int] = united()
    """Late numbers below the first one."""
    ended: list[tuple[int, int]] = joined()
    """Numberings that were over when a new one began: first number, and the one after the last."""
    restarts_within: int = summed()
    """How often a new one began within a connection."""

    @property
    def count(self) -> int:
        """How many steps were no step by one."""
        return self.jumps + self.duplicated + self.out_of_order


@dataclass(slots=True)
class _Successor:
    """Numbers that may be a new numbering, or events that are sent again."""

    numbering: Numbering
    faults_before: Faults | None
    """Of the old numbering, which counts the numbers as sent again for as long as that is possible."""
    is_within: bool
    """Whether it began within a connection."""

    @property
    def is_succession(self) -> bool:
        """Whether enough numbers have followed each other."""
        return self.numbering.first is not None and self.numbering.expected - self.numbering.first >= LEAST_SUCCESSION


class Numbering:
    """One run of numbers. Its first number is the base: what came before we listened is not lost."""

    __slots__ = ("_recent", "_resumed", "_successor", "expected", "faults", "first")

    def __init__(self, *, remembers: bool) -> None:
        self.first: int | None = None
        self.expected = -1
        """The number that comes next if all is well; no number is negative as long as there is no first one."""
        self.faults: Faults | None = None
        self._resumed = False
        self._recent = RecentContent() if remembers else None
        self._successor: _Successor | None = None

    def without_memory(self) -> Numbering:
        """Return a numbering that stands where this one does, and remembers no content."""
        self.settle()
        made = Numbering(remembers=False)
        made.first, made.expected, made._resumed = self.first, self.expected, self._resumed
        made.faults = deepcopy(self.faults)
        return made

    @property
    def is_plain(self) -> bool:
        """Whether the next number in order needs nothing but to be counted."""
        return self._recent is None and self._successor is None

    def resume(self) -> None:
        """Note that the next number is the first of a new connection."""
        if self._successor is not None and self._successor.is_within:
            self.settle()
        if self._successor is not None:
            self._successor.numbering.resume()
        self._resumed = self.first is not None

    def settle(self) -> None:
        """Decide with what is known, because nothing more will come: what may be a new numbering is one.

        What is missing in it is not counted, because that may have come before.
        """
        successor, self._successor = self._successor, None
        if successor is not None and (successor.is_succession or not successor.is_within):
            successor.numbering.faults = None
            self._begin_anew(successor)

    def take(self, number: int, event: Event, earlier: Event | None) -> None:
        """Take a number; ``earlier`` is the event before, where it is remembered."""
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
        # The newest one by one: a number that comes late has seldom waited for long.
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
        else:
            faults.duplicated += 1
            is_next_to_its_twin = number == self.expected - 1 and earlier is not None
            faults.conflicts += is_next_to_its_twin and earlier != event

    def _fall(self, number: int, event: Event, earlier: Event | None) -> None:
        """Take a number that is not above those before: late, sent again, or the first of a new numbering."""
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
            self._begin_anew(_Successor(following, self.faults, is_within))

    def _is_sent_again(self, number: int, event: Event) -> bool | None:
        """Return whether a number that has fallen belongs to the old numbering; None where the next ones must tell."""
        if not self._resumed:
            is_first = number <= HIGHEST_FIRST and number + LEAST_RUN <= self.expected
            is_late = self.faults is not None and number in self.faults.missing
            return None if is_first and not is_late else True
        if self._recent is None:
            # Without a memory a server that goes on below what it has sent is taken to repeat itself.
            return self.first is not None and number > self.first
        return self._recent.is_same(number, event.data)

    def _compare(self, successor: _Successor, number: int, event: Event) -> None:
        """Decide, if this number tells, whether events are sent again or a new numbering has begun."""
        is_same = None if self._recent is None else self._recent.is_same(number, event.data)
        is_one_event = successor.is_within and not successor.is_succession and number != successor.numbering.expected
        has_met = is_same is None and number >= self.expected
        # Where nothing tells them apart: a new numbering begins at or below the first number, and gets here by steps.
        first, old_first = successor.numbering.first or 0, self.first or 0
        is_old = has_met and (first > old_first or number != successor.numbering.expected)
        if is_same or is_one_event or is_old:
            self._successor = None
        elif is_same is False or has_met or (self._recent is None and successor.is_succession):
            self._successor = None
            self._begin_anew(successor)

    def _begin_anew(self, successor: _Successor) -> None:
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
        """Say whether a number below the base has not been there before; only so many are remembered."""
        below = self._noted().below
        if number in below or len(below) >= MAX_MISSING:
            return False
        below.add(number)
        return True

    def _noted(self) -> Faults:
        if self.faults is None:
            self.faults = Faults()
        return self.faults

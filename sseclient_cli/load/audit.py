"""Was every event of a stream received, once, and in order? Judged by a sequence number in the events.

Pure. One ``SequenceCheck`` per stream follows the numbers as they come; ``audit_totals.py`` adds up what the checks of
many streams found, and says what it means. A server may number the events of each type by themselves: as soon as a
stream has a second type, both readings are followed, and at the end the one with fewer faults counts.

What a fault proves depends on where the field comes from. A field that the user has named is a sequence, whatever it
holds. One that was found by itself is refuted by too many faults (``is_refuted``): a counter that many users share, and
a number of users, look like a sequence for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from sseclient_cli.load.field_search import Trust
from sseclient_cli.protocol.event_stream import Event

MAX_MISSING = 1_000
"""How many missing numbers of one stream are remembered one by one, so that a late one can be told from a duplicate. A
longer gap is remembered as a range; should its numbers come after all, they count as duplicated. So do late numbers
below the first one, when so many have come."""

MAX_RANGES = 1_000
"""How many spans and longer gaps of one stream are remembered; further ones count as missing and are not located."""

MAX_REMEMBERED_CHARS = 4_096
"""An event is remembered up to this size, to compare the next one with: thousands of streams remember one each."""

MAX_FAULTY_SHARE = 1 / 3
"""Faults among the events of a sequence that was found by itself. Two users who share a counter evenly make half of
the steps of each a fault; a stream that loses a third of its events is in trouble that needs no audit to be seen."""

MAX_CONFLICTING_SHARE = 0.05
"""Events with the number of the event before and other content: a sequence has none, short of a rare retransmission."""

LEAST_CHECKED = 4
"""Numbers that must have come before faults can refute."""

MAX_TYPES = 100
"""Types of one stream that are followed by themselves; the rest is followed as if it were one."""

RING = 64
"""How many of the latest numbers are remembered with their content, where streams reconnect: a power of two."""

_NOTHING = (-(2**63), 0)
"""A place of the ring that is empty: no number is as low."""


@dataclass(slots=True)
class Faults:
    """What was not in order in one numbering."""

    jumps: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    conflicts: int = 0
    """Of the duplicated ones, those with other content than the event before, which has the same number."""
    missing: set[int] = field(default_factory=set)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """Longer gaps: first number, and the one after the last."""
    unlocated: int = 0
    """Missing numbers beyond what is remembered."""
    below: set[int] = field(default_factory=set)
    """Late numbers below the first one."""
    ended: list[tuple[int, int]] = field(default_factory=list)
    """Numberings that were over when a new one began: first number, and the one after the last."""

    @property
    def count(self) -> int:
        """How many steps were no step by one."""
        return self.jumps + self.duplicated + self.out_of_order


class Numbering:
    """One run of numbers. Its first number is the base: what came before we listened is not lost."""

    __slots__ = ("_resumed", "_ring", "expected", "faults", "first")

    def __init__(self, *, remembers: bool) -> None:
        self.first: int | None = None
        self.expected = -1
        """The number that comes next if all is well; no number is negative as long as there is no first one."""
        self.faults: Faults | None = None
        self._resumed = False
        self._ring: list[tuple[int, int]] | None = [_NOTHING] * RING if remembers else None
        """The latest numbers with a hash of their content: they tell a replay from a new numbering."""

    @property
    def remembers(self) -> bool:
        """Whether the content of the latest numbers is remembered."""
        return self._ring is not None

    def resume(self) -> None:
        """Note that the next number is the first of a new connection."""
        self._resumed = self.first is not None

    def take(self, number: int, event: Event, earlier: Event | None) -> None:
        """Take a number; ``earlier`` is the event before, where it is remembered."""
        if self.first is None:
            self.first, self.expected = number, number + 1
        elif number == self.expected:
            self.expected = number + 1
        elif number > self.expected:
            self._jump(number)
        elif self._resumed and self._is_renumbered(number, event):
            self._begin_anew(number)
        else:
            self._take_late(number, event, earlier)
        self._resumed = False
        if self._ring is not None:
            self._ring[number % RING] = (number, hash(event.data))

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

    def _is_renumbered(self, number: int, event: Event) -> bool:
        """Say whether the first number of a new connection begins another numbering, or repeats what came before.

        A server that replays what came before sends the same content under the same number. Where that cannot be
        compared, a number at or below the very first one begins anew: a loss in between is then unknown, not zero.
        """
        content = self._content_of(number)
        if content is not None and content not in (self._content_of(number - 1), self._content_of(number + 1)):
            return content != hash(event.data)
        return self.first is None or number <= self.first

    def _content_of(self, number: int) -> int | None:
        """Return the hash of what came under a number; None if that is not remembered."""
        known, content = _NOTHING if self._ring is None else self._ring[number % RING]
        return content if known == number else None

    def _begin_anew(self, number: int) -> None:
        faults = self._noted()
        if self.first is not None and len(faults.ended) < MAX_RANGES:
            faults.ended.append((self.first, self.expected))
        self.first, self.expected = number, number + 1
        self._ring = None if self._ring is None else [_NOTHING] * RING

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


class SequenceCheck:
    """The check of one stream, over all its connections."""

    __slots__ = ("_by_type", "_earlier", "_is_simple", "_type", "carried", "checked", "trust", "whole")

    def __init__(self, trust: Trust | None = None, *, remembers: bool = False) -> None:
        """Begin; ``trust`` is None for a field that the user has named, ``remembers`` where streams reconnect."""
        self.trust = trust
        self.checked = 0
        self.carried = 0
        """Events with the id of the event before and other content: they have none of their own, or were sent twice."""
        self.whole = Numbering(remembers=remembers)
        self._by_type: dict[str, Numbering] | None = None
        self._type: str | None = None
        self._earlier: Event | None = None
        self._is_simple = False
        """Whether the next number in order needs nothing but to be counted."""

    @property
    def numberings(self) -> list[Numbering]:
        """The reading that has fewer faults: one numbering of all events, or one for each type."""
        if self._by_type is None:
            return [self.whole]
        of_types = list(self._by_type.values())
        return of_types if _faults_of(of_types) < _faults_of([self.whole]) else [self.whole]

    @property
    def is_refuted(self) -> bool:
        """Whether the faults say that this is no sequence; never where the user has said that it is one."""
        numberings = self.numberings
        faults = _faults_of(numberings)
        if self.trust is None or not faults:
            return False
        if self.trust is Trust.ONLY_WITHOUT_FAULT:
            return True
        conflicts = sum(numbering.faults.conflicts for numbering in numberings if numbering.faults is not None)
        if self.checked < LEAST_CHECKED:
            return conflicts > 0
        return faults > MAX_FAULTY_SHARE * self.checked or conflicts > max(1, MAX_CONFLICTING_SHARE * self.checked)

    @property
    def is_faultless(self) -> bool:
        """Whether there is nothing that could refute anything."""
        return self.whole.faults is None and self._by_type is None

    def resume(self) -> None:
        """Note that the stream has lost its connection, and that the next number is the first of a new one."""
        for numbering in (self.whole, *(self._by_type or {}).values()):
            numbering.resume()
        self._earlier = None
        self._is_simple = False

    def check(self, number: int, event: Event) -> bool:
        """Take the next event's number; return whether all has been in order so far.

        An event that comes late turns from lost to out of order.
        """
        if number == self.whole.expected and self._is_simple and event.type == self._type:
            self.checked += 1
            self.whole.expected = number + 1
            self._earlier = event if len(event.data) < MAX_REMEMBERED_CHARS else None
            return True
        if self._is_carried(event):
            self.carried += 1
        else:
            self.checked += 1
            self._take(number, event)
            self._earlier = event if len(event.data) < MAX_REMEMBERED_CHARS else None
        return self.is_faultless

    def _take(self, number: int, event: Event) -> None:
        if self._by_type is None and event.type != self._type:
            self._meet_type(event.type)
        if self._by_type is None:
            self.whole.take(number, event, self._earlier)
        else:
            self._take_by_type(number, event, self._by_type)
        self._is_simple = self._by_type is None and not self.whole.remembers

    def check_all(self, numbers: list[int], events: Sequence[Event], *, is_one_type: bool) -> None:
        """Take the numbers of several events."""
        whole, count = self.whole, len(numbers)
        expected = whole.expected
        is_simple = is_one_type and self._is_simple and events[0].type == self._type
        if is_simple and numbers == list(range(expected, expected + count)):
            self.checked += count
            whole.expected = expected + count
            self._earlier = events[-1] if len(events[-1].data) < MAX_REMEMBERED_CHARS else None
            return
        for number, event in zip(numbers, events, strict=True):
            self.check(number, event)

    def _is_carried(self, event: Event) -> bool:
        """Say whether an event has only the id of an earlier one, which it keeps where a block names none."""
        if self.trust is not Trust.EVENT_ID or self._earlier is None:
            return False
        return event.id == self._earlier.id and (event.type, event.data) != (self._earlier.type, self._earlier.data)

    def _meet_type(self, event_type: str) -> None:
        """Follow the types by themselves from the second one on: until then there was one, and one numbering."""
        if self._type is None:
            self._type = event_type
        else:
            self._by_type = {self._type: deepcopy(self.whole)}

    def _take_by_type(self, number: int, event: Event, by_type: dict[str, Numbering]) -> None:
        self.whole.take(number, event, self._earlier)
        name = event.type if event.type in by_type or len(by_type) < MAX_TYPES else ""
        numbering = by_type.get(name)
        if numbering is None:
            numbering = by_type[name] = Numbering(remembers=self.whole.remembers)
        is_neighbour = self._earlier is not None and self._earlier.type == event.type
        numbering.take(number, event, self._earlier if is_neighbour else None)


def _faults_of(numberings: Sequence[Numbering]) -> int:
    return sum(numbering.faults.count for numbering in numberings if numbering.faults is not None)

"""One run of sequence numbers as they come: what is missing, late, repeated, or begins anew.

Pure. ``audit.py`` says what the faults mean.
"""

from __future__ import annotations

from array import array
from copy import deepcopy
from dataclasses import dataclass, field

from sseclient_cli.protocol.event_stream import Event

MAX_MISSING = 1_000
"""How many missing numbers of one stream are remembered one by one, so that a late one can be told from a duplicate. A
longer gap is remembered as a range; should its numbers come after all, they count as duplicated. So do late numbers
below the first one, when so many have come."""

MAX_RANGES = 1_000
"""How many spans and longer gaps of one stream are remembered; further ones count as missing and are not located."""

RING = 64
"""How many of the latest numbers are remembered with their content, where streams reconnect: a power of two."""

_NO_NUMBER = -(2**63)
"""In a place of the ring that is empty: no number is as low."""


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
        self._ring = _empty_ring() if remembers else None
        """The latest numbers with a hash of their content: they tell a replay from a new numbering."""

    def without_memory(self) -> Numbering:
        """Return a numbering that stands where this one does, and remembers no content."""
        made = Numbering(remembers=False)
        made.first, made.expected, made._resumed = self.first, self.expected, self._resumed
        made.faults = deepcopy(self.faults)
        return made

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
            place = 2 * (number % RING)
            self._ring[place], self._ring[place + 1] = number, hash(event.data)

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
        place = 2 * (number % RING)
        return self._ring[place + 1] if self._ring is not None and self._ring[place] == number else None

    def _begin_anew(self, number: int) -> None:
        faults = self._noted()
        if self.first is not None and len(faults.ended) < MAX_RANGES:
            faults.ended.append((self.first, self.expected))
        self.first, self.expected = number, number + 1
        self._ring = None if self._ring is None else _empty_ring()

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


def _empty_ring() -> array[int]:
    """Return places for RING numbers, each followed by a hash of its content: 1 KiB."""
    return array("q", [_NO_NUMBER, 0] * RING)

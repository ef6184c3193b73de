"""Was every event of a stream received, once, and in order? Judged by a sequence number in the events.

Pure: one ``SequenceCheck`` per stream, all counting into one ``AuditCounts``.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_MISSING = 1_000
"""How many missing numbers of one stream are remembered, so that a late one can be told from a duplicate. A longer
gap counts as lost; should its numbers come after all, they count as duplicated. So do late numbers below the first one,
when so many have come."""


@dataclass(slots=True)
class AuditCounts:
    """What the checks of many streams found. ``checked`` events had a sequence number at all."""

    checked: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0

    def merge(self, other: AuditCounts) -> None:
        """Add the counts of another set of streams."""
        self.checked += other.checked
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.out_of_order += other.out_of_order


class SequenceCheck:
    """The check of one stream. Its first number is the base: what came before we listened is not lost."""

    __slots__ = ("_below_base", "_counts", "_expected", "_first", "_missing", "_resumed")

    def __init__(self, counts: AuditCounts) -> None:
        self._counts = counts
        self._first: int | None = None
        self._expected = 0
        self._missing: set[int] | None = None
        self._below_base: set[int] | None = None
        self._resumed = False

    def resume(self) -> None:
        """Note that the stream has lost its connection, and that the next number is the first of a new one.

        A server that goes on after the last event ID goes on in its numbers, and what it leaves out is lost. One that
        numbers each connection by itself begins where it began before, or below: that is a new base.
        """
        self._resumed = True

    def check(self, number: int) -> None:
        """Take the next event's number. An event that comes late turns from lost to out of order."""
        counts = self._counts
        counts.checked += 1
        if self._first is None or (self._resumed and number <= self._first):
            self._first, self._missing, self._below_base = number, None, None
            self._expected = number
        self._resumed = False
        expected = self._expected
        if number == expected:
            self._expected = number + 1
        elif number > expected:
            counts.lost += number - expected
            self._remember(expected, number)
            self._expected = number + 1
        elif self._missing and number in self._missing:
            self._missing.remove(number)
            counts.lost -= 1
            counts.out_of_order += 1
        elif number < self._first and self._is_news(number):
            counts.out_of_order += 1  # a stream that begins in the wrong order
        else:
            counts.duplicated += 1

    def check_all(self, numbers: list[int]) -> None:
        """Take the numbers of several events."""
        expected = self._expected
        if not self._resumed and self._first is not None and numbers == list(range(expected, expected + len(numbers))):
            self._counts.checked += len(numbers)
            self._expected = expected + len(numbers)
            return
        for number in numbers:
            self.check(number)

    def _is_news(self, number: int) -> bool:
        """Say whether a number below the base has not been there before; only so many are remembered."""
        seen = self._below_base = set() if self._below_base is None else self._below_base
        if number in seen or len(seen) >= MAX_MISSING:
            return False
        seen.add(number)
        return True

    def _remember(self, first: int, end: int) -> None:
        if self._missing is None:
            self._missing = set()
        room = MAX_MISSING - len(self._missing)
        self._missing.update(range(max(first, end - room), end))

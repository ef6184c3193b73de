"""Checks by sequence numbers whether a stream received every event, once and in order.

Pure. One ``SequenceCheck`` per stream follows the numbers as they arrive. ``audit_totals.py`` sums the checks of many
streams and judges them. A server may number the events of each type separately. As soon as a stream has a second type,
the check follows both interpretations; at the end, the one with fewer faults counts.

The meaning of a fault depends on the source of the field. A field that the user has named is always a
sequence. A detected field is refuted by too many faults (``is_refuted``): a counter that many users share, and a
number of users, look like a sequence for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.numbering import Numbering
from sseclient_cli.sse.event_stream import Event

MAX_REMEMBERED_CHARS = 4_096
"""An event up to this size is kept whole, for comparison with the next one: thousands of streams keep one each. In a
larger event, a hash replaces the data."""

MAX_FAULTY_SHARE = 1 / 3
"""More faults per event refute a detected sequence. If two users share a counter evenly, half of the steps of each are
faults. A stream that loses a third of its events has problems that are visible without an audit."""

MAX_CONFLICTING_SHARE = 0.05
"""More events with the number of the event before and other content refute a detected sequence: it has none, except for
a rare retransmission."""

LEAST_CHECKED = 4
"""With fewer numbers, only a conflict refutes a detected sequence."""

MAX_TYPES = 100
"""Event types of one stream with a numbering of their own; the rest share one numbering."""


class SequenceCheck:
    """The check of one stream, over all its connections."""

    __slots__ = ("_by_type", "_earlier", "_is_simple", "_reads_ids", "_type", "carried", "checked", "trust", "whole")

    def __init__(self, trust: Trust | None = None, *, reads_ids: bool = False, remembers: bool = False) -> None:
        """Create a check without events.

        ``trust`` is None for a field that the user has named. ``reads_ids``: the numbers are the events' ids.
        ``remembers``: keep the content of recent events, to recognize a replay after a reconnection.
        """
        self.trust = trust
        self._reads_ids = reads_ids or trust is Trust.EVENT_ID
        self.checked = 0
        self.carried = 0
        """Events with the id of the event before and other content: no id of their own, or the same id sent twice."""
        self.whole = Numbering(remembers=remembers)
        self._by_type: dict[str, Numbering] | None = None
        self._type: str | None = None
        self._earlier: Event | None = None
        self._is_simple = False
        """Whether the next number in order only has to be counted."""

    def settle(self) -> None:
        """Make the open decisions now, because no more events will arrive."""
        for numbering in (self.whole, *(self._by_type or {}).values()):
            numbering.settle()

    @property
    def numberings(self) -> list[Numbering]:
        """One numbering of all events, or one per type if types share numbers and this interpretation has fewer faults.

        Types that share no number are parts of one numbering: a number that is missing between a snapshot and the
        first update is lost.
        """
        of_types = list((self._by_type or {}).values())
        is_better = _faults_of(of_types) < _faults_of([self.whole])
        return of_types if of_types and is_better and _overlap(of_types) else [self.whole]

    @property
    def is_refuted(self) -> bool:
        """Whether the faults refute the sequence; never for a field that the user has named."""
        numberings = self.numberings
        faults = _faults_of(numberings)
        if self.trust is Trust.ONLY_WITHOUT_FAULT and (faults or self.is_renumbered):
            return True
        if self.trust is not None and any(each.faults and each.faults.restarts_within for each in numberings):
            return True  # a value that restarts within a connection counts something else: percentages, indices
        if self.trust is None or not faults:
            return False
        conflicts = sum(numbering.faults.conflicts for numbering in numberings if numbering.faults is not None)
        if self.checked < LEAST_CHECKED:
            return conflicts > 0
        return faults > MAX_FAULTY_SHARE * self.checked or conflicts > max(1, MAX_CONFLICTING_SHARE * self.checked)

    @property
    def is_renumbered(self) -> bool:
        """Whether a new numbering has started on this stream."""
        return any(numbering.faults is not None and numbering.faults.ended for numbering in self.numberings)

    @property
    def is_decided(self) -> bool:
        """Whether no number waits for a decision, so that ``settle`` changes nothing."""
        of_types = self._by_type
        return self.whole.is_decided and (of_types is None or all(each.is_decided for each in of_types.values()))

    @property
    def is_faultless(self) -> bool:
        """Whether all events are of one type and in order: then nothing can refute the sequence."""
        return self.whole.faults is None and self._by_type is None

    def resume(self) -> None:
        """Treat the next number as the first of a new connection."""
        for numbering in (self.whole, *(self._by_type or {}).values()):
            numbering.resume()
        self._earlier = None
        self._is_simple = False

    def check(self, number: int, event: Event) -> bool:
        """Check the number of the next event. Return ``is_faultless``.

        A late event changes from lost to out of order.
        """
        if number == self.whole.expected and self._is_simple and event.type == self._type:
            self.checked += 1
            self.whole.expected = number + 1
            self._earlier = event if len(event.data) < MAX_REMEMBERED_CHARS else _digest(event)
            return True
        if len(event.data) >= MAX_REMEMBERED_CHARS:
            event = _digest(event)
        if self._is_carried(event, number):
            self.carried += 1
        else:
            self.checked += 1
            self._take(number, event)
            self._earlier = event
        return self.is_faultless

    def _take(self, number: int, event: Event) -> None:
        if self._by_type is None and event.type != self._type:
            self._meet_type(event.type)
        if self._by_type is None:
            self.whole.take(number, event, self._earlier)
        else:
            self._take_by_type(number, event, self._by_type)
        self._is_simple = self._by_type is None and self.whole.is_plain

    def check_all(self, numbers: list[int], events: Sequence[Event], *, is_one_type: bool) -> None:
        """Check the numbers of several events."""
        whole, count = self.whole, len(numbers)
        expected = whole.expected
        is_simple = is_one_type and self._is_simple and events[0].type == self._type
        if is_simple and numbers == list(range(expected, expected + count)):
            self.checked += count
            whole.expected = expected + count
            self._earlier = events[-1] if len(events[-1].data) < MAX_REMEMBERED_CHARS else _digest(events[-1])
            return
        for number, event in zip(numbers, events, strict=True):
            self.check(number, event)

    def _is_carried(self, event: Event, number: int) -> bool:
        """Return whether an event only inherits the id of the event before: a block without an id keeps it.

        If each type has its own numbers, two types may reach the same number: such an event is not carried.
        """
        if not self._reads_ids or self._earlier is None or event.id != self._earlier.id:
            return False
        if (event.type, event.data) == (self._earlier.type, self._earlier.data):
            return False
        of_type = (self._by_type or {}).get(event.type)
        return of_type is None or of_type.expected != number

    def _meet_type(self, event_type: str) -> None:
        """Begin a numbering per type at the second type. Until then, one numbering is enough."""
        if self._type is None:
            self._type = event_type
        else:
            # Without the content of events, to save memory: there may be many types on many streams.
            self._by_type = {self._type: self.whole.without_memory()}

    def _take_by_type(self, number: int, event: Event, by_type: dict[str, Numbering]) -> None:
        self.whole.take(number, event, self._earlier)
        name = event.type if event.type in by_type or len(by_type) < MAX_TYPES else ""
        numbering = by_type.get(name)
        if numbering is None:
            numbering = by_type[name] = Numbering(remembers=False)
        is_neighbour = self._earlier is not None and self._earlier.type == event.type
        numbering.take(number, event, self._earlier if is_neighbour else None)


def _digest(event: Event) -> Event:
    """Return a large event with a hash instead of its data, for comparisons."""
    return event._replace(data=str(hash(event.data)))


def _overlap(numberings: Sequence[Numbering]) -> bool:
    """Return whether a number lies within two of these numberings."""
    spans = sorted((each.first, each.expected) for each in numberings if each.first is not None)
    return any(following < end for (_, end), (following, _) in pairwise(spans))


def _faults_of(numberings: Sequence[Numbering]) -> int:
    return sum(numbering.faults.count for numbering in numberings if numbering.faults is not None)

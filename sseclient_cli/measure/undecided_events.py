"""Events that wait until it is known which of their fields are the timestamp and the sequence number.

Pure. Nothing may be left out of an audit, so the first events of a stream wait for the decision, in their order; they
are measured when it falls. All streams of a worker share one budget of memory, and one of work: a stream that finds no
room waits without a search until another one has found fields that fit, or until its events have to go.
"""

from __future__ import annotations

from typing import NamedTuple

from sseclient_cli.measure.field_reader import FieldReader, KnownFields
from sseclient_cli.measure.field_search import FieldSearch, Now
from sseclient_cli.sse.event_stream import Event

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""What the events that wait may take in all streams of a worker together. Beyond it, streams go without a decision."""

EVENT_BYTES = 400
"""What an event that waits takes besides its text: the tuple, three strings, the arrival."""

MAX_SEARCHING = 200
"""Streams that search at the same time: 0.1 ms of work each, before others can take over what they find."""

MAX_WAITING_EVENTS = 200
"""Of one stream that waits for another's search."""


class Arrival(NamedTuple):
    """When something arrived (wall clock), and by how much earlier that may have been."""

    at_ns: int
    uncertainty_ns: int


class Read(NamedTuple):
    """The events of one read, whose last byte arrived at ``at_ns`` (wall clock).

    The arrivals of the last event and of the others are None where they are not known.
    """

    events: list[Event]
    at_ns: int
    of_last: Arrival | None
    of_others: Arrival | None
    is_burst: bool = False
    """Whether the events arrived together, and not only because the generator was late."""
    is_one_type: bool = False
    """Whether it is known that all events have one type."""


class UndecidedEvents:
    """What all streams of a worker share that have no reader yet."""

    def __init__(self, known: KnownFields) -> None:
        self.known = known
        self.searching = 0
        self.waiting_bytes = 0


class UndecidedStream:
    """The events of one stream that wait, and its search."""

    __slots__ = ("_bytes", "_events", "_search", "_undecided", "reads")

    def __init__(self, undecided: UndecidedEvents) -> None:
        self._undecided = undecided
        self._search: FieldSearch | None = None
        self._bytes = 0
        self._events = 0
        self.reads: list[Read | None] = []
        """What has come, in its order; None for a new connection."""

    def keep(self, read: Read, now: Now) -> FieldReader | None:
        """Keep a read, which arrived now; return what reads its events once that is known."""
        shared, events = self._undecided, read.events
        self.reads.append(read)
        self._events += len(events)
        added_bytes = sum(len(event.data) + len(event.id) + len(event.type) + EVENT_BYTES for event in events)
        self._bytes += added_bytes
        shared.waiting_bytes += added_bytes
        searched = 0 if self._search is None else self._search.events
        fitting = shared.known.fitting(events[-1], now, searched)
        if fitting is not None:
            return fitting
        offered = [read]
        if self._search is None and shared.searching < MAX_SEARCHING:
            shared.searching += 1
            self._search = shared.known.new_search()
            offered = [kept for kept in self.reads if kept is not None]
        if self._search is not None:
            for kept in offered:
                at = Now(kept.at_ns, kept.at_ns + now.server_ns - now.client_ns)
                for event in kept.events:
                    self._search.offer(event, at)
                    if self._search.is_over:
                        return self.settled()
        if shared.waiting_bytes > MAX_WAITING_BYTES or self._events > MAX_WAITING_EVENTS:
            return self.settled()
        return None

    def settled(self) -> FieldReader:
        """Return the reader of what has been found so far."""
        if self._search is None:
            return self._undecided.known.reader_of(None, None)
        return self._undecided.known.concluded(self._search)

    def release(self) -> None:
        """Give back what this stream takes of the shared budgets."""
        self._undecided.waiting_bytes -= self._bytes
        self._undecided.searching -= self._search is not None
        self._bytes, self._search = 0, None
        self.reads = []

"""Keeps the first events of a stream until its timestamp and sequence fields are known.

Pure. An audit must not skip events, so the first events of a stream wait in their order and are measured after the
decision. All streams of a worker share one budget of memory and one of work. If the budget of work is used up, a stream
waits without a search, until another stream has found fields that fit or its own events exceed a limit.
"""

from __future__ import annotations

from typing import NamedTuple

from sseclient_cli.measure.field_reader import FieldReader, KnownFields
from sseclient_cli.measure.field_search import FieldSearch, Now
from sseclient_cli.sse.event_stream import Event

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Memory for the waiting events of all streams of a worker. Above it, a stream takes the fields found so far."""

EVENT_BYTES = 400
"""Memory of a waiting event in addition to its text: the tuple, three strings, the arrival."""

MAX_SEARCHING = 200
"""Streams that search at the same time: 0.1 ms of work each, before others can use their results."""

MAX_WAITING_EVENTS = 200
"""Waiting events of one stream, if it waits for the search of another."""


class Arrival(NamedTuple):
    """An arrival time (corrected wall clock), and by how much earlier the arrival may have been."""

    at_ns: int
    uncertainty_ns: int


class Read(NamedTuple):
    """The events of one read. Its last byte arrived at ``at_ns`` (corrected wall clock).

    ``of_last`` is the arrival of the last event, ``of_others`` that of the others. None: the arrival is unknown.
    """

    events: list[Event]
    at_ns: int
    of_last: Arrival | None
    of_others: Arrival | None
    is_burst: bool = False
    """Whether the events really arrived together: the load generator was not late."""
    is_one_type: bool = False
    """Whether all events are known to have the same type."""


class UndecidedEvents:
    """The state that all streams of a worker without a reader share."""

    def __init__(self, known: KnownFields) -> None:
        self.known = known
        self.searching = 0
        self.waiting_bytes = 0


class UndecidedStream:
    """The waiting events of one stream, and its search."""

    __slots__ = ("_bytes", "_events", "_search", "_undecided", "reads")

    def __init__(self, undecided: UndecidedEvents) -> None:
        self._undecided = undecided
        self._search: FieldSearch | None = None
        self._bytes = 0
        self._events = 0
        self.reads: list[Read | None] = []
        """The waiting reads, in their order; None marks a new connection."""

    def keep(self, read: Read, now: Now) -> FieldReader | None:
        """Keep a read that arrived now. Return the reader of the stream if the decision is made, else None."""
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
        """Return the reader of the fields found so far."""
        if self._search is None:
            return self._undecided.known.reader_of(None, None)
        return self._undecided.known.concluded(self._search)

    def release(self) -> None:
        """Return this stream's share of the budgets."""
        self._undecided.waiting_bytes -= self._bytes
        self._undecided.searching -= self._search is not None
        self._bytes, self._search = 0, None
        self.reads = []

"""What the events of one stream say of themselves: when they were sent, and their number.

The fields are those that the plan names, or are found from the first events, which wait for that (``undecided.py``). A
sequence that its numbers refute is given up, and another one is looked for; so is, now and then, what was not found.
"""

from __future__ import annotations

import sys

from sseclient_cli.load.audit import SequenceCheck
from sseclient_cli.load.bench import Bench
from sseclient_cli.load.field_search import FieldSearch, Now, Trust, trust_of
from sseclient_cli.load.fields import FieldReader
from sseclient_cli.load.plan import Field
from sseclient_cli.load.undecided import Arrival, KeptRead, UndecidedStream
from sseclient_cli.protocol.event_stream import Event

LEAST_RATIO = 20
"""How many times its own uncertainty a duration is at least, or it is not recorded: it is right within 5 %."""

FIRST_LATER_SEARCH = 64
"""After so many events a stream that lacks a field looks again, and then each time that the number has doubled."""

DOUBT_EVERY = 16
"""A sequence is held against its faults each time that so many numbers have come: a loss at the start is no proof."""


class EventReading:
    """The reading of one stream, over all its connections."""

    __slots__ = (
        "_bench", "_check", "_doubts_at", "_events", "_later_search", "_reader", "_refuted", "_searches_at",
        "_undecided", "is_needed",
    )  # fmt: skip

    is_needed: bool
    """Whether there is anything to read in events, or to look for."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._check: SequenceCheck | None = None
        self._doubts_at = DOUBT_EVERY
        self._events = 0
        self._reader: FieldReader | None = None
        self._refuted: tuple[Field, ...] = ()
        self._later_search: FieldSearch | None = None
        self._searches_at = sys.maxsize
        self._undecided: UndecidedStream | None = None
        known = bench.undecided.known
        if known.decided is not None:
            self._take_reader(known.decided)
        else:
            self._undecided = UndecidedStream(bench.undecided)
        self.is_needed = known.decided is None or known.decided.needed

    def take(
        self,
        events: list[Event],
        at_ns: int,
        of_last: Arrival | None,
        of_others: Arrival | None,
        *,
        is_one_type: bool,
    ) -> None:
        """Take the events of a read whose last byte arrived then (wall clock).

        The arrivals of the last event and of the others are None where they are not known.
        """
        reader = self._reader
        self._events += len(events)
        if reader is None:
            self._wait(events, at_ns, of_last, of_others)
            return
        if reader.needed:
            if len(events) == 1:
                self._sample(events[0], reader, of_last)
            else:
                self._sample_all(events, reader, of_last, of_others, is_one_type=is_one_type)
        if self._events >= self._searches_at:
            self._search_again(events, at_ns)

    def resume(self) -> None:
        """Take the next event as the first of a new connection."""
        if self._undecided is not None:
            self._undecided.reads.append(None)
        elif self._check is not None:
            self._check.resume()

    def finish(self) -> None:
        """Add what the audit has found, once the stream is over."""
        if self._undecided is not None:
            self._decide(self._undecided.settled())
        self._end_check()

    # What events say.

    def _sample(self, event: Event, reader: FieldReader, arrival: Arrival | None) -> int | None:
        """Read what an event says of itself; return when it was sent, if that was read."""
        sent_ns, number = reader.read(event, with_timestamp=arrival is not None)
        if sent_ns is not None and arrival is not None:
            delivery_ns = arrival.at_ns - sent_ns
            if not arrival.uncertainty_ns or delivery_ns >= LEAST_RATIO * arrival.uncertainty_ns:
                self._bench.recorder.delivery.append(delivery_ns // 1000)
        if number is not None and self._check is not None and not self._check.check(number, event):
            self._doubt(self._check)
        return sent_ns

    def _sample_all(
        self,
        events: list[Event],
        reader: FieldReader,
        of_last: Arrival | None,
        of_others: Arrival | None,
        *,
        is_one_type: bool,
    ) -> None:
        """Read what the events of one read say of themselves."""
        if of_others is None:
            self._check_all(events[:-1], reader, is_one_type=is_one_type)
            self._sample(events[-1], reader, of_last)
            return
        sent_ns = [self._sample(event, reader, of_others) for event in events[:-1]]
        first_ns, last_ns = sent_ns[0] if sent_ns else None, self._sample(events[-1], reader, of_last)
        if first_ns is not None and last_ns is not None:
            # They arrived together: so long the first one was held back.
            self._bench.recorder.held_back.append((last_ns - first_ns) // 1000)

    def _check_all(self, events: list[Event], reader: FieldReader, *, is_one_type: bool) -> None:
        """Audit events whose arrivals are not known."""
        check = self._check
        if check is None:
            return
        numbers = reader.ids_as_numbers(events)
        if numbers is not None:
            check.check_all(numbers, events, is_one_type=is_one_type)
        else:
            for event in events:
                number = reader.read(event, with_timestamp=False)[1]
                if number is not None:
                    check.check(number, event)
        if not check.is_faultless:
            self._doubt(check)

    # What to read.

    def _wait(self, events: list[Event], at_ns: int, of_last: Arrival | None, of_others: Arrival | None) -> None:
        """Keep events until it is known what to read in them."""
        bench = self._bench
        if at_ns < bench.warm_wall_ns:
            of_last = of_others = None  # what came in the warm-up has no latency, however long it waits
        if self._undecided is not None:
            now = Now(at_ns, at_ns + bench.server_less_client_ns)
            reader = self._undecided.keep(KeptRead(events, of_last, of_others), now)
            if reader is not None:
                self._decide(reader)

    def _decide(self, reader: FieldReader) -> None:
        """Measure what has waited, now that it is known what to read in it."""
        undecided, self._undecided = self._undecided, None
        self._take_reader(reader)
        if undecided is None:
            return
        for read in undecided.reads:
            if read is None:
                self.resume()
            else:
                # What came first may refute a sequence that was found then.
                current = self._reader or reader
                self._sample_all(read.events, current, read.of_last, read.of_others, is_one_type=False)
        undecided.release()

    def _take_reader(self, reader: FieldReader) -> None:
        known = self._bench.undecided.known
        self._reader = reader
        reader.is_used = True
        if reader.sequence is not None and self._check is None:
            trust = trust_of(reader.sequence) if known.wants_sequence else None
            self._check = SequenceCheck(trust, remembers=self._bench.remembers)
            self._doubts_at = DOUBT_EVERY
        is_complete = known.is_complete(reader)
        self._searches_at = sys.maxsize if is_complete else max(FIRST_LATER_SEARCH, 2 * self._events)

    def _search_again(self, events: list[Event], at_ns: int) -> None:
        """Look for what this stream lacks, in events that do not wait for it."""
        known, reader = self._bench.undecided.known, self._reader
        if reader is None:
            return
        search = self._later_search
        if search is None:
            search = self._later_search = known.new_search(reader, self._refuted)
        now = Now(at_ns, at_ns + self._bench.server_less_client_ns)
        for event in events:
            search.offer(event, now)
            if search.is_over or search.timestamp or search.sequence:
                self._later_search = None
                self._take_reader(known.concluded(search, reader))
                break

    def _doubt(self, check: SequenceCheck) -> None:
        """Give a sequence up that its numbers refute, and look for another one."""
        if check.checked < self._doubts_at and check.trust is not Trust.ONLY_WITHOUT_FAULT:
            return
        self._doubts_at = check.checked + DOUBT_EVERY
        reader = self._reader
        if reader is None or reader.sequence is None or not check.is_refuted:
            return
        self._end_check()
        self._refuted = (*self._refuted, reader.sequence)
        self._reader = self._bench.undecided.known.reader_of(reader.timestamp, None)
        self._searches_at = self._events

    def _end_check(self) -> None:
        check, self._check = self._check, None
        if check is not None and self._reader is not None and self._reader.sequence is not None:
            self._bench.audit_of(self._reader.sequence, check.trust).add(check)

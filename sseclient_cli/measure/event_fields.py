"""What the events of one stream say of themselves: when they were sent, and their number.

The fields are those that the plan names, or are found from the first events, which wait for that (``undecided.py``). A
sequence that its numbers refute is given up, and another one is looked for; so is, now and then, what was not found.
"""

from __future__ import annotations

import sys

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.field_reader import FieldReader
from sseclient_cli.measure.field_search import FieldSearch, Now, Trust, trust_of
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.sequence_audit import SequenceCheck
from sseclient_cli.measure.undecided_events import Arrival, Read, UndecidedStream
from sseclient_cli.sse.event_stream import Event

LEAST_RATIO = 20
"""How many times its own uncertainty a duration is at least, or it is not recorded: it is right within 5 %."""

FIRST_LATER_SEARCH = 64
"""After so many events a stream that lacks a field looks again, and then each time that the number has doubled."""

DOUBT_EVERY = 16
"""A sequence is held against its faults each time that so many numbers have come: a loss at the start is no proof."""


class EventFields:
    """The reading of one stream, over all its connections."""

    __slots__ = (
        "_check",
        "_doubts_at",
        "_events",
        "_later_search",
        "_measurement",
        "_reader",
        "_refuted",
        "_searches_at",
        "_undecided",
        "is_needed",
    )  # fmt: skip

    is_needed: bool
    """Whether there is anything to read in events, or to look for."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._check: SequenceCheck | None = None
        self._doubts_at = DOUBT_EVERY
        self._events = 0
        self._reader: FieldReader | None = None
        self._refuted: tuple[Field, ...] = ()
        self._later_search: FieldSearch | None = None
        self._searches_at = sys.maxsize
        self._undecided: UndecidedStream | None = None
        known = measurement.undecided.known
        if known.decided is not None:
            self._take_reader(known.decided)
        else:
            self._undecided = UndecidedStream(measurement.undecided)
        self.is_needed = known.decided is None or known.decided.needed

    def take_one(self, event: Event, at_ns: int, arrival: Arrival | None) -> None:
        """Take the only event of a read; see ``take``. Most reads bring one."""
        reader = self._reader
        if reader is None or self._events >= self._searches_at:
            self.take(Read([event], at_ns, arrival, None))
            return
        self._events += 1
        if reader.needed:
            self._sample(event, reader, arrival)

    def take(self, read: Read) -> None:
        """Take the events of a read."""
        reader = self._reader
        self._events += len(read.events)
        if reader is None:
            self._wait(read)
            return
        if reader.needed:
            if len(read.events) == 1:
                self._sample(read.events[0], reader, read.of_last)
            else:
                self._sample_all(read, reader)
        if self._events >= self._searches_at:
            self._search_again(read)

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

    def _sample(self, event: Event, reader: FieldReader, arrival: Arrival | None) -> None:
        """Read what an event says of itself."""
        sent_ns, number = reader.read(event, with_timestamp=arrival is not None)
        if sent_ns is not None and arrival is not None:
            delivery_ns = arrival.at_ns - sent_ns
            if not arrival.uncertainty_ns or delivery_ns >= LEAST_RATIO * arrival.uncertainty_ns:
                self._measurement.samples.delivery.append(delivery_ns // 1000)
        if number is not None and self._check is not None and not self._check.check(number, event):
            self._doubt(self._check)

    def _sample_all(self, read: Read, reader: FieldReader) -> None:
        """Read what the events of one read say of themselves."""
        *others, last = read.events
        if read.of_others is not None:
            for event in others:
                self._sample(event, reader, read.of_others)
        else:
            self._check_all(others, reader, is_one_type=read.is_one_type)
        self._sample(last, reader, read.of_last)
        if read.is_burst and reader.timestamp is not None:
            first_ns, last_ns = (reader.read(event, with_timestamp=True)[0] for event in (read.events[0], last))
            if first_ns is not None and last_ns is not None:
                # They arrived together: so long the first one was held back.
                self._measurement.samples.held_back.append((last_ns - first_ns) // 1000)

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

    def _wait(self, read: Read) -> None:
        """Keep events until it is known what to read in them."""
        clock = self._measurement.clock
        if read.at_ns + clock.offset_ns < clock.warm_ns:
            # An event of the warm-up has no latency, however long it waits.
            read = read._replace(of_last=None, of_others=None, is_burst=False)
        if self._undecided is not None:
            reader = self._undecided.keep(read, self._now(read))
            if reader is not None:
                self._decide(reader)

    def _now(self, read: Read) -> Now:
        return Now(read.at_ns, read.at_ns + self._measurement.heads.server_less_client_ns)

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
                self._sample_all(read, self._reader or reader)
        undecided.release()

    def _take_reader(self, reader: FieldReader) -> None:
        known = self._measurement.undecided.known
        self._reader = reader
        reader.is_used = True
        if reader.sequence is not None and self._check is None:
            trust = trust_of(reader.sequence) if known.wants_sequence else None
            reads_ids = not reader.sequence.path
            self._check = SequenceCheck(trust, reads_ids=reads_ids, remembers=self._measurement.expects_replays)
            self._doubts_at = DOUBT_EVERY
        is_complete = known.is_complete(reader)
        self._searches_at = sys.maxsize if is_complete else max(FIRST_LATER_SEARCH, 2 * self._events)

    def _search_again(self, read: Read) -> None:
        """Look for what this stream lacks, in events that do not wait for it."""
        known, reader = self._measurement.undecided.known, self._reader
        if reader is None:
            return
        search = self._later_search
        if search is None:
            search = self._later_search = known.new_search(reader, self._refuted)
        for event in read.events:
            search.offer(event, self._now(read))
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
        self._reader = self._measurement.undecided.known.reader_of(reader.timestamp, None)
        self._searches_at = self._events

    def _end_check(self) -> None:
        check, self._check = self._check, None
        if check is not None and self._reader is not None and self._reader.sequence is not None:
            self._measurement.audit_of(self._reader.sequence, check.trust).add(check)

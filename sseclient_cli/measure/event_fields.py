"""Reads the timestamp and the sequence number of one stream's events, and records the results.

The plan names the fields, or they are detected from the first events, which wait for the decision
(``undecided_events.py``). A sequence that its numbers refute is dropped, and the search starts again. A field that was
not found is searched again later.
"""

from __future__ import annotations

import sys

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.field_reader import FieldReader
from sseclient_cli.measure.field_search import FieldSearch, Now, Trust, trust_of
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.sequence_audit import SequenceCheck
from sseclient_cli.measure.undecided_events import Arrival, Read, UndecidedStream
from sseclient_cli.sse.event_stream import Event

LEAST_RATIO = 20
"""A duration is recorded only if it is at least this many times its uncertainty: it is then correct within 5 %."""

FIRST_LATER_SEARCH = 64
"""After this number of events a stream that lacks a field searches again, and then whenever the number has doubled."""

UNKNOWN = (0, None)
"""The arrival of an event whose arrival is unknown, and its uncertainty."""

DOUBT_EVERY = 16
"""A faulty sequence is judged after every 16 numbers, not after each fault: a loss at the start proves nothing."""


class EventFields:
    """Reads the fields of one stream's events, over all its connections."""

    __slots__ = (
        "_check",
        "_doubts_at",
        "_events",
        "_later_search",
        "_measurement",
        "_reader",
        "_refuted",
        "_replay",
        "_searches_at",
        "_undecided",
        "is_needed",
    )  # fmt: skip

    is_needed: bool
    """Whether there is a field to read or to search."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._check: SequenceCheck | None = None
        self._doubts_at = DOUBT_EVERY
        self._events = 0
        self._reader: FieldReader | None = None
        self._refuted: tuple[Field, ...] = ()
        self._later_search: FieldSearch | None = None
        self._replay: tuple[int, int] | None = None
        """After a reconnection, until the first live event: the time of the request, and the next search."""
        self._searches_at = sys.maxsize
        self._undecided: UndecidedStream | None = None
        known = measurement.undecided.known
        if known.decided is not None:
            self._take_reader(known.decided)
        else:
            self._undecided = UndecidedStream(measurement.undecided)
        self.is_needed = known.decided is None or known.decided.needed

    def take_one(self, event: Event, at_ns: int, uncertainty_ns: int | None) -> None:
        """Take the only event of a read, as ``take`` does. Most reads have one event, so this is the fast path."""
        reader = self._reader
        if reader is None or self._events >= self._searches_at:
            arrival = None if uncertainty_ns is None else Arrival(at_ns, uncertainty_ns)
            self.take(Read([event], at_ns, arrival, None))
            return
        self._events += 1
        if reader.needed:
            self._sample(event, reader, at_ns, uncertainty_ns)

    def take(self, read: Read) -> None:
        """Take the events of a read."""
        reader = self._reader
        self._events += len(read.events)
        if reader is None:
            self._wait(read)
            return
        if self._replay is not None:
            self._count_replayed(read, reader, *self._replay)
        if reader.needed:
            if len(read.events) == 1:
                self._sample(read.events[0], reader, *(read.of_last or UNKNOWN))
            else:
                self._sample_all(read, reader)
        if self._events >= self._searches_at and self._replay is None:
            self._search_again(read)

    def resume(self) -> None:
        """Treat the next event as the first of a new connection."""
        if self._undecided is not None:
            self._undecided.reads.append(None)
        elif self._check is not None:
            self._check.resume()

    def reconnected(self, requested_ns: int) -> None:
        """Count the next events as replayed, as far as they were sent before ``requested_ns`` (wall clock)."""
        reader = self._reader
        if self._replay is None and reader is not None and reader.timestamp is not None:
            self._replay = requested_ns, self._searches_at
            self._searches_at = 0  # so that ``take_one`` calls ``take``

    def finish(self) -> None:
        """Add the results of the audit, once the stream is over."""
        if self._undecided is not None:
            self._decide(self._undecided.settled())
        self._end_check()

    def add_audit_to(self, audits: dict[str, FieldAudit]) -> None:
        """Add the audit so far of a stream that is not over. A check with an open decision is left out."""
        check, reader = self._check, self._reader
        if check is not None and reader is not None and reader.sequence is not None and check.is_decided:
            audits.setdefault(str(reader.sequence), FieldAudit(check.trust)).add(check)

    # Read the fields.

    def _sample(self, event: Event, reader: FieldReader, at_ns: int, uncertainty_ns: int | None) -> None:
        """Record the delivery latency of an event, and audit its sequence number."""
        sent_ns, number = reader.read(event, with_timestamp=uncertainty_ns is not None)
        if sent_ns is not None and uncertainty_ns is not None:
            delivery_ns = at_ns - sent_ns
            if not uncertainty_ns or delivery_ns >= LEAST_RATIO * uncertainty_ns:
                self._measurement.samples.delivery.append(delivery_ns // 1000)
        if number is not None and self._check is not None and not self._check.check(number, event):
            self._doubt(self._check)

    def _sample_all(self, read: Read, reader: FieldReader) -> None:
        """Record the delivery latencies of the events of one read, and audit their sequence numbers."""
        *others, last = read.events
        if read.of_others is not None:
            for event in others:
                self._sample(event, reader, *read.of_others)
        else:
            self._check_all(others, reader, is_one_type=read.is_one_type)
        self._sample(last, reader, *(read.of_last or UNKNOWN))
        if read.is_burst and reader.timestamp is not None:
            first_ns, last_ns = (reader.read(event, with_timestamp=True)[0] for event in (read.events[0], last))
            if first_ns is not None and last_ns is not None:
                # They arrived together, so the first one was held back for this time.
                self._measurement.samples.held_back.append((last_ns - first_ns) // 1000)

    def _check_all(self, events: list[Event], reader: FieldReader, *, is_one_type: bool) -> None:
        """Audit events whose arrivals are unknown."""
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

    def _count_replayed(self, read: Read, reader: FieldReader, requested_ns: int, searches_at: int) -> None:
        """Count the events before the first live one. Servers replay in order, before live events."""
        for event in read.events:
            sent_ns, _ = reader.read(event, with_timestamp=True)
            if sent_ns is not None and sent_ns >= requested_ns:
                self._replay, self._searches_at = None, self._searches_at or searches_at
                break
            self._measurement.samples.replayed += sent_ns is not None

    # Choose the fields.

    def _wait(self, read: Read) -> None:
        """Keep events until their fields are known."""
        clock = self._measurement.clock
        if read.at_ns + clock.correction_ns + clock.offset_ns < clock.warm_ns:
            # An event of the warm-up has no latency, even if the decision comes after the warm-up.
            read = read._replace(of_last=None, of_others=None, is_burst=False)
        if self._undecided is not None:
            reader = self._undecided.keep(read, self._now(read))
            if reader is not None:
                self._decide(reader)

    def _now(self, read: Read) -> Now:
        return Now(read.at_ns, read.at_ns + self._measurement.heads.server_less_client_ns)

    def _decide(self, reader: FieldReader) -> None:
        """Measure the events that have waited, now that their fields are known."""
        undecided, self._undecided = self._undecided, None
        self._take_reader(reader)
        if undecided is None:
            return
        for read in undecided.reads:
            if read is None:
                self.resume()
            else:
                # Earlier events of this loop may have refuted the sequence: then self._reader has changed.
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
        """Search the fields that this stream lacks. Its events do not wait for the result."""
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
        """Drop the sequence if its numbers refute it, and search for another one."""
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

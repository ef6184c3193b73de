"""What is read in the events of a stream: its timestamp and its sequence number, each from a field that is known.

Pure. Streams that have the same fields share one ``FieldReader``. ``KnownFields`` holds the readers of a worker: a new
stream whose event has what a reader reads takes that one, and searches only where none fits (``undecided.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sseclient_cli.measure.field_choice import Choice, Field, FieldChoice
from sseclient_cli.measure.field_search import MAX_CLOCK_DISTANCE_NS, FieldSearch, Now
from sseclient_cli.measure.field_values import json_value, sequence_number, timestamp_ns, value_at
from sseclient_cli.sse.event_stream import Event

AGREEING_STREAMS = 3
"""So many streams must have searched in vain for a field before others search less: one odd stream decides nothing."""

LEAST_SEARCHED_EVENTS = 8
"""What a stream looks at by itself all the same: a first event may be of another kind (``data: connected``)."""

MAX_FUTURE_FIELDS = 10
"""More is no help to a person who looks for the right one."""

MAX_READERS = 200
"""Of so many pairs of fields, readers are kept for other streams: a server could invent new ones without end."""


MAX_TRIED = 8
"""So many readers, those of most streams, are tried on an event: each decodes it."""


class FieldReader:
    """Reads the timestamp and the sequence number of an event; None for a field is nothing to read."""

    __slots__ = (
        "_callers_id",
        "_sequence_path",
        "_timestamp_path",
        "is_used",
        "needed",
        "sequence",
        "streams",
        "timestamp",
    )

    needed: bool
    """Whether there is anything to read."""

    def __init__(self, timestamp: Field | None, sequence: Field | None, callers_id: str = "") -> None:
        self.timestamp = timestamp
        self.sequence = sequence
        self._callers_id = callers_id
        """What the caller gave as Last-Event-ID: events have it until the server names an id, and it says nothing."""
        self._timestamp_path = None if timestamp is None else timestamp.path
        self._sequence_path = None if sequence is None else sequence.path
        self.needed = timestamp is not None or sequence is not None
        self.streams = 0
        """How many streams have found that these are their fields."""
        self.is_used = False
        """Whether some stream reads them."""

    def read(self, event: Event, *, with_timestamp: bool) -> tuple[int | None, int | None]:
        """Return the event's timestamp in ns, if wanted, and its sequence number; None where it has none."""
        data = None
        event_id = "" if event.id == self._callers_id else event.id
        if self._sequence_path or (with_timestamp and self._timestamp_path):
            data = json_value(event.data)
        sent_ns = number = None
        if with_timestamp and self._timestamp_path is not None:
            sent_ns = timestamp_ns(value_at(self._timestamp_path, data) if self._timestamp_path else event_id)
        if self._sequence_path is not None:
            number = sequence_number(value_at(self._sequence_path, data) if self._sequence_path else event_id)
        return sent_ns, number

    def ids_as_numbers(self, events: Sequence[Event]) -> list[int] | None:
        """Return the numbers of events whose ids are all whole numbers, in one go; None if that does not serve."""
        if self._sequence_path != () or self._callers_id:
            return None
        ids = [event.id for event in events]
        together = "".join(ids)
        if together.isdigit() and together.isascii() and max(map(len, ids)) < 19 and all(ids):
            return list(map(int, ids))
        return None

    def fits(self, event: Event, now: Now) -> bool:
        """Return whether an event that arrived now has all that is read here."""
        sent_ns, number = self.read(event, with_timestamp=True)
        if self.timestamp is not None and (
            sent_ns is None or now.is_before(sent_ns) or now.distance_ns(sent_ns) >= MAX_CLOCK_DISTANCE_NS
        ):
            return False
        return self.sequence is None or number is not None


class KnownFields:
    """The readers of a worker's streams."""

    def __init__(self, timestamp: FieldChoice, sequence: FieldChoice, callers_id: str = "") -> None:
        self.wants_timestamp = timestamp is Choice.AUTO
        self.wants_sequence = sequence is Choice.AUTO
        self.callers_id = callers_id
        self._named = (_named(timestamp), _named(sequence))
        self._readers: dict[tuple[Field | None, Field | None], FieldReader] = {}
        self.future: set[Field] = set()
        """Fields that would be the timestamp if they did not lie in the future."""
        is_open = self.wants_timestamp or self.wants_sequence
        self.decided: FieldReader | None = None if is_open else self.reader_of(None, None)
        """The reader of all streams, where the plan leaves nothing to be found."""

    def reader_of(self, timestamp: Field | None, sequence: Field | None) -> FieldReader:
        """Return what reads these fields, or those that the plan names."""
        named_timestamp, named_sequence = self._named
        key = (named_timestamp or timestamp, named_sequence or sequence)
        reader = self._readers.get(key)
        if reader is None:
            reader = FieldReader(*key, self.callers_id)
            if len(self._readers) < MAX_READERS:
                self._readers[key] = reader
        return reader

    def new_search(self, reader: FieldReader | None = None, refuted: Collection[Field] = ()) -> FieldSearch:
        """Return a search of one stream for what is wanted and not yet read."""
        return FieldSearch(
            wants_timestamp=self.wants_timestamp and (reader is None or reader.timestamp is None),
            wants_sequence=self.wants_sequence and (reader is None or reader.sequence is None),
            callers_id=self.callers_id,
            refuted=refuted,
        )

    def concluded(self, search: FieldSearch, reader: FieldReader | None = None) -> FieldReader:
        """Return the reader of what a stream's search has found, beside what the stream read before."""
        timestamp = search.timestamp if reader is None else reader.timestamp or search.timestamp
        sequence = search.sequence if reader is None else reader.sequence or search.sequence
        if timestamp is None and search.future is not None and len(self.future) < MAX_FUTURE_FIELDS:
            self.future.add(search.future)
        found = self.reader_of(timestamp, sequence)
        found.streams += search.is_over  # and not a stream that ended before
        return found

    def timestamps(self) -> set[str]:
        """Return the timestamp fields that streams read."""
        named = self._named[0]
        used = {reader.timestamp for reader in self._readers.values() if reader.is_used}
        return {str(place) for place in ({named} if named else used) if place is not None}

    def is_complete(self, reader: FieldReader) -> bool:
        """Return whether a reader has all that was wanted."""
        return not (
            (self.wants_timestamp and reader.timestamp is None) or (self.wants_sequence and reader.sequence is None)
        )

    def fitting(self, event: Event, now: Now, searched: int) -> FieldReader | None:
        """Return the reader of most streams that an event fits, after so many events of its stream; None without one.

        A reader that lacks what is wanted serves only after the stream has looked by itself, and others have agreed.
        """
        known = [reader for reader in self._readers.values() if reader.streams]
        by_streams = sorted(known, key=lambda reader: (not self.is_complete(reader), -reader.streams))
        for reader in by_streams[:MAX_TRIED]:
            is_agreed = reader.streams >= AGREEING_STREAMS and searched >= LEAST_SEARCHED_EVENTS
            if (self.is_complete(reader) or is_agreed) and reader.fits(event, now):
                return reader
        return None


def _named(choice: FieldChoice) -> Field | None:
    return choice if isinstance(choice, Field) else None

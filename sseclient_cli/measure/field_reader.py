"""Reads the timestamp and the sequence number of events from known fields.

Pure. Streams with the same fields share one ``FieldReader``. ``KnownFields`` holds the readers of a worker. A new
stream uses a reader whose fields its event has, and searches only if no reader fits (``undecided_events.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import itemgetter

from sseclient_cli.measure.field_choice import Choice, Field, FieldChoice
from sseclient_cli.measure.field_search import MAX_CLOCK_DISTANCE_NS, FieldSearch, Now
from sseclient_cli.measure.field_values import json_value, sequence_number, timestamp_ns, value_at
from sseclient_cli.sse.event_stream import Event

AGREEING_STREAMS = 3
"""Streams that must have searched a field without success before others search less: one odd stream proves nothing."""

LEAST_SEARCHED_EVENTS = 8
"""Events that a stream searches even then: a first event may be of another kind (``data: connected``)."""

MAX_FUTURE_FIELDS = 10
"""A longer list does not help a user to find the right field."""

MAX_READERS = 200
"""Maximum of readers that are kept for other streams: a server could invent new fields without end."""

MAX_TRIED = 8
"""Maximum of readers that are tried on an event, the most used first: each one decodes the event."""

_id_of = itemgetter(2)  # Event.id: an event is a named tuple


class FieldReader:
    """Reads the timestamp and the sequence number of an event. A field that is None is not read."""

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
    """Whether there is a field to read."""

    def __init__(self, timestamp: Field | None, sequence: Field | None, callers_id: str = "") -> None:
        self.timestamp = timestamp
        self.sequence = sequence
        self._callers_id = callers_id
        """The caller's Last-Event-ID: not the value of an event, but events inherit it until the server sends an id."""
        self._timestamp_path = None if timestamp is None else timestamp.path
        self._sequence_path = None if sequence is None else sequence.path
        self.needed = timestamp is not None or sequence is not None
        self.streams = 0
        """The number of streams that have detected these fields."""
        self.is_used = False
        """Whether a stream reads these fields."""

    def read(self, event: Event, *, with_timestamp: bool) -> tuple[int | None, int | None]:
        """Return the event's timestamp in ns, if ``with_timestamp``, and its sequence number; None if missing."""
        _, text, event_id, _ = event
        if event_id == self._callers_id:
            event_id = ""
        timestamp_path = self._timestamp_path if with_timestamp else None
        sequence_path = self._sequence_path
        data = json_value(text) if timestamp_path or sequence_path else None
        sent_ns = number = None
        if timestamp_path is not None:
            sent_ns = timestamp_ns(value_at(timestamp_path, data) if timestamp_path else event_id)
        if sequence_path is not None:
            number = sequence_number(value_at(sequence_path, data) if sequence_path else event_id)
        return sent_ns, number

    def ids_as_numbers(self, events: Sequence[Event]) -> list[int] | None:
        """Return the sequence numbers of events if all are ids of digits only; None if ``read`` is needed."""
        if self._sequence_path != () or self._callers_id:
            return None
        ids = list(map(_id_of, events))
        together = "".join(ids)
        if together.isdigit() and together.isascii() and max(map(len, ids)) < 19 and all(ids):
            return list(map(int, ids))
        return None

    def fits(self, event: Event, now: Now) -> bool:
        """Return whether an event that arrived now has all fields of this reader."""
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
        """Fields that were rejected as timestamps because their times lie in the future."""
        is_open = self.wants_timestamp or self.wants_sequence
        self.decided: FieldReader | None = None if is_open else self.reader_of(None, None)
        """The reader of all streams, if the plan leaves no field to detect."""

    def reader_of(self, timestamp: Field | None, sequence: Field | None) -> FieldReader:
        """Return the reader of these fields. A field that the plan names has precedence."""
        named_timestamp, named_sequence = self._named
        key = (named_timestamp or timestamp, named_sequence or sequence)
        reader = self._readers.get(key)
        if reader is None:
            reader = FieldReader(*key, self.callers_id)
            if len(self._readers) < MAX_READERS:
                self._readers[key] = reader
        return reader

    def new_search(self, reader: FieldReader | None = None, refuted: Collection[Field] = ()) -> FieldSearch:
        """Return a search in one stream for the wanted fields that its reader lacks."""
        return FieldSearch(
            wants_timestamp=self.wants_timestamp and (reader is None or reader.timestamp is None),
            wants_sequence=self.wants_sequence and (reader is None or reader.sequence is None),
            callers_id=self.callers_id,
            refuted=refuted,
        )

    def concluded(self, search: FieldSearch, reader: FieldReader | None = None) -> FieldReader:
        """Return the reader of the fields that a search has found, together with those that the stream read before."""
        timestamp = search.timestamp if reader is None else reader.timestamp or search.timestamp
        sequence = search.sequence if reader is None else reader.sequence or search.sequence
        if timestamp is None and search.future is not None and len(self.future) < MAX_FUTURE_FIELDS:
            self.future.add(search.future)
        found = self.reader_of(timestamp, sequence)
        found.streams += search.is_over  # a stream that ended during the search does not count
        return found

    def timestamps(self) -> set[str]:
        """Return the timestamp fields that streams read."""
        named = self._named[0]
        used = {reader.timestamp for reader in self._readers.values() if reader.is_used}
        return {str(place) for place in ({named} if named else used) if place is not None}

    def is_complete(self, reader: FieldReader) -> bool:
        """Return whether a reader has all wanted fields."""
        return not (
            (self.wants_timestamp and reader.timestamp is None) or (self.wants_sequence and reader.sequence is None)
        )

    def fitting(self, event: Event, now: Now, searched: int) -> FieldReader | None:
        """Return the most used reader that fits an event; None if there is none.

        ``searched`` is the number of events that the stream has searched. A reader that lacks a wanted field fits only
        after the stream has searched enough events, and enough other streams have found nothing more.
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

import json

import pytest

from sseclient_cli.measure.field_choice import Choice, Field
from sseclient_cli.measure.field_reader import AGREEING_STREAMS, LEAST_SEARCHED_EVENTS, FieldReader, KnownFields
from sseclient_cli.measure.field_search import FieldSearch, Now
from sseclient_cli.measure.field_values import sequence_number
from sseclient_cli.sse.event_stream import Event

NOW_NS = 1_790_000_000_123_456_789
NOW = Now(NOW_NS, NOW_NS)
TS, SEQ = Field(("ts",)), Field(("seq",))


def event(data: object, event_id: str = "") -> Event:
    return Event("message", data if isinstance(data, str) else json.dumps(data), event_id)


def test_ids_as_numbers_agrees_with_sequence_number() -> None:
    reader = FieldReader(None, Field())
    for ids in (["1", "2", "06"], ["1", ""], ["x"], ["٧"], ["+3"], ["1_0"], [" 4"], ["9" * 19], ["9" * 5000], ["-5"]):
        together = reader.ids_as_numbers([event("x", text) for text in ids])
        assert together is None or together == [sequence_number(text) for text in ids]
    assert reader.ids_as_numbers([event("x", "1"), event("y", "2")]) == [1, 2]
    assert FieldReader(None, SEQ).ids_as_numbers([event("x", "1")]) is None


def test_a_named_field_is_read_at_any_depth() -> None:
    reader = FieldReader(Field(("meta", "sent")), Field())
    assert reader.read(event({"meta": {"sent": NOW_NS}}, "12"), with_timestamp=True) == (NOW_NS, 12)
    assert reader.read(event({"meta": {"sent": NOW_NS}}, "12"), with_timestamp=False) == (None, 12)


@pytest.mark.parametrize("data", ["[1", "7", '"text"', '{"meta": 5}', '{"meta": {}}', "[" * 100_000])
def test_data_without_the_named_field_gives_none(data: str) -> None:
    reader = FieldReader(Field(("meta", "sent")), None)
    assert reader.read(event(data), with_timestamp=True) == (None, None)


def test_fields_named_by_the_plan_are_decided_from_the_start() -> None:
    assert KnownFields(Choice.NONE, Choice.NONE).decided is not None
    named = KnownFields(TS, Field()).decided
    assert named is not None
    assert (named.timestamp, named.sequence) == (TS, Field())
    assert KnownFields(Choice.AUTO, Field()).decided is None


def concluded(known: KnownFields, timestamp: Field | None, sequence: Field | None) -> FieldReader:
    """Return the reader of a stream whose search has found these fields."""
    search = FieldSearch(wants_timestamp=True, wants_sequence=True, timestamp=timestamp, sequence=sequence)
    search.events = 40
    return known.concluded(search)


def test_a_stream_uses_the_fields_of_another_if_its_event_has_them() -> None:
    known = KnownFields(Choice.AUTO, Choice.AUTO)
    assert known.fitting(event({"ts": NOW_NS, "seq": 1}), NOW, 0) is None
    reader = concluded(known, TS, SEQ)
    assert known.fitting(event({"ts": NOW_NS - 5, "seq": 9}), NOW, 0) is reader
    for other in (
        "connected",
        {"ts": NOW_NS},
        {"seq": 9},
        {"ts": NOW_NS + 3600 * 10**9, "seq": 9},
        {"ts": 5, "seq": 9},
    ):
        assert known.fitting(event(other), NOW, 0) is None


def test_one_stream_without_fields_does_not_decide_for_others() -> None:
    known = KnownFields(Choice.AUTO, Choice.AUTO)
    concluded(known, None, None)
    assert known.fitting(event("x"), NOW, LEAST_SEARCHED_EVENTS) is None
    for _ in range(AGREEING_STREAMS - 1):
        concluded(known, None, None)
    assert known.fitting(event("x"), NOW, LEAST_SEARCHED_EVENTS - 1) is None
    assert known.fitting(event("x"), NOW, LEAST_SEARCHED_EVENTS) is not None


def test_a_complete_reader_is_preferred_to_an_incomplete_one() -> None:
    known = KnownFields(Choice.AUTO, Choice.AUTO)
    for _ in range(2 * AGREEING_STREAMS):
        concluded(known, None, None)
    complete = concluded(known, TS, SEQ)
    assert known.fitting(event({"ts": NOW_NS, "seq": 1}), NOW, LEAST_SEARCHED_EVENTS) is complete

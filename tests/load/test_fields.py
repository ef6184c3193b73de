import json
from itertools import pairwise

import pytest

from sseclient_cli.load.fields import FieldReader, sequence_number, timestamp_ns
from sseclient_cli.load.plan import Choice, Field
from sseclient_cli.protocol.event_stream import Event

NOW_NS = 1_790_000_000_123_456_789


def event(data: object, event_id: str = "") -> Event:
    return Event("message", data if isinstance(data, str) else json.dumps(data), event_id)


def chosen(*events: Event) -> tuple[object, object]:
    """What is chosen when these follow each other on one stream, each in a read of its own."""
    reader = FieldReader(Choice.AUTO, Choice.AUTO)
    for earlier, later in pairwise(events):
        reader.offer_neighbours(earlier, later, NOW_NS)
        reader.offer_arrivals(earlier, later, NOW_NS)
    return reader.timestamp, reader.sequence


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        (1_790_000_000, 1_790_000_000 * 10**9),
        (1_790_000_000.25, 1_790_000_000_250_000_000),
        (1_790_000_000_123, 1_790_000_000_123_000_000),
        (1_790_000_000_123_456, 1_790_000_000_123_456_000),
        (NOW_NS, NOW_NS),
        ("1790000000123", 1_790_000_000_123_000_000),
        ("1790000000123-0", 1_790_000_000_123_000_000),
        ("2026-09-21T14:13:20.000001+00:00", 1_790_000_000_000_001_000),
        ("2026-09-21T14:13:20Z", 1_790_000_000_000_000_000),
    ],
    ids=repr,
)
def test_a_timestamps_unit_is_told_by_its_magnitude(value: object, ns: int) -> None:
    assert timestamp_ns(value) == ns


@pytest.mark.parametrize(
    "value", [None, True, "", "soon", "2026-09-21T14:13:20", -5, 0, 2**80, float("nan"), float("inf"), [1], "9" * 99]
)
def test_what_is_no_moment_is_none(value: object) -> None:
    assert timestamp_ns(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("007", 7), ("7-0", None), (7.0, None), (True, None), (10**30, None), ("٧", None)],
    ids=repr,
)
def test_a_sequence_number_is_a_whole_number_or_its_digits(value: object, number: int | None) -> None:
    assert sequence_number(value) == number


def test_auto_finds_a_changing_time_and_a_number_that_grows_by_one() -> None:
    events = [event({"price": 3.5, "n": 4 + k, "ts": NOW_NS + k}) for k in range(4)]
    assert chosen(*events) == (Field(("ts",)), Field(("n",)))
    assert chosen(*events[:3]) == (Choice.AUTO, Choice.AUTO)


def test_auto_finds_an_id_that_counts() -> None:
    assert chosen(*(event("x", str(k)) for k in range(8, 12))) == (Choice.AUTO, Field())


def test_auto_takes_no_count_that_grows_by_one_now_and_then() -> None:
    users = [41, 42, 57, 58, 59, 40, 41, 42, 90]
    assert chosen(*(event({"users": count}) for count in users))[1] is Choice.AUTO


def test_auto_finds_a_sequence_in_spite_of_losses() -> None:
    numbers = [1, 2, 4, 5, 7, 8, 9, 10]
    assert chosen(*(event({"n": number}) for number in numbers))[1] == Field(("n",))


def test_auto_takes_no_milliseconds_for_a_sequence() -> None:
    times = [NOW_NS // 10**6 + k for k in range(6)]
    assert chosen(*(event({"ts": time}) for time in times)) == (Field(("ts",)), Choice.AUTO)


def test_auto_takes_the_time_that_is_nearest_to_the_arrival() -> None:
    minute_ns = 60 * 10**9
    events = [event({"expires_at": NOW_NS + minute_ns + k, "ts": NOW_NS - 5 + k}) for k in range(4)]
    assert chosen(*events)[0] == Field(("ts",))


def test_auto_takes_no_time_that_stays_the_same() -> None:
    assert chosen(*[event({"created": NOW_NS})] * 6)[0] is Choice.AUTO


def test_auto_takes_no_whole_seconds() -> None:
    assert chosen(*(event({"created": NOW_NS // 10**9 + k}) for k in range(6)))[0] is Choice.AUTO


def test_auto_takes_no_time_of_another_day() -> None:
    day_ns = 86_400 * 10**9
    assert chosen(*(event({"ts": NOW_NS - day_ns + k}) for k in range(6)))[0] is Choice.AUTO


def test_auto_gives_up_after_thirty_pairs_of_events() -> None:
    reader = FieldReader(Choice.AUTO, Choice.AUTO)
    for _ in range(30):
        assert reader.undecided
        reader.offer_neighbours(event("a"), event("b"), NOW_NS)
        reader.offer_arrivals(event("a"), event("b"), NOW_NS)
    assert not reader.undecided
    assert not reader.needed


def test_the_numbers_of_many_events_are_those_of_each() -> None:
    odd_ids = ["1", "2", "", "x", "٧", "+3", "1_0", " 4", "9" * 18, "9" * 19, "9" * 5000, "-5", "06"]
    by_id, by_field = FieldReader(Choice.NONE, Field()), FieldReader(Choice.NONE, Field(("n",)))
    for ids in (odd_ids, ["1", "2", "06"]):
        events = [event({"n": text}, text) for text in ids]
        expected = [number for text in ids if (number := sequence_number(text)) is not None]
        assert by_id.numbers(events) == by_field.numbers(events) == expected
    assert FieldReader(Choice.NONE, Choice.NONE).numbers([event("x", "1")]) == []


def test_a_named_field_is_read_at_any_depth() -> None:
    reader = FieldReader(Field(("meta", "sent")), Field())
    assert reader.read(event({"meta": {"sent": NOW_NS}}, "12"), with_timestamp=True) == (NOW_NS, 12)
    assert reader.read(event({"meta": {"sent": NOW_NS}}, "12"), with_timestamp=False) == (None, 12)


@pytest.mark.parametrize("data", ["[1", "7", '"text"', '{"meta": 5}', '{"meta": {}}', "[" * 100_000])
def test_data_without_the_named_field_gives_nothing(data: str) -> None:
    reader = FieldReader(Field(("meta", "sent")), Choice.NONE)
    assert reader.read(event(data), with_timestamp=True) == (None, None)


def test_chunks_of_an_llm_have_neither() -> None:
    def chunk(token: str) -> Event:
        choices = [{"index": 0, "delta": {"content": token}, "finish_reason": None}]
        created = NOW_NS // 10**9
        return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": created, "choices": choices})

    assert chosen(*map(chunk, map(str, range(40)))) == (Choice.NONE, Choice.NONE)

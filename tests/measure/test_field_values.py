import json

import pytest

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.field_values import MAX_SCALARS, scalars, sequence_number, timestamp_ns
from sseclient_cli.sse.event_stream import Event

NOW_NS = 1_790_000_000_123_456_789


def event(data: object, event_id: str = "") -> Event:
    return Event("message", data if isinstance(data, str) else json.dumps(data), event_id)


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


def test_a_value_is_found_down_to_four_levels_of_json() -> None:
    data = {"push": {"pub": {"data": {"ts": 5, "deeper": {"n": 1}}}}, "seq": 7}
    assert scalars(event(data, "3")) == {Field(): "3", Field(("seq",)): 7, Field(("push", "pub", "data", "ts")): 5}


def test_an_id_that_the_caller_gave_is_not_the_events_own() -> None:
    assert scalars(event("x", "5"), callers_id="5") == {}


@pytest.mark.parametrize("data", ["[1, 2]", "7", '"text"', "null", "connected", "[" * 100_000, '{"a": ' * 100_000])
def test_data_that_is_no_json_object_has_no_places(data: str) -> None:
    assert scalars(event(data)) == {}


def test_an_event_of_any_size_is_looked_at_in_part() -> None:
    wide = {f"key {number}": number for number in range(10_000)}
    assert len(scalars(event(wide))) <= MAX_SCALARS
    assert len(scalars(event({"many": [wide] * 3, "nested": {str(n): wide for n in range(200)}}))) <= MAX_SCALARS
    assert scalars(event({"seq": 1, "pad": "x" * 100_000})) == {}
    assert scalars(event({"n" * 100: 1, "long": "9" * 100})) == {}

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
def test_the_magnitude_of_a_timestamp_determines_its_unit(value: object, ns: int) -> None:
    assert timestamp_ns(value) == ns


@pytest.mark.parametrize(
    "value", [None, True, "", "soon", "2026-09-21T14:13:20", -5, 0, 2**80, float("nan"), float("inf"), [1], "9" * 99]
)
def test_other_values_are_not_timestamps(value: object) -> None:
    assert timestamp_ns(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("007", 7), ("7-0", None), (7.0, None), (True, None), (10**30, None), ("٧", None)],
    ids=repr,
)
def test_a_sequence_number_is_an_integer_or_a_string_of_digits(value: object, number: int | None) -> None:
    assert sequence_number(value) == number


def test_values_are_listed_down_to_four_levels_of_json() -> None:
    data = {"push": {"pub": {"data": {"ts": 5, "deeper": {"n": 1}}}}, "seq": 7}
    assert scalars(event(data, "3")) == {Field(): "3", Field(("seq",)): 7, Field(("push", "pub", "data", "ts")): 5}


def test_an_id_inherited_from_the_caller_is_not_listed() -> None:
    assert scalars(event("x", "5"), callers_id="5") == {}


@pytest.mark.parametrize("data", ["[1, 2]", "7", '"text"', "null", "connected", "[" * 100_000, '{"a": ' * 100_000])
def test_data_other_than_a_json_object_has_no_values(data: str) -> None:
    assert scalars(event(data)) == {}


def test_the_number_and_size_of_listed_values_is_limited() -> None:
    wide = {f"key {number}": number for number in range(10_000)}
    assert len(scalars(event(wide))) <= MAX_SCALARS
    assert len(scalars(event({"many": [wide] * 3, "nested": {str(n): wide for n in range(200)}}))) <= MAX_SCALARS
    assert scalars(event({"seq": 1, "pad": "x" * 100_000})) == {}
    assert scalars(event({"n" * 100: 1, "long": "9" * 100})) == {}

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.field_choice import Choice, Field, parse_field_choice
from sseclient_cli.run.plan import Action, Moment, Plan, default_ramp_up_s

S = 1_000_000_000


def plan(connections: int = 4, duration_s: float = 10, ramp_up_s: float = 2, **more: Any) -> Plan:
    return Plan(connections=connections, duration_s=duration_s, ramp_up_s=ramp_up_s, **more)


def due(of: Plan) -> list[tuple[float, str, int]]:
    return [(moment.at_ns / S, moment.action.value, moment.slot) for moment in of.moments()]


def test_starts_are_spread_evenly_over_the_ramp_up() -> None:
    assert due(plan()) == [(0, "start", 0), (0.5, "start", 1), (1, "start", 2), (1.5, "start", 3)]


def test_all_streams_start_at_once_without_a_ramp_up() -> None:
    assert [at_s for at_s, _, _ in due(plan(ramp_up_s=0))] == [0, 0, 0, 0]


def test_each_slot_gets_a_new_stream_after_each_lifetime() -> None:
    assert due(plan(2, duration_s=5, ramp_up_s=1, lifetime_s=2)) == [
        (0, "start", 0), (0.5, "start", 1), (2, "start", 0), (2.5, "start", 1), (4, "start", 0), (4.5, "start", 1),
    ]  # fmt: skip


def test_streams_that_are_not_replaced_stop_after_their_lifetime() -> None:
    assert due(plan(2, duration_s=5, ramp_up_s=4, lifetime_s=1, refill=False)) == [
        (0, "start", 0), (1, "stop", 0), (2, "start", 1), (3, "stop", 1),
    ]  # fmt: skip


def test_storm_is_a_single_action_in_each_shard() -> None:
    whole = plan(storm_s=3)
    for index in range(2):
        assert [at_s for at_s, action, _ in due(whole.shard(index, 2)) if action == "storm"] == [3]


PLANS = st.builds(
    plan,
    connections=st.integers(1, 30),
    duration_s=st.floats(1, 20),
    ramp_up_s=st.floats(0, 1),
    lifetime_s=st.none() | st.floats(0.05, 30),
    refill=st.booleans(),
    storm_s=st.none() | st.floats(0.1, 0.9),
)


@given(PLANS, st.floats(0, 1))
def test_moments_are_ordered_within_the_run_and_planned_is_the_number_of_starts(some: Plan, share: float) -> None:
    some = dataclasses.replace(some, ramp_up_s=share * some.duration_s)
    moments = list(some.moments())
    assert [moment.at_ns for moment in moments] == sorted(moment.at_ns for moment in moments)
    assert all(0 <= moment.at_ns < some.duration_s * S for moment in moments)
    assert some.planned == sum(moment.action is Action.START for moment in moments)


@given(PLANS)
def test_number_of_open_streams_never_exceeds_most_open(some: Plan) -> None:
    slots: set[int] = set()
    for moment in some.moments():
        if moment.action is Action.START:
            slots.add(moment.slot)
        elif moment.action is Action.STOP:
            slots.discard(moment.slot)
        assert len(slots) <= some.most_open


def test_timeline_has_one_row_per_second_and_at_most_900_rows() -> None:
    lengths_s = {duration_s: plan(duration_s=duration_s, ramp_up_s=0).interval_s for duration_s in (1, 900, 901, 3600)}
    assert lengths_s == {1: 1, 900: 1, 901: 2, 3600: 4}


def test_open_model_has_the_arrivals_of_one_lifetime_open() -> None:
    some = plan(connections=1000, duration_s=10, ramp_up_s=10, lifetime_s=1.0, refill=False)
    # Plus one that has just started and one that is about to stop.
    assert some.most_open == 102
    assert dataclasses.replace(some, ramp_up_s=0).most_open == dataclasses.replace(some, refill=True).most_open == 1000


@given(PLANS, st.integers(1, 7))
def test_shards_of_a_plan_together_have_its_moments(some: Plan, workers: int) -> None:
    shards = [some.shard(index, workers) for index in range(workers)]

    def starts_and_stops(of: Plan) -> list[Moment]:
        return sorted(moment for moment in of.moments() if moment.action is not Action.STORM)

    together = sorted(moment for shard in shards for moment in starts_and_stops(shard))
    assert together == starts_and_stops(some)
    assert sum(shard.planned for shard in shards) == some.planned


def test_shards_can_be_divided_again() -> None:
    moments = [m for i in range(2) for j in range(2) for m in plan(8).shard(i, 2).shard(j, 2).moments()]
    assert sorted(moments) == sorted(plan(8).moments())


@pytest.mark.parametrize(
    "impossible",
    [
        {"connections": 0},
        {"duration_s": 0},
        {"duration_s": -1},
        {"ramp_up_s": 11},
        {"ramp_up_s": -1},
        {"warmup_s": 10},
        {"warmup_s": -1},
        {"storm_s": 0},
        {"storm_s": 10},
        {"lifetime_s": 0},
        {"events": 0},
    ],
    ids=str,
)
def test_impossible_plan_is_a_usage_error(impossible: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        plan(**impossible)  # type: ignore[arg-type] # any mixture


def test_default_ramp_up_opens_1000_streams_per_second_within_a_quarter_of_the_run() -> None:
    assert default_ramp_up_s(500, 10) == 0.5
    assert default_ramp_up_s(10_000, 10) == 2.5


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("auto", Choice.AUTO),
        ("none", Choice.NONE),
        ("id", Field()),
        ("ts", Field(("ts",))),
        ("data.ts", Field(("ts",))),
        ("meta.sent_at", Field(("meta", "sent_at"))),
    ],
)
def test_field_is_chosen_by_keyword_or_by_path(text: str, choice: object) -> None:
    assert parse_field_choice(text) == choice


@pytest.mark.parametrize("text", ["", ".", "a..b", "a b", "a.", "data."])
def test_invalid_field_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="not a field"):
        parse_field_choice(text)

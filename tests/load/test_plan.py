import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.load.plan import Choice, Field, Plan, default_ramp_up_s, parse_field_choice


def plan(connections: int = 4, duration_s: float = 10, ramp_up_s: float = 2) -> Plan:
    return Plan(connections=connections, duration_s=duration_s, ramp_up_s=ramp_up_s)


def test_starts_are_spread_evenly_over_the_ramp() -> None:
    assert list(plan().intended_starts_ns()) == [0, 500_000_000, 1_000_000_000, 1_500_000_000]


def test_without_a_ramp_all_start_at_once() -> None:
    assert list(plan(ramp_up_s=0).intended_starts_ns()) == [0, 0, 0, 0]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_shards_of_a_plan_together_have_its_starts(workers: int) -> None:
    whole = plan(connections=20)
    shards = [whole.shard(index, workers) for index in range(workers)]
    assert sorted(start for shard in shards for start in shard.intended_starts_ns()) == list(whole.intended_starts_ns())
    assert sum(shard.planned for shard in shards) == 20


def test_a_shard_of_a_shard_is_a_shard() -> None:
    starts = [s for i in range(2) for j in range(2) for s in plan(8).shard(i, 2).shard(j, 2).intended_starts_ns()]
    assert sorted(starts) == list(plan(8).intended_starts_ns())


@pytest.mark.parametrize(
    ("connections", "duration_s", "ramp_up_s"), [(0, 10, 0), (1, 0, 0), (1, -1, 0), (1, 10, 11), (1, 10, -1)]
)
def test_an_impossible_plan_is_a_usage_error(connections: int, duration_s: float, ramp_up_s: float) -> None:
    with pytest.raises(UsageError):
        plan(connections, duration_s, ramp_up_s)


def test_the_default_ramp_opens_a_thousand_a_second_but_never_takes_more_than_a_quarter() -> None:
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
def test_a_field_is_chosen_by_word_or_by_path(text: str, choice: object) -> None:
    assert parse_field_choice(text) == choice


@pytest.mark.parametrize("text", ["", ".", "a..b", "a b", "a.", "data."])
def test_what_is_no_field_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="not a field"):
        parse_field_choice(text)

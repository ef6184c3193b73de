"""Random arrivals: a Poisson process given its number of arrivals, the same for each worker."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.errors import UsageError
from sseclient_cli.run.arrivals import MAX_RANDOM_ARRIVALS, Arrivals, most_within, poisson_starts_ns
from sseclient_cli.run.plan import Action, Plan

S = 1_000_000_000


def poisson_plan(connections: int = 200, duration_s: float = 10, seed: int = 7, **more: Any) -> Plan:
    fields = {"ramp_up_s": duration_s, "refill": False, "arrivals": Arrivals.POISSON, "seed": seed, **more}
    return Plan(connections=connections, duration_s=duration_s, **fields)


def starts(plan: Plan) -> list[tuple[int, int]]:
    return [(moment.at_ns, moment.slot) for moment in plan.moments() if moment.action is Action.START]


def distance(values: Iterable[float], share_below: Callable[[float], float]) -> float:
    """The distance of Kolmogorov and Smirnov between the values and a distribution."""
    ordered = sorted(values)
    count = len(ordered)
    return max(
        max(share_below(value) - place / count, (place + 1) / count - share_below(value))
        for place, value in enumerate(ordered)
    )


@pytest.mark.parametrize("seed", range(5))
def test_gaps_are_exponential_and_do_not_depend_on_the_one_before(seed: int) -> None:
    count, over_ns = 5_000, 100 * S
    gaps = [after - before for before, after in pairwise(poisson_starts_ns(count, over_ns, seed))]
    mean = over_ns / count
    # A distance above 1.95 / sqrt(n) has a probability of 0.1 %; even gaps have one of 0.63.
    assert distance(gaps, lambda gap: 1 - math.exp(-gap / mean)) < 1.95 / math.sqrt(count)
    together = sum((one / mean - 1) * (other / mean - 1) for one, other in pairwise(gaps)) / count
    assert abs(together) < 4 / math.sqrt(count)


def test_the_number_of_starts_and_the_ramp_are_exact() -> None:
    times = [at_ns for at_ns, _ in starts(poisson_plan(connections=37, ramp_up_s=2.5))]
    assert len(times) == 37
    assert 0 <= times[0] <= times[-1] < 2.5 * S


def test_the_same_seed_repeats_the_schedule_and_another_one_does_not() -> None:
    assert starts(poisson_plan(seed=1)) == starts(poisson_plan(seed=1))
    assert starts(poisson_plan(seed=1)) != starts(poisson_plan(seed=2))


def test_a_seed_means_the_same_times_in_each_version_of_python() -> None:
    assert list(poisson_starts_ns(4, S, 42)) == [25_010_755, 223_210_738, 275_029_318, 639_426_798]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_workers_share_one_schedule(workers: int) -> None:
    plan = poisson_plan(lifetime_s=0.5)
    shards = [plan.shard(index, workers) for index in range(workers)]
    assert sorted(moment for shard in shards for moment in shard.moments()) == sorted(plan.moments())
    assert sum(shard.planned for shard in shards) == plan.planned == 200


@given(st.integers(1, 60), st.integers(0, 9), st.floats(0.05, 12), st.booleans(), st.floats(0, 10), st.floats(0.1, 9))
def test_moments_are_in_order_and_most_open_is_enough(
    connections: int, seed: int, lifetime_s: float, refill: bool, ramp_up_s: float, storm_s: float
) -> None:
    plan = poisson_plan(
        connections, seed=seed, lifetime_s=lifetime_s, refill=refill, ramp_up_s=ramp_up_s, storm_s=storm_s
    )
    moments = list(plan.moments())
    assert [moment.at_ns for moment in moments] == sorted(moment.at_ns for moment in moments)
    assert plan.planned == sum(moment.action is Action.START for moment in moments)
    slots: set[int] = set()
    for moment in moments:
        if moment.action is Action.START:
            slots.add(moment.slot)
        elif moment.action is Action.STOP:
            slots.discard(moment.slot)
        assert len(slots) <= plan.most_open


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(0, 20))
def test_most_within_a_span_is_that_of_each_span(times: list[int], span: int) -> None:
    times.sort()
    expected = max((sum(time - span <= other <= time for other in times) for time in times), default=0)
    # At equal times, only the last one has all others before it.
    assert most_within(times, span) == expected


@pytest.mark.parametrize(
    ("impossible", "argument"),
    [
        ({"seed": None}, "seed"),
        ({"arrivals": Arrivals.CONSTANT}, "seed"),
        ({"connections": MAX_RANDOM_ARRIVALS + 1}, "connections"),
    ],
)
def test_impossible_arrivals_are_a_usage_error(impossible: dict[str, Any], argument: str) -> None:
    with pytest.raises(UsageError, match=f"`{argument}`"):
        poisson_plan(**impossible)

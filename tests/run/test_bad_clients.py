"""The roles of a plan's slots: how many, which, and in which worker."""

from collections import Counter

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.run.bad_clients import BadClients, Share, default_bad_at_s
from sseclient_cli.run.plan import Action, Plan

FIVE_PERCENT = Share(5, is_percent=True)


def bad_plan(connections: int = 200, storm_s: float | None = None, at_s: float = 3.0, **shares: Share) -> Plan:
    bad = BadClients(at_s=at_s, shares=tuple((BadKind(kind), share) for kind, share in shares.items()))
    return Plan(connections=connections, duration_s=10, ramp_up_s=1, bad_clients=bad, storm_s=storm_s)


def test_a_share_is_exact_and_at_least_one_stream() -> None:
    plan = bad_plan(slow=FIVE_PERCENT, vanish=Share(3, is_percent=False), abrupt=Share(0.01, is_percent=True))
    assert Counter(plan.bad_slots.values()) == {BadKind.SLOW: 10, BadKind.VANISH: 3, BadKind.ABRUPT: 1}
    assert (plan.planned, plan.most_open) == (186, 200)


def test_good_streams_start_when_they_would_without_bad_clients() -> None:
    plan = bad_plan(slow=FIVE_PERCENT)
    usual = {moment.slot: moment.at_ns for moment in bad_plan().moments()}
    started = {moment.slot: moment.at_ns for moment in plan.moments() if moment.action is Action.START}
    assert started == {slot: at_ns for slot, at_ns in usual.items() if slot not in plan.bad_slots}
    assert {slot: plan.start_ns(slot) for slot in plan.bad_slots}.items() <= usual.items()


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7, 8])
def test_the_workers_have_all_bad_slots_once_and_about_equally(workers: int) -> None:
    plan = bad_plan(connections=2_000, slow=FIVE_PERCENT, half_request=FIVE_PERCENT)
    shards = [plan.shard(index, workers) for index in range(workers)]
    slots = [slot for shard in shards for slot in shard.bad_slots]
    assert sorted(slots) == sorted(plan.bad_slots)
    assert sum(shard.planned for shard in shards) == plan.planned == 1_800
    for shard in shards:
        for kind in (BadKind.SLOW, BadKind.HALF_REQUEST):
            count = list(shard.bad_slots.values()).count(kind)
            assert 0.5 < count * workers / 100 < 1.5


def test_the_roles_are_the_same_in_each_run() -> None:
    assert bad_plan(slow=FIVE_PERCENT).bad_slots == bad_plan(slow=FIVE_PERCENT).bad_slots


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"slow": Share(0, is_percent=True)}, "`slow` of 0%"),
        ({"vanish": Share(100, is_percent=True)}, "`vanish` of 100%"),
        ({"vanish": Share(200, is_percent=False)}, "`vanish` of 200 "),
        ({"slow": Share(60, is_percent=True), "abrupt": Share(40, is_percent=True)}, "no good stream"),
        ({"slow": FIVE_PERCENT, "at_s": 10.0}, "`bad_at_s`"),
        ({"slow": FIVE_PERCENT, "connections": 10**12}, "`connections`"),
        ({"slow": FIVE_PERCENT, "storm_s": 4.0}, "`storm_s`"),
    ],
)
def test_bad_clients_that_do_not_fit_are_an_error(plan: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        bad_plan(**plan)  # type: ignore[arg-type]


def test_clients_turn_bad_at_a_whole_second_after_the_ramp_up() -> None:
    assert default_bad_at_s(0.1, 10) == 3
    assert default_bad_at_s(2, 32) == 12
    assert default_bad_at_s(0, 1) == 0.333
    assert default_bad_at_s(1.2, 2) == 1.467

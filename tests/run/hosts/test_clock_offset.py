"""The offset of a host's clocks, from round trips on simulated clocks."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sseclient_cli.engine.clock import Reading
from sseclient_cli.run.hosts.clock_offset import ClockOffset, RoundTrip, clock_offset, drift
from sseclient_cli.units import NS_PER_S

WALL_LESS_MONOTONIC_NS = 1_700_000_000 * NS_PER_S
BOOTED_EARLIER_NS = 86_400 * NS_PER_S
AHEAD_NS = NS_PER_S // 4


def trip(at_ns: int, there_ns: int, back_ns: int, *, ahead_ns: int = AHEAD_NS, width_ns: int = 0) -> RoundTrip:
    """Return a trip that begins at ``at_ns``. The host booted a day earlier; its wall clock is ahead."""
    arrived_ns = at_ns + there_ns
    return RoundTrip(
        ours(at_ns),
        Reading(arrived_ns + BOOTED_EARLIER_NS, arrived_ns + WALL_LESS_MONOTONIC_NS + ahead_ns, width_ns),
        ours(arrived_ns + back_ns, width_ns=width_ns),
    )


def ours(at_ns: int, *, wall_less_monotonic_ns: int = WALL_LESS_MONOTONIC_NS, width_ns: int = 0) -> Reading:
    return Reading(at_ns, at_ns + wall_less_monotonic_ns, width_ns)


def test_equal_ways_give_both_offsets() -> None:
    assert clock_offset([trip(0, 1000, 1000)]) == ClockOffset(BOOTED_EARLIER_NS, AHEAD_NS, 1000)


@pytest.mark.parametrize(("there_ns", "back_ns"), [(0, 5_001), (5_001, 0), (1, 2), (400, 1_000)])
def test_unequal_ways_are_within_the_bound(there_ns: int, back_ns: int) -> None:
    found = clock_offset([trip(0, there_ns, back_ns)])
    assert abs(found.monotonic_ns - BOOTED_EARLIER_NS) <= found.bound_ns
    assert abs(found.wall_ns - AHEAD_NS) <= found.bound_ns
    assert found.bound_ns == (there_ns + back_ns + 1) // 2


def test_the_tightest_trip_wins() -> None:
    trips = [trip(0, 90_000, 10), trip(NS_PER_S, 30, 50), trip(2 * NS_PER_S, 10, 70_000)]
    assert clock_offset(trips) == ClockOffset(BOOTED_EARLIER_NS - 10, AHEAD_NS - 10, 40)


def test_the_widths_of_the_readings_are_in_the_bound() -> None:
    assert clock_offset([trip(0, 100, 100, width_ns=30)]).bound_ns == 100 + 30


def test_any_delays_are_within_the_bound() -> None:
    chance = random.Random(18)
    for _ in range(200):
        trips = [trip(n * NS_PER_S, chance.randrange(10**6), chance.randrange(10**6)) for n in range(8)]
        found = clock_offset(trips)
        assert found.bound_ns <= min((each.took_ns + 1) // 2 for each in trips)
        assert abs(found.monotonic_ns - BOOTED_EARLIER_NS) <= found.bound_ns
        assert abs(found.wall_ns - AHEAD_NS) <= found.bound_ns


def test_a_step_of_the_hosts_wall_clock_gives_the_offset_after_it() -> None:
    trips = [trip(0, 10, 10), trip(NS_PER_S, 500, 500, ahead_ns=-3 * NS_PER_S)]
    assert clock_offset(trips) == ClockOffset(BOOTED_EARLIER_NS, -3 * NS_PER_S, 10)


@pytest.mark.parametrize("stepped_during", [0, 1])
def test_a_step_of_our_wall_clock_gives_the_offset_after_it(stepped_during: int) -> None:
    trips = [trip(0, 10, 10), trip(NS_PER_S, 500, 500)]
    stepped = [stepped_at(each, NS_PER_S, during=number == stepped_during) for number, each in enumerate(trips)]
    kept: Sequence[RoundTrip] = trips[:stepped_during]
    assert clock_offset([*kept, *stepped[stepped_during:]]) == ClockOffset(BOOTED_EARLIER_NS, AHEAD_NS - NS_PER_S, 10)


def stepped_at(each: RoundTrip, step_ns: int, *, during: bool) -> RoundTrip:
    """Return a trip with our wall clock set forward before it, or during it."""
    sent = each.sent if during else each.sent._replace(wall_ns=each.sent.wall_ns + step_ns)
    return each._replace(sent=sent, received=each.received._replace(wall_ns=each.received.wall_ns + step_ns))


def test_drift_in_a_run_is_in_its_bound() -> None:
    found = drift(ClockOffset(1_000, 500, 20), ClockOffset(1_040, 540, 30))
    assert found == (40, 70)


def test_without_drift_the_larger_bound_holds_for_the_run() -> None:
    assert drift(ClockOffset(7, 8, 20), ClockOffset(7, 8, 30)).bound_ns == 30
    assert drift(ClockOffset(7, 8, 50), ClockOffset(7, 8, 30)).bound_ns == 50


def test_a_step_of_a_wall_clock_in_a_run_is_in_its_drift() -> None:
    assert drift(ClockOffset(0, 0, 20), ClockOffset(0, -NS_PER_S, 30)) == (-NS_PER_S, NS_PER_S + 30)

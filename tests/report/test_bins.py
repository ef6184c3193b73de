from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.report.bins import Bin, bins
from sseclient_cli.report.distributions import Latency


def latency(counts_us: dict[int, int]) -> Latency:
    histogram = Histogram()
    histogram.record(Counter(counts_us))
    found = Latency.of(histogram, "kernel")
    assert found is not None
    return found


def as_tuples(found: list[Bin]) -> list[tuple[float | None, float, int]]:
    return [(each.low_ms, each.high_ms, each.count) for each in found]


def test_bins_are_log_spaced_with_bounds_that_are_easy_to_read() -> None:
    found = bins(latency({70: 1, 150: 2, 700: 3, 3_000: 4, 12_000: 5}), 9)
    assert as_tuples(found) == [
        (0.05, 0.1, 1), (0.1, 0.2, 2), (0.2, 0.5, 0), (0.5, 1.0, 3), (1.0, 2.0, 0), (2.0, 5.0, 4), (5.0, 10.0, 0),
        (10.0, 20.0, 5),
    ]  # fmt: skip


def test_fewer_bins_are_wider() -> None:
    values = {70: 1, 150: 2, 700: 3, 3_000: 4, 12_000: 5}
    assert as_tuples(bins(latency(values), 4)) == [(0.01, 0.1, 1), (0.1, 1.0, 5), (1.0, 10.0, 4), (10.0, 100.0, 5)]


def test_a_value_on_a_bound_is_in_the_upper_bin() -> None:
    assert as_tuples(bins(latency({999: 1, 1_000: 1, 9_000: 1}), 3)) == [(0.3, 1.0, 1), (1.0, 3.0, 1), (3.0, 10.0, 1)]


def test_rare_extremes_share_a_wider_bin() -> None:
    values = dict.fromkeys(range(500, 1_500, 10), 100) | {30: 1, 5_000_000: 1}
    first, *_, last = bins(latency(values), 8)
    assert (first.low_ms, first.count) == (0.03, 1)
    assert last.count < 102
    assert (last.low_ms or 0) < 2
    assert last.high_ms >= 5_000


def test_latencies_that_differ_little_have_even_bins() -> None:
    values = dict.fromkeys(range(460_300, 539_700, 10), 1)
    found = bins(latency(values), 10)
    assert [(each.low_ms, each.high_ms) for each in found] == [(low, low + 10.0) for low in range(460, 540, 10)]
    assert all(each.count == pytest.approx(1000, rel=0.1) for each in found)


def test_even_bins_are_not_narrower_than_the_values_are_known() -> None:
    found = bins(latency(dict.fromkeys(range(499_000, 501_000), 1)), 10)
    assert [(each.low_ms, each.high_ms) for each in found] == [(495.0, 500.0), (500.0, 505.0)]


def test_negative_values_have_a_bin_of_their_own() -> None:
    first, *others = bins(latency({-50: 3, 20: 1, 90: 1}), 5)
    assert first == Bin(None, 0.0, 3)
    assert sum(each.count for each in others) == 2
    assert bins(latency({-50: 3}), 5) == [Bin(None, 0.0, 3)]


def test_a_latency_below_one_microsecond_is_in_a_bin_from_zero() -> None:
    first = bins(latency({0: 1, 500: 1}), 8)[0]
    assert (first.low_ms, first.count) == (0.0, 1)


@given(st.dictionaries(st.integers(-(10**6), 86_400_000_000), st.integers(1, 10**6), min_size=1), st.integers(3, 40))
def test_any_latency_fits_into_adjacent_bins_with_all_values(counts_us: dict[int, int], most: int) -> None:
    found = bins(latency(counts_us), most)
    assert 1 <= len(found) <= most
    assert sum(each.count for each in found) == sum(counts_us.values())
    at_least_0 = [each for each in found if each.low_ms is not None]
    for lower, upper in pairwise(at_least_0):
        assert lower.high_ms == upper.low_ms
    for each in at_least_0:
        exact = sum(
            n for us, n in counts_us.items() if us >= 0 and 1000 * (each.low_ms or 0) <= us < 1000 * each.high_ms
        )
        near = sum(
            n
            for us, n in counts_us.items()
            if us >= 0 and any(abs(us - 1000 * bound) <= 0.001 * us for bound in (each.low_ms or 0, each.high_ms))
        )
        assert abs(each.count - exact) <= near  # a bucket of the histogram is 0.1 % wide


@pytest.mark.parametrize("most", [3, 5, 10, 40])
def test_the_first_and_the_last_bin_are_not_empty(most: int) -> None:
    found = bins(latency({5: 1, 40: 7, 90_000_000: 2}), most)
    assert found[0].count
    assert found[-1].count

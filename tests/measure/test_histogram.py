import pickle
from collections import Counter

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.measure.histogram import HIGHEST_US, Histogram
from sseclient_cli.measure.rounding import percentile_us, rounded


def histogram(*values_us: int) -> Histogram:
    made = Histogram()
    made.record(Counter(values_us))
    return made


def test_minimum_mean_and_maximum_are_exact() -> None:
    made = histogram(3, 1_000_003, 77)
    assert (made.min_us, made.max_us, made.sum_us, made.count) == (3, 1_000_003, 1_000_083, 3)


def test_percentiles_are_correct_to_three_digits() -> None:
    made = histogram(*range(1, 10_001))
    found = made.percentiles_us([50, 99, 100])
    assert found == {50: pytest.approx(5000, rel=0.001), 99: pytest.approx(9900, rel=0.001), 100: 10_000}


def test_negative_values_are_never_clipped_to_zero() -> None:
    made = histogram(-500, -20, 10, 30)
    assert (made.min_us, made.negative, made.sum_us) == (-500, 2, -480)
    assert made.percentiles_us([50, 75, 100]) == {50: None, 75: 10, 100: 30}


def test_the_maximum_is_exact_beyond_the_range() -> None:
    made = histogram(1, HIGHEST_US * 2)
    assert made.max_us == HIGHEST_US * 2
    assert made.count == 2


def test_the_encoding_is_readable_by_other_hdr_histogram_tools() -> None:
    decoded = HdrHistogram.decode(histogram(5, 5, 900).encoded())
    assert decoded.get_total_count() == 3
    assert decoded.get_value_at_percentile(100) == 900


values = st.lists(st.integers(-100, 10**9), max_size=20)


@given(values, values, values)
def test_merging_is_associative_and_equals_recording_all(a: list[int], b: list[int], c: list[int]) -> None:
    left, right, tail, whole = histogram(*a), histogram(*a), histogram(*b), histogram(*a, *b, *c)
    left.merge(histogram(*b))
    left.merge(histogram(*c))
    tail.merge(histogram(*c))
    right.merge(tail)
    for merged in (left, right):
        assert (merged.count, merged.sum_us, merged.negative) == (whole.count, whole.sum_us, whole.negative)
        assert (merged.min_us, merged.max_us) == (whole.min_us, whole.max_us)
        assert merged.encoded() == whole.encoded()


@given(st.lists(st.integers(-1000, 10**6), min_size=1, max_size=50), st.sampled_from([50, 90, 99, 100]))
def test_a_percentile_of_counts_is_the_value_at_that_rank(values_us: list[int], percentile: int) -> None:
    rank = max(-(-len(values_us) * percentile // 100), 1)
    assert percentile_us(Counter(values_us), percentile) == sorted(values_us)[rank - 1]


@given(st.lists(st.integers(-100, 2 * HIGHEST_US), max_size=30))
def test_a_pickled_histogram_equals_the_original(values_us: list[int]) -> None:
    sent = histogram(*values_us)
    received: Histogram = pickle.loads(pickle.dumps(sent))
    wanted = [0, 50, 90, 99, 99.99, 100]
    assert (received.count, received.sum_us, received.negative) == (sent.count, sent.sum_us, sent.negative)
    assert (received.min_us, received.max_us, received.encoded()) == (sent.min_us, sent.max_us, sent.encoded())
    if values_us:
        assert received.percentiles_us(wanted) == sent.percentiles_us(wanted)
    received.record(Counter(values_us))
    sent.record(Counter(values_us))
    assert received.encoded() == sent.encoded()


@given(st.lists(st.integers(-(10**6), 10**9), max_size=50))
def test_rounded_values_are_within_1_64_and_keep_their_count(values_us: list[int]) -> None:
    found = rounded(Counter(values_us))
    assert found.total() == len(values_us)
    for value_us in values_us:
        assert min(abs(value_us - kept_us) for kept_us in found) <= abs(value_us) / 64


def test_rounded_values_are_few() -> None:
    assert len(rounded(Counter(range(1_000_000)))) < 1000


@given(st.lists(st.integers(0, HIGHEST_US), max_size=200))
def test_buckets_equal_those_of_an_hdr_histogram_that_records_each_value(all_us: list[int]) -> None:
    reference = HdrHistogram(1, HIGHEST_US, 3)
    for value_us in all_us:
        reference.record_value(value_us)
    assert histogram(*all_us).encoded() == reference.encode().decode()


def test_an_empty_histogram_takes_no_room_and_no_bytes() -> None:
    assert len(pickle.dumps(Histogram())) < 100
    assert Histogram().percentiles_us([50]) == {50: None}
    merged = histogram(5)
    merged.merge(Histogram())
    assert merged.encoded() == histogram(5).encoded()


def test_a_histogram_of_another_range_is_restored_into_ours() -> None:
    other = HdrHistogram(1, 3_600_000_000, 2)
    other.record_value(900)
    restored = Histogram.restored(other.encode().decode(), 1, 0, 900, 900, 900)
    restored.merge(histogram(900))
    assert restored.encoded() == histogram(900, 900).encoded()

from __future__ import annotations

import pytest

from sseclient_cli.measure.stream_statistics import MAX_TYPE_CHARS, MAX_TYPES, StreamStatistics
from sseclient_cli.sse.event import Event
from sseclient_cli.units import NS_PER_S

START_NS = 1_700_000_000 * NS_PER_S


def at(seconds: float) -> int:
    return START_NS + round(seconds * NS_PER_S)


def event(seconds: float, name: str = "message", data: str = "x", event_id: str = "") -> Event:
    return Event(name, data, event_id, at(seconds))


def test_a_stream_without_anything_has_no_figures() -> None:
    summary = StreamStatistics().summary(at(5))
    assert (summary.events, summary.types, summary.connections, summary.duration_s) == (0, (), 0, 0)
    assert (summary.gaps, summary.longest_silence_s, summary.events_per_s) == (None, None, None)


def test_events_are_counted_by_type_with_the_most_frequent_first() -> None:
    statistics = StreamStatistics()
    for second, name in enumerate(("a", "b", "b", "c", "b", "c")):
        statistics.event(event(second, name))
    summary = statistics.summary(at(10))
    assert summary.types == (("b", 3), ("c", 2), ("a", 1))
    assert (summary.events, summary.events_per_s) == (6, 0.6)


def test_a_gap_is_between_events_and_a_silence_ends_with_any_sign_of_life() -> None:
    statistics = StreamStatistics()
    statistics.opened(at(0))
    statistics.event(event(1))
    for second in (10, 20, 30):
        statistics.comment(at(second))
    assert statistics.comments_since_event == 3
    statistics.event(event(39))
    assert statistics.comments_since_event == 0
    summary = statistics.summary(at(40))
    assert summary.gaps is not None
    assert (summary.gaps.longest_us, summary.longest_silence_s, summary.comments) == (38_000_000, 10, 3)


def test_the_end_of_the_run_ends_a_silence() -> None:
    statistics = StreamStatistics()
    statistics.opened(at(0))
    assert statistics.summary(at(7)).longest_silence_s == 7


def test_one_event_has_no_gap() -> None:
    statistics = StreamStatistics()
    statistics.event(event(1))
    assert statistics.summary(at(2)).gaps is None


def test_percentiles_of_gaps_are_at_most_a_64th_too_low() -> None:
    statistics = StreamStatistics()
    now_s = 0.0
    for step_ms in range(1000):
        now_s += step_ms / 1000
        statistics.event(event(now_s))
    gaps = statistics.summary(at(now_s)).gaps
    assert gaps is not None
    assert gaps.p50_us == pytest.approx(500_000, rel=1 / 64)
    assert gaps.p99_us == pytest.approx(990_000, rel=1 / 64)
    assert gaps.longest_us == 999_000


def test_a_clock_that_is_set_back_makes_no_negative_gap() -> None:
    statistics = StreamStatistics()
    statistics.event(event(10))
    statistics.event(event(5))
    gaps = statistics.summary(at(5)).gaps
    assert gaps is not None
    assert (gaps.p50_us, gaps.longest_us) == (0, 0)


def test_bytes_are_those_of_utf_8() -> None:
    statistics = StreamStatistics()
    statistics.event(event(1, data="aé€😀"))
    assert statistics.summary(at(1)).data_bytes == 10


def test_reconnections_and_the_last_id_are_of_all_connections() -> None:
    statistics = StreamStatistics()
    for second in (0, 5, 9):
        statistics.opened(at(second))
        statistics.event(event(second + 1, event_id=str(second)))
    summary = statistics.summary(at(11))
    assert (summary.connections, summary.reconnections, summary.last_event_id) == (3, 2, "9")


def test_events_that_are_not_selected_end_a_silence_and_are_in_no_other_figure() -> None:
    statistics = StreamStatistics()
    statistics.event(event(0))
    statistics.not_selected(event(5), 1)
    summary = statistics.summary(at(10))
    assert (summary.events, summary.events_not_selected, summary.longest_silence_s) == (1, 1, 5)


def test_a_new_type_with_each_event_does_not_fill_the_memory() -> None:
    statistics = StreamStatistics()
    for number in range(MAX_TYPES + 500):
        statistics.event(event(number, f"type-{number}"))
    summary = statistics.summary(at(0))
    assert (len(summary.types), summary.events_of_more_types, summary.events) == (MAX_TYPES, 500, MAX_TYPES + 500)


def test_a_long_type_is_counted_under_its_start() -> None:
    statistics = StreamStatistics()
    for name in ("x" * MAX_TYPE_CHARS, "x" * 1_000_000, "x" * 1_000_001):
        statistics.event(event(0, name))
    assert statistics.summary(at(0)).types == (("x" * MAX_TYPE_CHARS + "…", 2), ("x" * MAX_TYPE_CHARS, 1))

"""The figures of the live view: the last second, the whole run, saturation and losses."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from live_runs import audit, progress_at, run_until

from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.rounding import RoundedValues
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import Totals
from sseclient_cli.render.live.history import Percentiles, RunHistory, percentiles
from sseclient_cli.render.live.series import MAX_CELLS, Series, chart
from sseclient_cli.run.progress import Delay, Progress, Recent


def test_percentiles_are_nearest_ranks() -> None:
    values = RoundedValues()
    assert percentiles(values) is None
    values.record(Counter(range(1, 101)))
    assert percentiles(values) == Percentiles(50, 90, 99, 100)


def test_recent_percentiles_cover_the_last_second_and_overall_ones_the_run() -> None:
    history = RunHistory()
    for at_s, us in ((1.0, 10), (2.0, 20), (3.0, 30)):
        history.add(replace(progress_at(at_s), recent=Recent({Latency.GAP: Counter({us: 1})})))
    latest, overall = history.latest(Latency.GAP), history.overall(Latency.GAP)
    assert latest is not None
    assert overall is not None
    assert (latest.p50, latest.max, overall.p50) == (30, 30, 20)
    history.add(replace(progress_at(5), recent=Recent()))
    assert history.latest(Latency.GAP) is None


def test_latencies_of_the_warm_up_are_shown_but_not_kept() -> None:
    history = run_until(3, warm=False)
    assert history.latest(Latency.DELIVERY) is not None
    assert history.overall(Latency.DELIVERY) is None


@pytest.mark.parametrize(("read_delay_us", "cpu"), [(90, 61.0), (120_000, 61.0), (90, 99.0)])
def test_saturation_is_the_rule_of_the_report(read_delay_us: int, cpu: float) -> None:
    history = run_until(5, read_delay_us=read_delay_us, cpu_percent=cpu)
    totals = Totals(cpu_percent=[cpu])
    for _ in range(20):
        recent = progress_at(1, read_delay_us=read_delay_us).recent
        for delay in Delay:
            getattr(totals, delay.value).record(recent.delays[delay])
    assert history.reasons == saturation_reasons(totals)
    assert bool(history.reasons) == (read_delay_us > 90 or cpu > 90)


def test_a_busy_start_is_forgotten_as_in_the_report() -> None:
    history = run_until(1, read_delay_us=120_000)
    assert history.reasons
    for quarter in range(5, 2_000):
        history.add(progress_at(quarter / 4))
    assert not history.reasons


def checked(history: RunHistory, at_s: float, **settings: object) -> None:
    history.add(replace(progress_at(at_s), audits={"id": audit(**settings)}))  # type: ignore[arg-type]


def test_a_loss_is_shown_from_the_second_check_on() -> None:
    history = RunHistory()
    checked(history, 10, checked=200_000, missing=3)
    assert history.audit is not None
    assert history.audit.lost == 0
    checked(history, 11, checked=200_000, missing=3)
    assert history.audit.lost == 0  # no stream was checked again
    checked(history, 12, checked=240_000, missing=5)
    assert history.audit.lost == 3
    checked(history, 13, checked=280_000, missing=5)
    assert history.audit.lost == 5


def test_an_event_that_was_only_late_is_never_shown_as_lost() -> None:
    history = RunHistory()
    for at_s in range(10, 20):
        checked(history, at_s, checked=100_000 * at_s, missing=at_s % 2)
        assert history.audit is not None
        assert history.audit.lost == 0


def test_a_detected_sequence_needs_numbers_before_a_loss_is_shown() -> None:
    for trust, lost in ((Trust.EVENT_ID, 0), (None, 3)):
        history = RunHistory()
        for at_s in (10, 11, 12):
            checked(history, at_s, checked=4_000 * at_s // 10, missing=3, trust=trust)
        assert history.audit is not None
        assert history.audit.lost == lost


def test_numbers_that_most_streams_lack_are_not_shown_as_lost() -> None:
    history = RunHistory()
    for at_s in (10, 11, 12):
        checked(history, at_s, checked=100_000 * at_s, missing=3, streams=2)
    assert history.audit is not None
    assert history.audit.lost == 0


def test_without_an_audit_nothing_is_said() -> None:
    history = RunHistory()
    history.add(Progress(elapsed_s=1, duration_s=2, audits=None))
    assert history.audit is None


def test_cells_of_a_series_are_joined_when_it_is_full() -> None:
    series = Series()
    for quarter in range(4 * MAX_CELLS):
        series.add(quarter / 4, 1.0 if quarter < 2 * MAX_CELLS else 3.0)
    values = series.values(100)
    assert len(values) <= 100
    half = len(values) // 2
    assert (set(values[:half]), set(values[half:])) == ({1.0}, {3.0})


def test_a_series_covers_a_pause_with_the_next_value_and_has_none_before_its_first() -> None:
    series = Series()
    series.add(1.0, 5.0)
    series.add(2.0, 7.0)
    assert series.values(20) == [None] * 4 + [5.0] + [7.0] * 4


def test_a_series_of_maxima_keeps_the_peak() -> None:
    series = Series(of_maxima=True)
    for quarter in range(100):
        series.add(quarter / 4, 50.0 if quarter == 30 else 1.0)
    assert max(value for value in series.values(10) if value is not None) == 50.0


def test_a_chart_has_full_height_at_its_highest_value_and_no_bar_for_zero() -> None:
    assert chart([0, None, 1, 8, 16], 6, 1) == ["  ▁▄█ "]
    assert chart([0, 1, 8, 16], 4, 2) == ["   █", " ▁██"]
    assert chart([], 3, 1) == ["   "]

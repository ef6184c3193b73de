from collections import Counter
from dataclasses import replace

from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.progress import Progress, merged


def snapshot(*delivery_us: int, gap_us: tuple[int, ...] = ()) -> Progress:
    totals = Totals(planned=10, opened=8, open_now=7, failed=1, events=100)
    totals.count_error("http-503", "", 0)
    recent = {Latency.DELIVERY: Counter(delivery_us), Latency.GAP: Counter(gap_us)}
    return Progress.of(totals, elapsed_s=1.0, duration_s=10.0, events_per_s=50.0, recent=recent)


def test_percentiles_of_several_workers_are_those_of_all_their_values() -> None:
    shown = merged([snapshot(*[1000] * 98), snapshot(5000, 9000)])
    assert (shown.latency, shown.p50_ms, shown.p99_ms) == (Latency.DELIVERY, 1.0, 5.0)


def test_counters_of_several_workers_add_up() -> None:
    shown = merged([snapshot(), replace(snapshot(), elapsed_s=1.2)])
    assert (shown.planned, shown.opened, shown.open_now, shown.failed, shown.events) == (20, 16, 14, 2, 200)
    assert (shown.events_per_s, shown.elapsed_s, shown.duration_s) == (100.0, 1.2, 10.0)
    assert shown.errors == {"http-503": 2}


def test_one_workers_snapshot_is_the_whole() -> None:
    assert merged([snapshot(5, gap_us=(7,))]) == snapshot(5, gap_us=(7,))


def test_the_gap_is_shown_where_no_event_has_a_timestamp() -> None:
    shown = merged([snapshot(gap_us=(3000,)), snapshot(gap_us=(3000,))])
    assert (shown.latency, shown.p50_ms) == (Latency.GAP, 3.0)
    assert merged([snapshot(), snapshot()]).p50_ms is None

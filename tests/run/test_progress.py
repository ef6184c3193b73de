from collections import Counter
from dataclasses import replace

from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.progress import Progress, merged


def progress(*delivery_us: int, gap_us: tuple[int, ...] = ()) -> Progress:
    totals = Totals(planned=10, opened=8, open_now=7, failed=1, events=100)
    totals.count_error("http-503", "", 0)
    recent = {Latency.DELIVERY: Counter(delivery_us), Latency.GAP: Counter(gap_us)}
    return Progress.of(totals, elapsed_s=1.0, duration_s=10.0, events_per_s=50.0, recent=recent)


def test_merged_percentiles_are_those_of_all_values() -> None:
    total = merged([progress(*[1000] * 98), progress(5000, 9000)])
    assert (total.latency, total.p50_ms, total.p99_ms) == (Latency.DELIVERY, 1.0, 5.0)


def test_merged_counters_are_sums() -> None:
    total = merged([progress(), replace(progress(), elapsed_s=1.2)])
    assert (total.planned, total.opened, total.open_now, total.failed, total.events) == (20, 16, 14, 2, 200)
    assert (total.events_per_s, total.elapsed_s, total.duration_s) == (100.0, 1.2, 10.0)
    assert total.errors == {"http-503": 2}


def test_progress_of_a_single_worker_is_unchanged_by_merging() -> None:
    assert merged([progress(5, gap_us=(7,))]) == progress(5, gap_us=(7,))


def test_gap_is_reported_if_no_event_has_a_timestamp() -> None:
    total = merged([progress(gap_us=(3000,)), progress(gap_us=(3000,))])
    assert (total.latency, total.p50_ms) == (Latency.GAP, 3.0)
    assert merged([progress(), progress()]).p50_ms is None

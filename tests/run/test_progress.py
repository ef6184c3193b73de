from collections import Counter
from dataclasses import replace

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import ErrorCount, Totals
from sseclient_cli.run.progress import (
    MAX_AUDIT_ENTRIES,
    AnyLatency,
    Delay,
    Progress,
    Recent,
    WorkerProgress,
    merged,
    small_enough,
)


def progress(*delivery_us: int, gap_us: tuple[int, ...] = (), silent: int | None = 1) -> Progress:
    totals = Totals(planned=10, opened=8, open_now=7, failed=1, events=100, bytes=1_000, reconnected=2)
    totals.count_error("http-503", "busy", 0)
    latencies: dict[AnyLatency, Counter[int]] = {Latency.DELIVERY: Counter(delivery_us), Latency.GAP: Counter(gap_us)}
    return Progress.of(
        totals,
        elapsed_s=1.0,
        duration_s=10.0,
        opening=1,
        silent=silent,
        audits={"id": FieldAudit(None, checked=5, spanned=Counter({1: 1, 6: -1}))},
        workers=[WorkerProgress(open_now=7, events_per_s=50.0, bytes_per_s=500.0, cpu_percent=20.0)],
        recent=Recent(latencies, delays={Delay.READ: Counter(gap_us)}),
    )


def test_merged_values_are_those_of_all_workers() -> None:
    total = merged([progress(1000, gap_us=(7,)), progress(1000, 9000)])
    assert total.recent.latencies == {Latency.DELIVERY: {1000: 2, 9000: 1}, Latency.GAP: {7: 1}}
    assert total.recent.delays == {Delay.READ: {7: 1}}


def test_merged_counters_are_sums() -> None:
    total = merged([progress(), replace(progress(), elapsed_s=1.2)])
    assert (total.planned, total.opened, total.open_now, total.failed, total.events) == (20, 16, 14, 2, 200)
    assert (total.opening, total.silent, total.bytes, total.reconnected) == (2, 2, 2_000, 4)
    assert (total.events_per_s, total.bytes_per_s, total.elapsed_s, total.duration_s) == (100.0, 1_000.0, 1.2, 10.0)
    assert total.errors == {"http-503": ErrorCount(2, "busy")}
    assert total.cpu_percent == [20.0, 20.0]
    assert total.audits is not None
    assert (total.audits["id"].checked, total.audits["id"].spanned) == (10, {1: 2, 6: -2})


def test_merging_leaves_the_parts_unchanged() -> None:
    parts = [progress(5, gap_us=(7,)), progress(6)]
    merged(parts)
    assert parts == [progress(5, gap_us=(7,)), progress(6)]


def test_progress_of_a_single_worker_is_unchanged_by_merging() -> None:
    assert merged([progress(5, gap_us=(7,))]) == progress(5, gap_us=(7,))


def test_a_figure_that_one_worker_does_not_know_is_unknown() -> None:
    assert merged([progress(), progress(silent=None)]).silent is None
    assert merged([replace(progress(), audits=None), progress()]).audits is None


def test_progress_that_was_not_shown_keeps_its_recent_values() -> None:
    later = replace(progress(9), events=120)
    together = later.after(progress(5))
    assert (together.events, together.recent.latencies[Latency.DELIVERY]) == (120, {5: 1, 9: 1})
    assert together.shown().recent == Recent()


def test_every_counter_of_totals_that_progress_has_is_taken() -> None:
    totals = Totals(planned=3, lost=3, broken=3, completed=3, ended_by_server=3, reconnected=3)
    ended = Progress.of_ended(totals, elapsed_s=1, duration_s=2)
    assert (ended.planned, ended.lost, ended.broken, ended.completed) == (3, 3, 3, 3)
    assert (ended.ended_by_server, ended.reconnected) == (3, 3)
    assert (ended.silent, ended.opening, ended.events_per_s) == (0, 0, 0)


def test_an_audit_with_many_ranges_is_not_sent() -> None:
    ranges = Counter(dict.fromkeys(range(MAX_AUDIT_ENTRIES + 1), 1))
    assert small_enough({"id": FieldAudit(spanned=ranges)}) is None
    assert small_enough({"id": FieldAudit(spanned=Counter({1: 1}))}) is not None

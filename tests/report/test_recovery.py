"""Outages are recognized in the losses of all workers, and timed from the first loss."""

from __future__ import annotations

import socket
from typing import Any

from lost_streams import LostStreams
from report_json import built

from sseclient_cli.measure.recovery import RecoveryTotals, bin_ms_of
from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.report.figures import figure_named
from sseclient_cli.report.merge import merged
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import from_json, to_json
from sseclient_cli.report.recovery_model import Outage, Recovery
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan


def report_on(totals: RecoveryTotals, *, delivery_us: dict[int, dict[int, int]] | None = None, **plan: Any) -> Report:
    made = Plan(**{"connections": 100, "duration_s": 20, "ramp_up_s": 0, "on_end": OnEnd.RECONNECT, **plan})
    all_totals = Totals(planned=100, opened=100, duration_ns=20 * 10**9, recovery=totals)
    for row in range(20):
        all_totals.timeline[row] = Interval(events=1_000)
        all_totals.timeline[row].delivery.update((delivery_us or {}).get(row, {}))
    chain = (ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80))),)
    return built(made, chain, all_totals)


def recovery_of(streams: LostStreams, **plan: Any) -> Recovery:
    recovery = report_on(streams.totals, **plan).recovery
    assert recovery is not None
    return recovery


def outage_of(streams: LostStreams, **plan: Any) -> Outage:
    (outage,) = recovery_of(streams, **plan).described
    return outage


def restarted_server() -> LostStreams:
    """100 streams are lost at 5 s, refused at 6 s, and back from 8 s to 8.99 s, one each 10 ms."""
    streams = LostStreams(100)
    streams.cut(range(100), 5_000)
    streams.refused(range(100), 6_000)
    for slot in range(100):
        streams.opened(slot, 8_000 + 10 * slot)
    return streams


def test_times_are_counted_from_the_first_loss_and_rounded_up_to_a_bin() -> None:
    outage = outage_of(restarted_server())
    assert (outage.start_s, outage.open_before, outage.streams, outage.back) == (5.0, 100, 100, 100)
    assert (outage.outage_s, outage.refused_s) == (3.01, 1.0)
    assert (outage.back_p50_s, outage.back_p90_s, outage.back_p99_s, outage.back_all_s) == (3.5, 3.9, 3.99, 4.0)


def test_attempts_and_their_errors_are_counted() -> None:
    outage = outage_of(restarted_server())
    assert (outage.attempts, outage.attempts_per_s_max, outage.attempts_per_tenth_max) == (200, 100, 100)
    assert [(each.kind, each.count) for each in outage.failures] == [("connect-refused", 100)]


def test_the_curve_falls_to_nothing_and_ends_with_all_streams() -> None:
    curve = outage_of(restarted_server()).curve
    assert (curve[0].t_s, curve[0].back, curve[1].back, curve[-1].back) == (5.0, 1.0, 0.0, 1.0)
    assert [point.back for point in curve[1:]] == sorted(point.back for point in curve[1:])
    step_s = curve[1].t_s - curve[0].t_s
    assert round(sum(point.attempts_per_s for point in curve) * step_s) == 200


def test_streams_that_do_not_return_leave_the_time_until_all_are_back_unknown() -> None:
    streams = LostStreams(100)
    streams.cut(range(100), 5_000)
    streams.answered(range(10), 8_000, 502)
    streams.gave_up(range(10), 8_000)
    for slot in range(15, 100):
        streams.opened(slot, 8_000)
    report = report_on(streams.totals)
    assert report.recovery
    outage = report.recovery.described[0]
    assert (outage.gave_up, outage.waiting, report.recovery.not_back) == (10, 5, 15)
    assert (outage.back_p50_s, outage.back_p90_s, outage.back_all_s) == (3.01, None, None)
    assert figure_named("recovery.back_p50_s").value(report) == 3.01
    assert figure_named("recovery.back_p99").absence(report) == "not enough streams came back"
    assert [(each.status, each.streams, each.retried) for each in outage.refusals] == [(502, 10, False)]


def test_a_response_that_the_plan_retries_is_named_for_each_stream_once() -> None:
    streams = LostStreams(10)
    streams.cut(range(10), 5_000)
    for at_ms in (8_000, 9_000):
        streams.answered(range(10), at_ms, 502)
    streams.opened(0, 10_000)
    (refusal,) = outage_of(streams, retry_statuses=frozenset({502})).refusals
    assert (refusal.status, refusal.streams, refusal.retried) == (502, 10, True)


def test_a_stream_that_is_lost_again_is_back_only_when_it_stays() -> None:
    streams = LostStreams(10)
    streams.cut(range(10), 5_000)
    for slot in range(10):
        streams.opened(slot, 6_000)
    streams.cut(range(10), 6_000)  # in the same bin: before the outage is over
    for slot in range(10):
        streams.opened(slot, 7_000)
    outage = outage_of(streams)
    assert (outage.streams, outage.back, outage.back_p50_s, outage.outage_s) == (10, 20, 2.01, 1.01)


def test_single_losses_are_no_outage_and_do_not_begin_one() -> None:
    streams = LostStreams(100)
    for second in range(1, 18):
        streams.cut([second], 1_000 * second)
        streams.opened(second, 1_000 * second + 20)
    report = report_on(streams.totals)
    assert report.recovery is None
    assert figure_named("recovery.back_p99").absence(report).startswith("there was no outage")
    streams = LostStreams(100)
    streams.cut([0], 4_500)
    streams.cut(range(1, 100), 5_000)
    assert outage_of(streams).start_s == 5.0


def test_fewer_than_five_streams_or_a_fifth_of_all_are_no_outage() -> None:
    for open_streams, lost, is_outage in ((4, 4, False), (5, 5, True), (100, 19, False), (100, 20, True)):
        streams = LostStreams(open_streams)
        streams.cut(range(lost), 5_000)
        assert (report_on(streams.totals).recovery is not None) == is_outage, (open_streams, lost)


def test_without_reconnections_only_a_storm_is_an_outage() -> None:
    assert report_on(restarted_server().totals, on_end=OnEnd.STOP, storm_s=1).recovery is None
    streams = LostStreams(2)
    streams.dropped(range(2), 1_000)
    for slot in range(2):
        streams.opened(slot, 1_050)
    outage = outage_of(streams, on_end=OnEnd.STOP, storm_s=1)
    assert (outage.is_storm, outage.streams, outage.back_all_s, outage.early) == (True, 2, 0.06, 2)


def test_outages_are_counted_and_the_worst_one_gives_the_figures() -> None:
    streams = LostStreams(20)
    for number in range(7):
        at_ms = 1_000 + 2_500 * number
        streams.cut(range(20), at_ms)
        for slot in range(20):
            streams.opened(slot, at_ms + 100 * (number + 1))
    recovery = recovery_of(streams)
    assert (recovery.outages, len(recovery.described), recovery.outage_s) == (7, 5, 0.71)


def test_a_server_that_ends_all_responses_again_and_again_has_no_outage() -> None:
    streams = LostStreams(20)
    for second in range(1, 18):
        streams.ended(range(20), 1_000 * second)
        for slot in range(20):
            streams.opened(slot, 1_000 * second + 30)
    assert report_on(streams.totals).recovery is None


def test_a_long_poll_whose_streams_are_spread_over_time_has_no_outage_but_that_of_its_server() -> None:
    """Each response ends after 0.5 s, and the streams wait 0.5 s: half of them are missing at any moment."""
    streams, back_at_ms = LostStreams(100), 500
    for at_ms in range(back_at_ms, 19_000, 10):
        slot = at_ms // 10 % 100
        streams.ended([slot], at_ms)
        streams.opened(slot, at_ms + 500)
    streams.cut([0], 19_000)  # a single error is no outage either
    assert report_on(streams.totals).recovery is None
    streams.cut(range(50, 100), 19_200)
    outage = outage_of(streams)
    assert (outage.start_s, outage.streams, outage.causes) == (19.2, 50, {"connection-lost": 50})


def test_the_outage_is_recognized_over_all_workers() -> None:
    whole = restarted_server().totals
    workers = [LostStreams(), LostStreams(), LostStreams()]
    for slot in range(100):
        own = workers[slot % 3]
        own.opened(slot, 0)
        own.cut([slot], 5_000)
        own.refused([slot], 6_000)
        own.opened(slot, 8_000 + 10 * slot)
    together = RecoveryTotals()
    for each in workers:
        together.merge(each.totals)
    assert together == whole


def test_reports_of_two_parts_of_a_load_have_the_outage_of_both() -> None:
    parts = []
    for first in (0, 50):
        streams = LostStreams()
        for slot in range(first, first + 50):
            streams.opened(slot, 0)
            streams.cut([slot], 5_000)
            streams.refused([slot], 6_000)
            streams.opened(slot, 8_000 + 10 * slot)
        parts.append(from_json(to_json(report_on(streams.totals)), "part"))
    assert merged(*parts).recovery is not None
    together, whole = merged(*parts).recovery, recovery_of(restarted_server())
    assert together is not None
    phases = {"before": None, "during": None, "after": None}  # twice the events
    assert together.described[0].model_copy(update=phases) == whole.described[0].model_copy(update=phases)


def test_the_reconnection_time_of_the_server_is_told_from_the_default() -> None:
    for retry_ms, ms, from_server in ((None, 3_000, False), (700, 700, True)):
        streams = LostStreams(10, retry_ms=retry_ms)
        streams.cut(range(10), 5_000)
        for slot in range(10):
            streams.opened(slot, 5_000 + ms)
        outage = outage_of(streams)
        (time,) = outage.reconnection_times
        assert (time.ms, time.from_server, time.streams, outage.early) == (ms, from_server, 10, 0)


def test_an_attempt_before_the_reconnection_time_is_early() -> None:
    streams = LostStreams(10, retry_ms=700)
    streams.cut(range(10), 5_000)
    for slot in range(10):
        streams.opened(slot, 5_000 + (699 if slot < 4 else 701))
    assert outage_of(streams).early == 4


def test_delivery_is_split_by_the_rows_before_during_and_after() -> None:
    rows = {row: {1_000: 10} for row in range(5)} | {8: {900_000: 5}} | {row: {2_000: 10} for row in range(9, 20)}
    recovery = report_on(restarted_server().totals, delivery_us=rows).recovery
    assert recovery is not None
    outage = recovery.described[0]
    phases = [outage.before, outage.during, outage.after]
    assert [phase and (phase.seconds, phase.delivery_p50_ms) for phase in phases] == [(5, 1.0), (4, 900.0), (11, 2.0)]


def test_an_outage_is_not_before_the_next_one() -> None:
    streams = restarted_server()
    streams.cut(range(100), 15_000)
    report = report_on(streams.totals, delivery_us={row: {1_000 * row: 10} for row in range(20)})
    assert report.recovery is not None
    first, second = report.recovery.described
    assert first.after == second.before
    assert second.before is not None
    assert (second.before.seconds, second.before.delivery_p50_ms) == (6, 11)


def test_a_stream_that_never_returns_does_not_prolong_the_outage_of_the_others() -> None:
    streams = restarted_server()
    lost = LostStreams(101)
    lost.cut([100], 5_000)
    lost.gave_up([100], 6_000)
    streams.totals.merge(lost.totals)
    outage = outage_of(streams)
    assert outage.back_all_s is None
    assert [phase and phase.seconds for phase in (outage.before, outage.during, outage.after)] == [5, 4, 11]


def test_errors_at_the_very_end_of_a_run_are_counted() -> None:
    streams = LostStreams(10)
    streams.cut(range(10), 19_500)
    streams.answered(range(10), 20_004, 502)
    outage = outage_of(streams)
    assert (outage.attempts, [each.count for each in outage.failures]) == (10, [10])


def test_long_runs_have_longer_bins() -> None:
    assert [bin_ms_of(seconds) for seconds in (1, 100, 101, 900)] == [10, 10, 20, 90]

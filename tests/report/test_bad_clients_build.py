"""The part of the report about bad clients, and the comparison of the good streams before and after."""

from __future__ import annotations

import random
import socket
from collections import Counter

import pytest
from html_pages import text_of
from report_json import built
from rich.console import Console

from sseclient_cli.measure.bad_clients import BadTotals
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.render.html.page import page
from sseclient_cli.render.terminal.summary import summary
from sseclient_cli.report.bad_clients_model import BadClients as Part
from sseclient_cli.report.figures import figure_named
from sseclient_cli.report.merge import merged, totals_of
from sseclient_cli.report.model import Report, Severity
from sseclient_cli.report.read import from_json, to_json
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.bad_clients import BadClients, Share
from sseclient_cli.run.plan import Plan

AT_S = 10
SHARE = Share(5, is_percent=True)
PLANNED = BadClients(at_s=AT_S, shares=tuple((kind, SHARE) for kind in BadKind), slow_bytes_per_s=1024)


def _totals(
    rows: int = 26, *, times: float = 1.0, events_after: int = 4_000, bytes_per_row: int = 20_000_000
) -> Totals:
    """Return a run in which delivery is ``times`` as long from AT_S on."""
    rng = random.Random(3)
    totals = Totals(planned=400, opened=400, peak_open=400, open_now=400, duration_ns=rows * 10**9, cpu_percent=[20.0])
    for row in range(rows):
        is_bad = row >= AT_S
        values = [round(rng.lognormvariate(8, 0.5) * (times if is_bad else 1)) for _ in range(2_000)]
        events = events_after if is_bad else 4_000
        delivery = Counter(values) if events else Counter()
        totals.timeline[row] = Interval(events=events, delivery=delivery, gap=Counter({100_000: events}))
        totals.events += events
        totals.bytes += bytes_per_row
    for kind in BadKind:
        totals.bad[kind] = BadTotals(planned=20, turned=20)
    return totals


def _report(totals: Totals, plan: BadClients | None = PLANNED) -> Report:
    hop = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    return built(Plan(connections=500, duration_s=26, ramp_up_s=1, bad_clients=plan), (hop,), totals)


def _bad(report: Report) -> Part:
    assert report.bad is not None
    return report.bad


def _codes(report: Report) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in report.findings if "clients" in finding.code}


def test_a_run_without_bad_clients_has_no_such_part() -> None:
    totals = _totals()
    totals.bad = {}
    assert _report(totals, None).bad is None


def test_streams_that_suffer_are_a_fault_with_both_figures() -> None:
    report = _report(_totals(times=15))
    effect = _bad(report).delivery_p99
    assert effect.verdict == "worse"
    assert effect.before_ms
    assert effect.after_ms
    assert 12 < effect.after_ms / effect.before_ms < 18
    assert _codes(report) == {"bad-clients-cost": Severity.FAULT}
    assert _bad(report).event_rate.verdict in ("same", "unclear")


def test_streams_that_do_not_suffer_are_no_finding() -> None:
    report = _report(_totals())
    bad = _bad(report)
    assert {bad.delivery_p50.verdict, bad.delivery_p99.verdict} <= {"same", "unclear"}
    assert bad.gap_p99.verdict == "same"
    assert _codes(report) == {}


def test_events_that_stop_are_a_fault_even_without_a_latency_after() -> None:
    report = _report(_totals(events_after=0))
    assert _bad(report).event_rate.verdict == "worse"
    assert _bad(report).delivery_p99.after_ms is None
    assert _bad(report).delivery_p99.change is None
    assert _codes(report) == {"bad-clients-cost": Severity.FAULT}


def test_events_that_stop_after_a_while_are_a_fault_too() -> None:
    totals = _totals()
    for row in range(AT_S + 1, 26):
        totals.timeline[row] = Interval()
    assert _bad(_report(totals)).event_rate.verdict == "worse"


def test_a_short_run_is_unclear_and_says_why() -> None:
    effect = _bad(_report(_totals(rows=12, times=15))).delivery_p99
    assert effect.verdict == "unclear"
    assert "too few seconds" in effect.reason


def test_held_clients_are_a_warning_after_ten_seconds_and_a_note_before() -> None:
    for rows, severity in ((26, Severity.WARNING), (15, Severity.INFO)):
        totals = _totals(rows)
        totals.bad[BadKind.VANISH].held = 12
        report = _report(totals)
        [finding] = [each for each in report.findings if each.code == "bad-clients-held"]
        assert finding.severity is severity
        assert finding.figures == {"kind": "vanish", "held": 12, "turned": 20, "held_s": rows - AT_S}


def test_a_slow_client_that_is_as_fast_as_the_stream_is_no_test() -> None:
    assert _codes(_report(_totals(bytes_per_row=400 * 1_000))) == {"slow-clients-keep-up": Severity.WARNING}


def test_clients_that_never_turned_bad_are_a_warning() -> None:
    totals = _totals()
    totals.bad[BadKind.SLOW].turned = 3
    assert _codes(_report(totals)) == {"bad-clients-not-turned": Severity.WARNING}


def test_figures_have_names_for_assertions() -> None:
    totals = _totals()
    totals.bad[BadKind.SLOW].dropped = 20
    totals.bad[BadKind.SLOW].dropped_after.record({8_300_000: 20})
    report = _report(totals)
    assert figure_named("slow.dropped_after.max").value(report) == 8_300
    assert figure_named("bad.dropped").value(report) == 20
    assert figure_named("bad.held_at_end").value(report) == 0
    assert figure_named("abrupt.dropped").value(report) is None
    assert "close the connection themselves" in figure_named("abrupt.dropped").absence(report)
    assert figure_named("bad.delivery_p99.after").value(report)


def test_merged_reports_add_the_bad_clients() -> None:
    reports = []
    for dropped in (4, 5):
        totals = _totals()
        totals.bad[BadKind.SLOW] = BadTotals(planned=20, turned=10, dropped=dropped, held=2, unknown=10 - 2 - dropped)
        totals.bad[BadKind.SLOW].dropped_after.record({2_000_000 + dropped: dropped})
        reports.append(from_json(to_json(_report(totals)), "a"))
    bad = _bad(merged(*reports))
    assert bad.slow is not None
    assert bad.slow.dropped_after is not None
    assert (bad.planned, bad.slow.dropped, bad.slow.held_at_end, bad.slow.unknown_at_end) == (160, 9, 4, 7)
    assert (bad.slow.dropped_after.count, bad.slow.dropped_after.max_ms) == (9, 2000.005)
    assert totals_of(reports[0]).bad[BadKind.SLOW].dropped == 4
    assert bad.abrupt is not None
    assert bad.abrupt.dropped is None


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_summary_and_the_page_tell_each_kind_and_each_effect(width: int) -> None:
    totals = _totals(times=15)
    totals.bad[BadKind.SLOW] = BadTotals(planned=20, turned=19, dropped=19)
    totals.bad[BadKind.SLOW].dropped_after.record({8_310_000: 18, 9_000_000: 1})
    totals.bad[BadKind.VANISH].held = 20
    report = _report(totals)
    console = Console(width=width, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(summary(report))
    shown = " ".join(capture.get().split())
    assert all(len(line) <= width for line in capture.get().splitlines())
    for words in (
        "19 of 20 slow (1.02 kB/s) at 10 s 19 dropped by the server after 8.31 s (median), 9.00 s at most",
        "20 vanished at 10 s 0 dropped by the server 20 held at the end",
        "20 reset at 10 s",
        "delivery p99",
        "(worse)",
    ):
        assert words in shown
    text = text_of(page(report))
    assert "Bad clients turned bad 79 of 80, from 10 s on" in text
    assert "vanished clients 20; 0 dropped by the server; 20 held at the end" in text

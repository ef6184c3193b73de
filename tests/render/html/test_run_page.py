"""The page as text: its sections, its figures, its size."""

from __future__ import annotations

import re

import pytest
from html_pages import charts_of, series_of, text_of
from llm_reports import llm_report
from lost_streams import LostStreams
from report_json import ReportJson, report_of
from run_reports import failed_run, run_with_storm, usual_run

from sseclient_cli.measure.bad_clients import BadTotals
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.render.html.page import page
from sseclient_cli.report.embedded import unpacked
from sseclient_cli.report.read import from_json, to_json
from sseclient_cli.run.bad_clients import BadClients, Share


def page_of(fields: ReportJson) -> str:
    return page(report_of(fields))


def test_a_good_run_says_so_first() -> None:
    text = text_of(page_of(usual_run()))
    assert text.index("No fault found.") < text.index("Streams opened 500") < text.index("Latency ms count")
    assert "Load generator not the bottleneck: 21 % of a core" in text
    assert "Lost events 0 of 48,000" in text


def test_the_head_of_a_run_with_requests_counts_requests() -> None:
    report = llm_report()
    text = text_of(page(report))
    assert f" {report.streams.planned:,} requests for " in text
    assert " streams for " not in text


def test_every_chart_of_the_page_has_data_and_a_place() -> None:
    made = page_of(usual_run())
    places = set(re.findall(r'<figure class="chart needs-script" id="([^"]+)"', made))
    assert places == set(charts_of(made))
    assert places == {"percentiles", "delivery", "gap", "events", "bytes", "open", "changes", "cpu", "delays"}


def test_a_saturated_run_names_the_bottleneck_and_what_to_do() -> None:
    fields = usual_run()
    fields["generator"] |= {"saturated": True, "reasons": ["worker 0 used 99 % of its core (limit 90 %)"]}
    text = text_of(page_of(fields))
    assert "Saturated: the figures are not those of the server alone." in text
    assert "worker 0 used 99 % of its core (limit 90 %). Use more --workers" in text


def test_a_failed_assertion_is_the_first_conclusion() -> None:
    fields = usual_run()
    fields["assertions"] = [
        {"expression": "delivery.p99 < 1ms", "path": "latency.delivery.p99_ms", "unit": "ms", "limit": 1.0,
         "observed": 1.7, "status": "failed", "passed": False, "reason": ""},
        {"expression": "audit.lost == 0", "path": "audit.lost", "unit": "", "limit": 0.0,
         "observed": 0.0, "status": "passed", "passed": True, "reason": ""},
    ]  # fmt: skip
    text = text_of(page_of(fields))
    assert "1 of 2 assertions failed." in text
    assert "failed delivery.p99 &lt; 1ms observed: 1.7" in text
    assert "passed audit.lost == 0 observed: 0" in text


def test_findings_have_severity_sentence_and_advice() -> None:
    fields = usual_run()
    fields["streams"]["without_event"] = 12
    text = text_of(page_of(fields))
    assert "Findings Warning" in text
    assert "12 of 500 streams" in text


def test_errors_have_number_kind_message_and_advice() -> None:
    text = text_of(page_of(failed_run()))
    assert "20 connect-refused cannot connect: connection refused Check that the server listens on this port" in text


def test_figures_that_were_not_measured_are_absent_with_the_reason() -> None:
    made = page_of(failed_run())
    text = text_of(made)
    assert "No latency was measured." in text
    assert "Delivery p99 – not measured: no event arrived" in text
    assert "Lost events – not measured: no event arrived" in text
    assert "sequence not audited: no event" in text
    assert not {"percentiles", "delivery", "gap", "cpu", "delays"} & set(charts_of(made))


def test_a_run_without_timestamps_has_the_gap_as_a_head_figure() -> None:
    fields = usual_run()
    fields["latency"]["delivery"] = None
    for row in fields["timeline"]:
        row |= {"delivery_p50_ms": None, "delivery_p99_ms": None, "delivery_us": ""}
    made = page_of(fields)
    assert "Delivery p99 – not measured: no timestamp in the events Gap p99 100 ms" in text_of(made)
    assert "delivery" not in charts_of(made)


def test_the_lines_have_a_gap_for_a_row_that_was_not_measured() -> None:
    fields = usual_run()
    fields["timeline"][3] |= {"delivery_p50_ms": None, "delivery_p99_ms": None, "bytes": 0, "cpu_percent": None}
    charts = charts_of(page_of(fields))
    assert series_of(charts["delivery"])["p50"][3] is None
    assert series_of(charts["delays"])["read delay"][3] is None
    assert series_of(charts["cpu"])["CPU"][3] is None


def test_a_short_last_row_has_the_rate_of_its_length_and_a_very_short_one_has_none() -> None:
    fields = usual_run()
    fields["run"]["duration_s"] = 9.6
    assert series_of(charts_of(page_of(fields))["events"])["events"][-2:] == [4_800, 8_000]
    fields["run"]["duration_s"] = 9.1
    assert series_of(charts_of(page_of(fields))["events"])["events"][-2:] == [4_800, None]


def test_the_percentile_curve_rises_from_the_smallest_to_the_largest_value() -> None:
    fields = usual_run()
    chart = charts_of(page_of(fields))["percentiles"]
    gap = [value for value in series_of(chart)["gap"] if value is not None]
    assert gap == sorted(gap)
    assert (gap[0], gap[-1]) == (fields["latency"]["gap"]["min_ms"], fields["latency"]["gap"]["max_ms"])
    at_99 = min(range(len(chart["x"])), key=lambda place: abs(chart["x"][place] - 100))
    assert gap[at_99] == pytest.approx(fields["latency"]["gap"]["p99_ms"], rel=0.01)


def test_the_recovery_after_a_storm_is_timed_from_its_first_loss() -> None:
    text = text_of(page_of(run_with_storm()))
    assert "Recovery after the storm at 4.5 s streams lost 500 of 500 by cause storm 500" in text
    assert "50 % back after 1.25 s" in text
    assert "99 % back after 2.48 s all back after 2.50 s" in text
    assert "a storm does not wait for it" in text


def test_the_curve_of_a_recovery_rises_to_all_streams() -> None:
    charts = charts_of(page_of(run_with_storm()))
    back = [share or 0 for share in series_of(charts["back-1"])["back"]]
    assert (back[0], min(back), back[-1]) == (100, back[1], 100)
    assert back[1:] == sorted(back[1:])
    assert [mark["label"] for mark in charts["back-1"]["marks"]] == ["50 %", "99 %"]
    assert any(series_of(charts["attempts-1"])["attempts"])


def test_streams_that_stay_away_after_a_storm_are_said_to() -> None:
    streams = LostStreams(10)
    streams.dropped(range(10), 4_500)
    for slot in range(6):
        streams.opened(slot, 4_600)
    streams.gave_up([6], 4_600)
    text = text_of(page_of(usual_run(recovery=streams.totals, storm_s=4.5)))
    assert "50 % back after 110 ms 90 % back never 99 % back never all back never" in text
    assert "ended by an error 1 stream not back at the end 3 streams" in text


def test_open_streams_are_drawn_at_the_end_of_their_row() -> None:
    chart = charts_of(page_of(run_with_storm()))["open"]
    assert dict(zip(chart["x"], series_of(chart)["open"], strict=True)) == {
        **dict.fromkeys(range(1, 11), 500), 5: 100, 6: 320,
    }  # fmt: skip


def test_a_run_that_ended_before_its_storm_has_no_recovery() -> None:
    assert "Recovery after the storm Not measured" in text_of(page_of(usual_run(storm_s=9.5)))


def test_a_run_without_a_storm_has_no_section_for_it() -> None:
    assert "storm" not in text_of(page_of(usual_run()))


def test_bad_clients_have_a_section() -> None:
    plan = BadClients(at_s=5, shares=((BadKind.VANISH, Share(10, is_percent=True)),))
    totals = {BadKind.VANISH: BadTotals(planned=50, turned=48, dropped=40, held=8)}
    text = text_of(page_of(usual_run(bad_clients=plan, bad=totals)))
    assert "Bad clients turned bad 48 of 50, from 5 s on" in text
    assert "vanished clients 48; 40 dropped by the server; 8 held at the end" in text


def test_many_event_types_are_listed_up_to_a_limit() -> None:
    text = text_of(page_of(usual_run(types=250)))
    assert "type-199 4,800" in text
    assert "and 50 more types" in text
    assert "type-200 " not in text


def test_a_long_run_makes_a_page_under_500_kb() -> None:
    made = page_of(usual_run(rows=900, types=100, values_per_row=300))
    assert len(made.encode()) < 500_000
    assert "The histograms of single seconds are left out" in text_of(made)


def test_the_page_holds_the_whole_report() -> None:
    report = report_of(usual_run())
    assert from_json(page(report), "run.html") == report
    assert unpacked(page(report), "run.html") == to_json(report)


def test_the_policy_of_the_page_allows_only_its_own_scripts_and_no_request() -> None:
    made = page_of(usual_run())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")
    assert "unsafe" not in policy[1]
    assert not re.findall(r'\b(?:src|href)="(?!data:,")', made)


def test_requests_have_a_section_with_tokens_goodput_and_their_durations() -> None:
    made = page(llm_report())
    text = text_of(made)
    assert "5 of 105 requests failed." in text
    assert text.index("Requests succeeded 100") < text.index("Requests succeeded 100 failed 5 cut by the end")
    assert "output tokens 6,400" in text
    assert "first_token &lt; 500ms 90 10 90 %" in text
    assert "all (failed requests miss them) 86 19 82 %" in text
    labels = list(series_of(charts_of(made)["percentiles"]))
    assert labels == ["connect", "headers", "first token", "token gap", "tpot", "request", "failure"]


def test_a_run_without_requests_has_no_section_about_them() -> None:
    assert "Requests" not in text_of(page_of(usual_run()))

"""The requests in the rows of the timeline, and the latencies of requests as a distribution in a file."""

import pytest
from html_pages import charts_of
from llm_reports import llm_report, llm_totals, request_totals
from report_json import report_of
from run_reports import usual_run

from sseclient_cli.errors import OutputError
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.totals import ErrorCount, Interval
from sseclient_cli.render.export.hgrm import hgrm
from sseclient_cli.render.export.junit import junit
from sseclient_cli.render.export.timeline_csv import timeline_csv
from sseclient_cli.render.html.page import page
from sseclient_cli.report.merge import totals_of
from sseclient_cli.report.model import Report


def report() -> Report:
    return llm_report(timeline={0: Interval(requests=40), 2: Interval(requests=60)})


def test_rows_have_the_requests_that_succeeded_in_them() -> None:
    assert [row.requests for row in report().timeline] == [40, 0, 60]
    assert [row["requests"] for row in usual_run()["timeline"]] == [None] * 10


def test_the_requests_of_a_row_survive_a_report() -> None:
    assert [row.requests for row in totals_of(report()).timeline.values()] == [40, 0, 60]


def test_csv_has_a_column_of_requests() -> None:
    head, *rows = timeline_csv(report()).splitlines()
    column = head.split(",").index("requests")
    assert [row.split(",")[column] for row in rows] == ["40", "0", "60"]


def test_the_distribution_of_a_run_with_requests_is_that_of_the_first_token() -> None:
    assert hgrm(report()) == hgrm(report(), "first_token")
    assert hgrm(report(), "duration") != hgrm(report(), "first_token")


def test_a_latency_that_no_answer_has_says_why() -> None:
    without = llm_report(request_totals(llm_totals(tpot=Histogram())))
    with pytest.raises(OutputError, match="tpot was not measured, because the server sent no `usage`"):
        hgrm(without, "tpot")


def test_junit_fails_a_run_whose_requests_all_failed() -> None:
    failed = request_totals(llm_totals(), succeeded=0, failed=5)
    errors = {"http-429": ErrorCount(5, "answered 429; Retry-After: 1")}
    text = junit(llm_report(failed, errors=errors))
    assert "all of 5 requests failed" in text
    assert "http-429: answered 429; Retry-After: 1" in text
    assert 'failures="0"' in junit(llm_report())


def test_the_page_has_a_chart_of_requests_per_second_only_for_requests() -> None:
    assert "requests" in charts_of(page(report()))
    assert "requests" not in charts_of(page(report_of(usual_run())))

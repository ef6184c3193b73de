"""Reports with requests: merged, asserted, compared."""

from __future__ import annotations

import pytest
from llm_reports import llm_report, llm_totals, request_totals
from report_json import json_of, report_of

from sseclient_cli.cli.limit_steps import step_of
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.report.assertion_model import AssertionStatus, Outcome
from sseclient_cli.report.assertions import Assertion, judged
from sseclient_cli.report.comparison import comparison_of
from sseclient_cli.report.comparison_model import Comparison, Verdict
from sseclient_cli.report.merge import merged
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import from_json, to_json


def slow_totals(failed: int = 50) -> RequestTotals:
    """Requests that are three times as slow as those of ``llm_totals``."""
    llm = llm_totals(good=10)
    llm.first_token = Histogram()
    llm.first_token.record({900_000: 90, 2_700_000: 10})
    return request_totals(llm, failed=failed)


def outcome_of(report: Report, expression: str) -> Outcome:
    [outcome] = judged(report, [Assertion.parse(expression)])
    return outcome


@pytest.mark.parametrize("mcp", [None, McpTotals(sessions=3, in_streams=90, in_bodies=10, notifications=7)])
def test_two_merged_reports_equal_the_report_of_the_sum(mcp: McpTotals | None) -> None:
    first, second = request_totals(llm_totals(), mcp=mcp), slow_totals()
    together = merged(*(from_json(to_json(llm_report(each)), "") for each in (first, second)))
    first.merge(second)
    whole = llm_report(first)
    assert (together.requests, together.llm, together.mcp) == (whole.requests, whole.llm, whole.mcp)
    assert together.requests is not None
    assert (together.requests.ended, together.requests.failed) == (255, 55)
    assert together.llm is not None
    assert together.llm.goodput is not None
    assert (together.llm.goodput.good, together.llm.goodput.judged) == (96, 255)


@pytest.mark.parametrize(
    ("expression", "observed"),
    [
        ("first_token.p99 < 1s", 900),
        ("tpot.p50 < 30ms", 20),
        ("goodput.share >= 0.8", 86 / 105),
        ("requests.failed == 5", 5),
        ("requests.failed < 5%", 5 / 105),
        ("requests.per_s > 10", 10.111),
    ],
)
def test_figures_of_requests_are_asserted_by_short_names(expression: str, observed: float) -> None:
    outcome = outcome_of(llm_report(), expression)
    assert outcome.passed
    assert outcome.observed == pytest.approx(observed, rel=2e-3)


def test_an_assertion_on_what_was_not_measured_says_why() -> None:
    uncounted = llm_report(request_totals(llm_totals(counted_answers=0, tpot=Histogram())), slo="")
    assert outcome_of(uncounted, "tpot.p50 < 30ms").reason.startswith("not measured because the server sent no `usage`")
    assert "had no objectives" in outcome_of(uncounted, "goodput.share > 0.9").reason


@pytest.mark.parametrize("expression", ["first_token.p99 < 9s", "goodput.share > 0", "requests.per_s > 1"])
def test_times_of_a_saturated_load_generator_are_not_trustworthy(expression: str) -> None:
    saturated = llm_report(cpu_percent=[99.0])
    assert outcome_of(saturated, expression).status is AssertionStatus.NOT_TRUSTWORTHY
    assert outcome_of(saturated, "requests.failed < 99").passed


def verdicts(comparison: Comparison) -> dict[str, Verdict]:
    return {each.name: each.changes[0].verdict for each in comparison.differences}


def with_rows(report: Report) -> Report:
    """Streams were opened in each second: the noise of their durations is known."""
    fields = json_of(report)
    for row in fields["timeline"]:
        row["opened"] = 10
    return report_of(fields)


def test_a_comparison_of_requests_has_their_figures_and_not_those_of_streams() -> None:
    found = verdicts(comparison_of([with_rows(llm_report()), with_rows(llm_report(slow_totals()))]))
    assert {"requests.failed", "goodput.good", "first_token.p50", "token_gap.p50", "tpot.p50"} <= set(found)
    assert {"requests.per_s", "llm.tokens_per_s"} <= set(found)
    assert not {"gap.p50", "first_event.p50", "streams.failed", "events.per_s"} & set(found)
    worse = {name for name, verdict in found.items() if verdict is Verdict.WORSE}
    assert {"requests.failed", "goodput.good", "first_token.p50"} <= worse
    assert found["tpot.p50"] is not Verdict.WORSE


def test_a_run_without_requests_is_compared_by_its_streams() -> None:
    fields = json_of(llm_report())
    fields["requests"] = fields["llm"] = None
    found = verdicts(comparison_of([llm_report(), report_of(fields)]))
    assert "gap.p50" in found
    assert not {name for name in found if name.startswith(("first_token", "requests", "goodput"))}


def test_other_objectives_are_a_note() -> None:
    comparison = comparison_of([llm_report(), llm_report(slo="first_token < 1s")])
    assert any("objectives of the goodput differ" in note for note in comparison.notes)


@pytest.mark.parametrize(("name", "p99_ms"), [("first_token", 900), ("duration", 3_200), ("gap", 2)])
def test_a_step_of_a_search_has_the_latency_of_its_requests(name: str, p99_ms: float) -> None:
    assert step_of(10, llm_report(), [], name).p99_ms == pytest.approx(p99_ms, rel=2e-3)

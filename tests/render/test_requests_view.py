"""The summary of a run with requests: its rows, and what it leaves out of the rows of streams."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from golden import Golden
from llm_reports import llm_report, llm_totals, request_totals
from rich.console import Console

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.totals import ErrorCount
from sseclient_cli.render.terminal.summary import summary
from sseclient_cli.report.model import Report

LABELS = (
    *("requests", "goodput", "tokens", "answers", "streams", "events", "audit", "types", "gap", "first event"),
    *("first chunk", "first token", "first answer", "token gap", "tpot", "request", "failure"),
)


def text_of(report: Report, width: int = 80) -> str:
    console = Console(width=width, file=StringIO(), highlight=False)
    with console.capture() as captured:
        console.print(summary(report))
    return captured.get()


def words_of(report: Report) -> str:
    return " ".join(text_of(report).split())


def rows_of(report: Report) -> dict[str, str]:
    """The rows of the counts and of the latencies, by their labels."""
    lines = text_of(report, 120).splitlines()
    return {label: line for label in LABELS for line in lines if line.startswith(f"{label} ")}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_run_of_llm_requests_reads_like_this(golden: Golden, width: int) -> None:
    golden(f"summary-llm-{width}-columns", text_of(llm_report(), width))


def test_it_fits_into_a_screen_of_80x24() -> None:
    assert len(text_of(llm_report()).splitlines()) <= 23  # the prompt needs one


def test_the_times_of_streams_are_left_out() -> None:
    rows = rows_of(llm_report())
    assert {"requests", "goodput", "tokens", "events", "first token", "token gap", "tpot", "request"} <= set(rows)
    assert not {"streams", "audit", "gap", "first event"} & set(rows)


def test_streams_that_went_silent_or_were_lost_still_have_their_row() -> None:
    assert "3 lost with their worker" in rows_of(llm_report(lost=3))["streams"]


def test_what_the_end_of_the_run_cut_is_no_finding_unless_nothing_was_answered() -> None:
    assert not {"unanswered", "streams-without-event"} & {each.code for each in llm_report().findings}
    nothing = request_totals(llm_totals(), succeeded=0, failed=0, unfinished=10)
    assert {"unanswered", "streams-without-event"} <= {each.code for each in llm_report(nothing).findings}


def test_events_of_one_read_are_no_finding() -> None:
    assert not {"coalesced", "gaps-inside-bursts"} & {each.code for each in llm_report().findings}


def test_a_difference_of_the_clocks_is_no_finding_because_no_duration_contains_it() -> None:
    report = llm_report(date_differences=Counter({-2: 100}))
    assert report.clocks.server_ahead_s == -2
    assert "clock-difference" not in {each.code for each in report.findings}


def test_the_first_chunk_has_a_row_only_if_it_came_before_the_first_token() -> None:
    assert "first chunk" not in rows_of(llm_report())
    early = Histogram()
    early.record({20_000: 100})
    assert " 20.0 " in rows_of(llm_report(request_totals(llm_totals(), first_chunk=early)))["first chunk"]


def test_the_first_answer_has_a_row_only_after_reasoning() -> None:
    assert "first answer" not in rows_of(llm_report())
    late = Histogram()
    late.record({2_000_000: 100})
    assert " 2,000 " in rows_of(llm_report(request_totals(llm_totals(first_answer=late))))["first answer"]


def test_without_objectives_there_is_no_goodput() -> None:
    assert "goodput" not in rows_of(llm_report(slo=""))


def test_tokens_that_the_server_did_not_count_are_not_zero() -> None:
    tokens = rows_of(llm_report(request_totals(llm_totals(counted_answers=0, output_tokens=None, tpot=Histogram()))))[
        "tokens"
    ]
    assert "not counted by the server  6,400 chunks" in tokens
    assert "0 output" not in tokens


def test_tokens_of_a_part_of_the_answers_say_of_how_many() -> None:
    tokens = rows_of(llm_report(request_totals(llm_totals(counted_answers=60, tokenized_answers=10))))["tokens"]
    assert "of 70 of 100 answers: the others have no count" in tokens
    assert "have no count" not in rows_of(llm_report())["tokens"]


def test_chunks_with_estimated_times_are_named() -> None:
    assert "5.0 % at estimated times" in rows_of(llm_report(request_totals(llm_totals(chunks_estimated=320))))["tokens"]
    assert "read late" not in rows_of(llm_report())["tokens"]


def test_chunks_of_several_tokens_are_named() -> None:
    assert "4.0 per chunk" in rows_of(llm_report(request_totals(llm_totals(output_tokens=25_600))))["tokens"]
    assert "per chunk" not in rows_of(llm_report())["tokens"]


def test_a_finish_reason_of_a_server_cannot_forge_lines() -> None:
    text = text_of(llm_report(request_totals(llm_totals(finish_reasons=Counter({"x\n\nall is well\x1b": 100})))), 200)
    assert r"x\x0a\x0aall is well\x1b 100" in text


def test_refused_requests_get_advice_that_fits_to_requests() -> None:
    failed = request_totals(llm_totals(), succeeded=0)
    text = words_of(llm_report(failed, errors={"http-429": ErrorCount(5, "answered 429; Retry-After: 7")}))
    assert "Retry-After: 7" in text
    assert "Lower --connections or --rate" in text
    assert "--on-end" not in text


def test_answers_of_mcp_are_counted_by_their_form() -> None:
    totals = request_totals(None, mcp=McpTotals(sessions=10, in_streams=60, in_bodies=40, notifications=120))
    rows = rows_of(llm_report(totals, slo=""))
    assert "60 in streams  40 in bodies  120 notifications  10 sessions" in rows["answers"]
    assert "tokens" not in rows


def test_a_run_that_has_sent_all_its_requests_did_not_end_early() -> None:
    report = llm_report(duration_ns=3 * 10**9)
    assert "no stream was left" in words_of(report)
    run = report.run.model_copy(update={"plan": report.run.plan.model_copy(update={"requests": 115})})
    assert "no stream was left" not in words_of(report.model_copy(update={"run": run}))

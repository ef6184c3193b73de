"""The log of LLM requests: exact times and counts, bounded lists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demo_server.llm import truth_log
from demo_server.llm.answer import Ending, Part
from demo_server.llm.events import Mark
from demo_server.llm.report import LlmRunReport, merge_reports
from demo_server.llm.truth_log import MAX_GAPS_IN_RUN, MAX_REQUESTS, RequestLog, TruthLog
from demo_server.options import MAX_WORKERS
from demo_server.streams.arrival import Arrival
from demo_server.workers.messages import MAX_LINE_BYTES
from demo_server.workers.run_logs import MAX_RUNS

RECEIVED_NS = 1_767_225_600_000_000_000
START, ANSWER, REASONING, DONE = (Mark(part) for part in (Part.START, Part.ANSWER, Part.REASONING, Part.DONE))


def at(time_us: int) -> int:
    return RECEIVED_NS + time_us * 1000


def text(part: Part, tokens: int = 1) -> Mark:
    return Mark(part, tokens)


async def begin(log: TruthLog, name: str = "a") -> RequestLog:
    number = await log.enter(name)
    arrival = Arrival(RECEIVED_NS, at(70), is_exact=True)
    return log.begin(name, number, "openai-chat", arrival, at(90), is_stream=True)


async def report_of(log: TruthLog, name: str = "a") -> dict[str, Any]:
    """The report of a run, after a check against its schema."""
    report = await log.report(name)
    assert report is not None
    assert LlmRunReport.model_validate(report).model_dump() == report
    return report


async def test_times_of_an_answer_count_from_its_arrival() -> None:
    log = TruthLog()
    request = await begin(log)
    request.answered(200, at(100))
    request.sent((START,), at(200))
    for time_us, part in ((300, Part.REASONING), (320, Part.REASONING), (350, Part.ANSWER), (400, Part.ANSWER)):
        request.sent((text(part, 2),), at(time_us))
    request.sent((DONE,), at(410))
    request.finish("stop")
    request.end(Ending.DONE, at(420))
    report = await report_of(log)
    assert report["requests"] == [
        {
            "number": 1,
            "api": "openai-chat",
            "is_stream": True,
            "status": 200,
            "received_ns": RECEIVED_NS,
            "is_received_exact": True,
            "read_us": 70,
            "started_us": 90,
            "head_us": 100,
            "first_event_us": 200,
            "role_us": 200,
            "first_token_us": 300,
            "first_answer_us": 350,
            "last_token_us": 400,
            "done_us": 410,
            "end_us": 420,
            "tokens": 8,
            "reasoning_tokens": 4,
            "chunks": 4,
            "finish_reason": "stop",
            "gaps_us": [20, 30, 50],
            "is_cut": False,
            "ended": "done",
        }
    ]
    assert report["totals"] == {"requests": 1, "tokens": 8, "chunks": 4, "ended": {"done": 1}}


async def test_events_of_one_write_have_one_time() -> None:
    log = TruthLog()
    request = await begin(log)
    request.sent((START, text(Part.ANSWER), text(Part.ANSWER), DONE), at(500))
    (logged,) = (await report_of(log))["requests"]
    times = [logged[f"{name}_us"] for name in ("first_event", "role", "first_token", "last_token", "done")]
    assert times == [500] * 5
    assert (logged["gaps_us"], logged["chunks"]) == ([0], 2)


async def test_parts_that_were_not_sent_have_no_time() -> None:
    log = TruthLog()
    request = await begin(log)
    request.answered(429, at(100))
    request.end(Ending.REFUSED, at(100))
    (logged,) = (await report_of(log))["requests"]
    absent = {name for name, value in logged.items() if value is None}
    times = {f"{name}_us" for name in ("first_event", "role", "first_token", "first_answer", "last_token", "done")}
    assert absent == {*times, "finish_reason"}


async def test_open_request_has_no_ending() -> None:
    log = TruthLog()
    await begin(log)
    report = await report_of(log)
    assert (report["requests"][0]["ended"], report["totals"]["ended"]) == (None, {"open": 1})


async def test_gaps_of_a_run_are_bounded_but_counts_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth_log, "MAX_GAPS_IN_RUN", 5)
    log = TruthLog()
    for _ in range(2):
        request = await begin(log)
        for number in range(5):
            request.sent((text(Part.ANSWER),), at(number))
    report = await report_of(log)
    assert [len(request["gaps_us"]) for request in report["requests"]] == [4, 1]
    assert [request["is_cut"] for request in report["requests"]] == [False, True]
    assert [request["chunks"] for request in report["requests"]] == [5, 5]
    assert report["totals"]["chunks"] == 10


async def test_requests_that_are_not_listed_are_in_the_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth_log, "MAX_REQUESTS", 3)
    log = TruthLog()
    for _ in range(5):
        request = await begin(log)
        request.sent((text(Part.ANSWER),), at(1))
        request.end(Ending.DONE, at(2))
    report = await report_of(log)
    assert ([request["number"] for request in report["requests"]], report["is_cut"]) == ([1, 2, 3], True)
    assert report["totals"] == {"requests": 5, "tokens": 5, "chunks": 5, "ended": {"done": 5}}


async def test_run_with_the_oldest_last_request_is_evicted_first() -> None:
    log = TruthLog()
    for number in range(MAX_RUNS):
        await log.enter(f"{number}")
    await log.enter("0")
    await log.enter("one more")
    assert await log.report("1") is None
    assert await log.report("0") is not None


async def test_deleted_run_restarts_despite_an_open_request() -> None:
    log = TruthLog()
    request = await begin(log)
    await log.forget("a")
    request.sent((text(Part.ANSWER),), at(1))
    request.end(Ending.CLIENT, at(2))
    assert await log.report("a") is None
    assert await log.enter("a") == 1


async def test_reports_of_several_workers_merge_in_the_order_of_the_requests() -> None:
    parts = []
    for worker in range(2):
        log = TruthLog()
        for number in range(1, 5):
            if number % 2 == worker:
                (await begin(log)).end(Ending.DONE, at(1))
            else:
                await log.enter("a")
        parts.append(await report_of(log))
    merged = merge_reports([*parts, None])
    assert merged is not None
    assert LlmRunReport.model_validate(merged).model_dump() == merged
    assert [request["number"] for request in merged["requests"]] == [1, 2, 3, 4]
    assert merged["totals"] == {"requests": 4, "tokens": 0, "chunks": 0, "ended": {"done": 4}}
    assert merge_reports([None]) is None


async def test_largest_report_of_all_workers_fits_into_a_line_of_the_hub() -> None:
    log = TruthLog()
    request = await begin(log)
    hour_us = 3_600_000_000
    for number in range(1000):
        request.sent((text(Part.REASONING, 1000),), at(number * hour_us))
    request.finish("max_output_tokens")
    request.end(Ending.SHUTDOWN, at(1000 * hour_us))
    gap_bytes = len(json.dumps([hour_us, hour_us])) - len(json.dumps([hour_us]))
    with_gaps = len(json.dumps(await log.report("a")))
    request_bytes = with_gaps - 999 * gap_bytes
    assert (MAX_REQUESTS * request_bytes + MAX_GAPS_IN_RUN * gap_bytes) * MAX_WORKERS < MAX_LINE_BYTES

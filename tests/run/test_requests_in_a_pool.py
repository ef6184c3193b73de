"""Streams whose answer has an end: a slot sends one request after another, and judges each answer."""

import asyncio
import socket
from typing import Any

from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, ScriptedServer, chunk, head

from sseclient_cli.measure.answer_choice import LlmChoice
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.request.urls_file import WeightedUrl
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

TOKEN = b'data: {"choices": [{"index": 0, "delta": {"content": "x"}}]}\n\n'
LAST = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"completion_tokens": 2}}\n\n'
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'


def answer(*chunks: bytes | Do) -> Script:
    return [head(200, SSE + CHUNKED), *(chunk(each) if isinstance(each, bytes) else each for each in chunks)]


GOOD = [*answer(TOKEN, TOKEN, LAST, DONE), LAST_CHUNK]


async def ran(*scripts: Script, path: str = "/", **plan: Any) -> tuple[Totals, ScriptedServer]:
    async with ScriptedServer(*scripts) as server:
        url = f"http://127.0.0.1:{server.port}{path}"
        target = with_values([Target(url=url)], [WeightedUrl(url)]) if "{" in path else Target(url=url)
        resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", server.port)))
        made: dict[str, Any] = {"connections": 1, "duration_s": 20.0, "ramp_up_s": 0, "on_end": OnEnd.RESTART, **plan}
        fields: dict[str, Any] = {"timestamp": Choice.NONE, "sequence": Choice.NONE, "llm": LlmChoice()}
        shard = Shard(chain=(resolved,), plan=Plan(**{**fields, **made}))
        return await asyncio.to_thread(Worker(shard).run), server


def requests_of(totals: Totals) -> RequestTotals:
    assert totals.requests is not None
    return totals.requests


def errors(totals: Totals) -> dict[str, int]:
    return {kind: error.count for kind, error in totals.errors.items()}


async def test_slots_share_the_requests_of_a_plan_and_the_run_ends_with_the_last_answer() -> None:
    totals, server = await ran(*[GOOD] * 7, path="/{n}", connections=2, requests=7)
    found = requests_of(totals)
    assert (found.succeeded, found.failed, found.unfinished) == (7, 0, 0)
    assert (totals.planned, totals.opened, totals.ended_by_server) == (7, 7, 7)
    assert sorted(request.path for request in server.requests) == [f"/{number}" for number in range(7)]
    assert totals.duration_ns < 19_000_000_000
    assert sum(row.requests for row in totals.timeline.values()) == 7
    assert found.llm is not None
    assert (found.llm.chunks, found.llm.output_tokens, dict(found.llm.finish_reasons)) == (14, 14, {"stop": 7})


async def test_slot_that_finds_no_request_left_at_its_planned_start_is_not_planned() -> None:
    # The second slot starts after the first one has sent both requests.
    totals, server = await ran(*[GOOD] * 2, connections=2, requests=2, ramp_up_s=8.0)
    assert (totals.planned, totals.opened, requests_of(totals).succeeded, len(server.requests)) == (2, 2, 2, 2)


async def test_answer_that_the_server_leaves_open_is_closed_and_the_next_request_is_sent() -> None:
    totals, _ = await ran(*[answer(TOKEN, TOKEN, LAST, DONE, Do.HOLD)] * 3, requests=3)
    assert (requests_of(totals).succeeded, totals.completed, errors(totals)) == (3, 3, {})
    # The time that it was left open is no part of the answer.
    assert requests_of(totals).duration.max_us < 10_000_000


async def test_answer_with_an_error_fails_with_the_words_of_the_server() -> None:
    totals, _ = await ran([*answer(TOKEN, ERROR), LAST_CHUNK], GOOD, requests=2)
    found = requests_of(totals)
    assert (found.succeeded, found.failed, found.duration.count, found.failed_after.count) == (1, 1, 1, 1)
    assert errors(totals) == {"answer-error": 1}
    assert "out of memory (500)" in totals.errors["answer-error"].example


async def test_slot_waits_a_second_after_an_answer_that_failed() -> None:
    totals, _ = await ran(*[[*answer(ERROR), LAST_CHUNK]] * 2, requests=2)
    assert (requests_of(totals).failed, totals.duration_ns >= 1_000_000_000) == (2, True)


async def test_error_in_an_answer_counts_although_the_server_leaves_the_response_open() -> None:
    totals, _ = await ran(answer(TOKEN, ERROR, Do.HOLD), requests=1)
    assert (requests_of(totals).failed, errors(totals)) == (1, {"answer-error": 1})


async def test_answer_without_its_end_mark_fails() -> None:
    totals, _ = await ran([*answer(TOKEN, LAST), LAST_CHUNK], requests=1)
    assert (requests_of(totals).failed, errors(totals)) == (1, {"answer-incomplete": 1})
    assert "without [DONE], after finish reason 'stop'" in totals.errors["answer-incomplete"].example


async def test_complete_answer_counts_although_its_connection_breaks_after_it() -> None:
    totals, _ = await ran(answer(TOKEN, TOKEN, LAST, DONE), requests=1)  # without the last chunk
    assert (requests_of(totals).succeeded, errors(totals)) == (1, {})


async def test_stream_of_another_kind_is_no_answer() -> None:
    totals, _ = await ran([*answer(b"data: hello\n\n"), LAST_CHUNK], requests=1)
    assert errors(totals) == {"answer-incomplete": 1}


async def test_end_mark_alone_is_no_answer() -> None:
    totals, _ = await ran(answer(DONE, Do.HOLD), requests=1)
    assert (requests_of(totals).failed, errors(totals)) == (1, {"answer-incomplete": 1})


async def test_refused_request_fails_and_its_slot_waits_as_the_server_asks() -> None:
    refused: Script = [head(429, b"Retry-After: 2\r\nContent-Length: 0\r\n")]
    totals, _ = await ran(refused, GOOD, requests=2)
    found = requests_of(totals)
    assert (found.succeeded, found.failed, errors(totals)) == (1, 1, {"http-429": 1})
    assert totals.duration_ns >= 2_000_000_000


async def test_answer_that_the_end_of_the_run_cuts_is_unfinished_and_in_no_figure() -> None:
    totals, _ = await ran(answer(TOKEN, Do.HOLD), duration_s=1.0)
    found = requests_of(totals)
    assert (found.succeeded, found.failed, found.unfinished, found.first_chunk.count) == (0, 0, 1, 0)


async def test_request_of_the_warm_up_is_in_no_figure() -> None:
    totals, _ = await ran(*[GOOD] * 2, requests=2, duration_s=4.0, warmup_s=3.0)
    found = requests_of(totals)
    assert (found.warm_up, found.succeeded, found.duration.count) == (2, 0, 0)


async def test_requests_of_a_slot_are_counted_by_their_own_url() -> None:
    async with ScriptedServer(*[GOOD] * 4) as server:
        urls = [f"http://127.0.0.1:{server.port}/{name}" for name in "ab"]
        target = with_values([Target(url=url) for url in urls], [*map(WeightedUrl, urls)], urls_file="urls.txt")
        resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", server.port)))
        plan = Plan(
            connections=1, duration_s=20.0, ramp_up_s=0, on_end=OnEnd.RESTART, requests=4,
            timestamp=Choice.NONE, sequence=Choice.NONE, llm=LlmChoice(),
        )  # fmt: skip
        totals = await asyncio.to_thread(Worker(Shard(chain=(resolved,), plan=plan)).run)
    assert [request.path for request in server.requests] == ["/a", "/b", "/a", "/b"]
    assert totals.url_opened == {0: 2, 1: 2}


async def test_run_ends_with_the_last_request_although_the_server_asks_to_wait() -> None:
    totals, _ = await ran([head(429, b"Retry-After: 15\r\nContent-Length: 0\r\n")], requests=1)
    assert (requests_of(totals).failed, totals.planned) == (1, 1)
    assert totals.duration_ns < 10_000_000_000

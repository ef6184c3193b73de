"""The LLM endpoints over a connection: the log against what arrives, refusals, faults, a lingering stream."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import accumulate, count
from statistics import median
from typing import Any

import httpx
import pytest
from real_processes import until
from running_demo import Demo

from demo_server.llm.report import LlmRunReport
from sseclient_cli import EventStreamParser

AT_ONCE = "ttft=0&rate=0&seed=1"
CHAT = "/v1/chat/completions"
APIS = {CHAT: "openai-chat", "/v1/completions": "openai-completions", "/v1/responses": "openai-responses"}
APIS["/v1/messages"] = "anthropic"
each_api = pytest.mark.parametrize("path", APIS)
each_form = pytest.mark.parametrize("is_stream", [True, False])

SO_TIMESTAMPNS = 35
runs = (f"run-{number}" for number in count())


def post(demo: Demo, path: str, query: str, *, is_stream: bool = True) -> httpx.Response:
    return demo.client.post(f"{path}?{query}", json={"stream": is_stream})


def truth(demo: Demo, run: str) -> dict[str, Any]:
    """Return the log of a run when all of its requests have ended."""
    reports: list[dict[str, Any]] = []

    def has_ended() -> bool:
        reports.append(demo.client.get(f"/v1/truth/{run}").json())
        return "open" not in reports[-1]["totals"]["ended"]

    until(has_ended)
    assert LlmRunReport.model_validate(reports[-1]).model_dump() == reports[-1]
    return reports[-1]


def only_request(demo: Demo, run: str) -> dict[str, Any]:
    (request,) = truth(demo, run)["requests"]
    logged: dict[str, Any] = request
    return logged


def arrivals(demo: Demo, target: str, body: bytes = b'{"stream":true}') -> Iterator[tuple[int, bytes]]:
    """Yield each read of a response with the kernel's timestamp, in ns since 1970."""
    with closing(socket.create_connection(("127.0.0.1", demo.port), 30)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        head = "Host: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        connection.sendall(f"POST {target} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        while True:
            data, ancillary, _, _ = connection.recvmsg(1 << 16, socket.CMSG_SPACE(16))
            if not data:
                return
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            yield seconds * 1_000_000_000 + nanoseconds, data


@pytest.mark.skipif(sys.platform != "linux", reason="kernel timestamps")
def test_logged_times_are_those_of_the_arrivals(demo: Demo) -> None:
    run = next(runs)
    sent_ns = time.time_ns()
    reads = list(arrivals(demo, f"{CHAT}?ttft=0.05&rate=100&tokens=40&reasoning=10&role_at=0.02&run={run}"))
    logged = only_request(demo, run)
    assert logged["is_received_exact"]
    assert sent_ns <= logged["received_ns"] <= sent_ns + 10_000_000_000
    assert 0 <= logged["read_us"] <= logged["started_us"] <= logged["head_us"] <= logged["role_us"]
    counts = [
        data.count(b'"reasoning_content":') + data.count(b'"content":"') - data.count(b'"role"') for _, data in reads
    ]
    logged_us = list(accumulate([logged["first_token_us"], *logged["gaps_us"]]))
    assert sum(counts) == len(logged_us) == logged["chunks"] == 50
    # A read has the timestamp of its last bytes, so on a busy machine only reads of one token are exact.
    exact_late_us = [
        (arrived_ns - logged["received_ns"]) / 1000 - logged_us[number - 1]
        for (arrived_ns, _), number, size in zip(reads, accumulate(counts), counts, strict=True)
        if size == 1
    ]
    assert min(exact_late_us) > -1  # the log cannot be later than the arrival
    assert median(exact_late_us) < 2_000  # on an idle machine 20
    assert logged_us[0] == logged["first_token_us"] >= 50_000
    assert logged_us[10] == logged["first_answer_us"] >= 150_000
    assert logged_us[-1] == logged["last_token_us"] <= logged["done_us"] <= logged["end_us"]
    assert (logged["tokens"], logged["reasoning_tokens"], logged["finish_reason"]) == (50, 10, "stop")


@each_api
@each_form
def test_each_api_is_logged_with_its_name_and_tokens(demo: Demo, path: str, is_stream: bool) -> None:
    run = next(runs)
    response = post(demo, path, f"{AT_ONCE}&tokens=5&tokens_per_chunk=2&run={run}", is_stream=is_stream)
    assert response.status_code == 200
    assert response.headers.get("x-accel-buffering") == ("no" if is_stream else None)
    logged = only_request(demo, run)
    assert (logged["api"], logged["is_stream"], logged["status"]) == (APIS[path], is_stream, 200)
    assert (logged["tokens"], logged["chunks"]) == ((5, 3) if is_stream else (0, 0))
    assert logged["ended"] == "done"
    reasons = {"openai-responses": "completed", "anthropic": "end_turn"}
    assert logged["finish_reason"] == reasons.get(APIS[path], "stop")
    assert (logged["done_us"] is None) != is_stream


@each_api
@each_form
def test_share_of_the_requests_is_refused_with_retry_after(demo: Demo, path: str, is_stream: bool) -> None:
    run = next(runs)
    answers = [
        post(demo, path, f"{AT_ONCE}&tokens=1&refuse=0.5&retry_after=7&run={run}", is_stream=is_stream)
        for _ in range(4)
    ]
    assert [answer.status_code for answer in answers] == [200, 429, 200, 429]
    assert answers[1].headers["retry-after"] == "7"
    assert "refuse" in answers[1].json()["error"]["message"]
    assert [request["ended"] for request in truth(demo, run)["requests"]] == ["done", "refused"] * 2
    assert [request["status"] for request in truth(demo, run)["requests"]] == [200, 429] * 2


@each_api
def test_error_in_the_stream_is_its_last_event(demo: Demo, path: str) -> None:
    run = next(runs)
    parser = EventStreamParser()
    events = parser.feed(post(demo, path, f"{AT_ONCE}&error_after=3&run={run}").content)
    assert "error_after" in events[-1].data
    assert "[DONE]" not in [event.data for event in events]
    logged = only_request(demo, run)
    assert (logged["ended"], logged["tokens"], logged["done_us"], logged["finish_reason"]) == ("error", 3, None, None)


@each_api
def test_error_of_an_answer_without_stream_is_a_500(demo: Demo, path: str) -> None:
    run = next(runs)
    answer = post(demo, path, f"{AT_ONCE}&error_after=3&run={run}", is_stream=False)
    assert (answer.status_code, "error" in answer.json()) == (500, True)
    assert only_request(demo, run)["ended"] == "error"


def test_cut_stream_is_a_complete_response_without_done(demo: Demo) -> None:
    run = next(runs)
    text = post(demo, CHAT, f"{AT_ONCE}&cut_after=3&run={run}").text  # httpx would raise for an incomplete response
    assert text.count('"content":') == 1 + 3
    assert "[DONE]" not in text
    assert 'finish_reason":"' not in text
    logged = only_request(demo, run)
    assert (logged["ended"], logged["tokens"], logged["done_us"]) == ("cut", 3, None)


def test_held_chunks_are_logged_with_the_time_of_their_write(demo: Demo) -> None:
    run = next(runs)
    post(demo, CHAT, f"ttft=0.02&rate=200&tokens=30&hold_chunks=8&run={run}")
    logged = only_request(demo, run)
    # The role and seven tokens; eight; eight; seven and the finish reason; the rest.
    assert [gap_us > 0 for gap_us in logged["gaps_us"]] == [number in (6, 14, 22) for number in range(29)]
    assert logged["first_token_us"] >= 20_000 + 6 * 5_000
    assert logged["first_event_us"] == logged["role_us"] == logged["first_token_us"]


def test_lingering_stream_is_open_after_done(demo: Demo) -> None:
    run = next(runs)
    assert post(demo, CHAT, f"{AT_ONCE}&linger=0.2&run={run}").text.endswith("data: [DONE]\n\n")
    logged = only_request(demo, run)
    assert logged["end_us"] - logged["done_us"] >= 200_000
    assert logged["ended"] == "done"


def test_client_that_leaves_after_the_last_event_has_a_complete_answer(demo: Demo) -> None:
    run = next(runs)
    with demo.client.stream("POST", f"{CHAT}?{AT_ONCE}&linger=60&run={run}", json={"stream": True}) as response:
        next(text for text in response.iter_text() if "[DONE]" in text)
    assert only_request(demo, run)["ended"] == "done"


@each_form
def test_client_that_leaves_early_is_logged(demo: Demo, is_stream: bool) -> None:
    run = next(runs)
    with pytest.raises(httpx.ReadTimeout):
        demo.client.post(f"{CHAT}?ttft=60&run={run}", json={"stream": is_stream}, timeout=0.5)
    logged = only_request(demo, run)
    assert (logged["ended"], logged["status"], logged["tokens"]) == ("client", 200 if is_stream else None, 0)


def test_first_token_is_due_after_the_arrival_of_the_request(demo: Demo) -> None:
    run = next(runs)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: post(demo, CHAT, f"ttft=0.3&tokens=1&run={run}"), range(32)))
    logged = truth(demo, run)["requests"]
    assert [request["number"] for request in logged] == list(range(1, 33))
    # The time in which the requests wait for the server is a part of it.
    assert min(request["first_token_us"] for request in logged) >= 300_000
    assert any(request["first_token_us"] < 300_000 + request["started_us"] for request in logged)


def test_unknown_run_is_404_with_a_hint(demo: Demo) -> None:
    response = demo.client.get("/v1/truth/nothing")
    hint = "run 'nothing' is unknown: request /v1/chat/completions?run=nothing first"
    assert (response.status_code, response.json()) == (404, {"detail": hint})


def test_deleted_run_is_unknown(demo: Demo) -> None:
    run = next(runs)
    post(demo, CHAT, f"{AT_ONCE}&run={run}")
    assert [demo.client.delete(f"/v1/truth/{run}").status_code for _ in range(2)] == [204, 204]
    assert demo.client.get(f"/v1/truth/{run}").status_code == 404

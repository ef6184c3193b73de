"""``POST /v1/chat/completions``: OpenAI's format, and the requested pace."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from itertools import islice
from typing import Any

import httpx
import pytest
from running_demo import Demo, running_demo

from demo_server.llm.sentences import words
from sseclient_cli.sse.event_stream import EventStreamParser

PATH = "/v1/chat/completions"
AT_ONCE = "ttft=0&rate=0&seed=1"
STREAM = {"stream": True}


def post(demo: Demo, query: str, body: object) -> httpx.Response:
    return demo.client.post(f"{PATH}?{query}", json=body)


def stream(demo: Demo, query: str, body: object = STREAM) -> Iterator[str]:
    """Yield the data of each event when it arrives, with the parser of sseclient_cli."""
    parser = EventStreamParser()
    with demo.client.stream("POST", f"{PATH}?{query}", json=body) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        for received in response.iter_raw():
            yield from (event.data for event in parser.feed(received))


def chunks(demo: Demo, query: str, body: object = STREAM) -> list[dict[str, Any]]:
    """Return all chunks of a complete stream."""
    *data, done = stream(demo, query, body)
    assert done == "[DONE]"
    return [json.loads(text) for text in data]


def text_of(answer: list[dict[str, Any]]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in answer if chunk["choices"])


def test_short_stream_has_exact_bytes(demo: Demo) -> None:
    now_s = time.time()
    answer = demo.client.post(f"{PATH}?{AT_ONCE}&tokens=2", json={**STREAM, "model": "some/model"}).text
    first = json.loads(answer.splitlines()[0].removeprefix("data: "))
    assert first["id"].startswith("chatcmpl-")
    assert now_s - 1 <= first["created"] <= time.time()
    head = f'"id":"{first["id"]}","object":"chat.completion.chunk","created":{first["created"]},"model":"some/model"'
    one, two = islice(words(1), 2)
    usage = '"usage":{"prompt_tokens":0,"completion_tokens":2,"total_tokens":2}'
    deltas = ('{"role":"assistant","content":""}', f'{{"content":"{one}"}}', f'{{"content":"{two}"}}')
    assert answer == "".join(
        f'data: {{{head},"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}]}}\n\n'
        for delta in deltas
    ) + (
        f'data: {{{head},"choices":[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"stop"}}],{usage}}}\n\n'
        "data: [DONE]\n\n"
    )


def test_each_answer_has_a_unique_id(demo: Demo) -> None:
    first, second = (chunks(demo, AT_ONCE) for _ in range(2))
    assert len({chunk["id"] for chunk in first + second}) == 2


def test_include_usage_true_adds_a_usage_chunk(demo: Demo) -> None:
    *others, last = chunks(demo, f"{AT_ONCE}&tokens=3", {**STREAM, "stream_options": {"include_usage": True}})
    assert [chunk["usage"] for chunk in others] == [None] * 5
    assert others[-1]["choices"][0]["finish_reason"] == "stop"
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 0, "completion_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize("options", [{}, {"stream_options": None}, {"stream_options": {"include_obfuscation": True}}])
def test_usage_is_in_the_last_chunk_by_default(demo: Demo, options: dict[str, object]) -> None:
    answer = chunks(demo, f"{AT_ONCE}&tokens=3", {**STREAM, **options})
    assert all(len(chunk["choices"]) == 1 for chunk in answer)
    assert ["usage" in chunk for chunk in answer] == [False] * 4 + [True]


def test_include_usage_false_omits_usage(demo: Demo) -> None:
    answer = chunks(demo, AT_ONCE, {**STREAM, "stream_options": {"include_usage": False}})
    assert not any("usage" in chunk for chunk in answer)


def test_prompt_tokens_count_the_words_of_all_messages(demo: Demo) -> None:
    parts = [{"type": "text", "text": "three  more\nwords"}, {"type": "image_url", "image_url": {"url": "x y z"}}]
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]},
        {"role": "user", "content": parts, "name": "someone"},
    ]
    answer = post(demo, f"{AT_ONCE}&tokens=4", {"messages": messages}).json()
    assert answer["usage"] == {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}


@pytest.mark.parametrize(
    ("limits", "count", "reason"),
    [
        ({"max_tokens": 5}, 5, "length"),
        ({"max_completion_tokens": 5}, 5, "length"),
        ({"max_completion_tokens": 5, "max_tokens": 2}, 5, "length"),
        ({"max_tokens": 10}, 10, "stop"),
        ({"max_tokens": 10**9}, 10, "stop"),
        ({"max_tokens": None}, 10, "stop"),
    ],
)
def test_answer_is_cut_at_the_token_limit(demo: Demo, limits: dict[str, int], count: int, reason: str) -> None:
    answer = chunks(demo, f"{AT_ONCE}&tokens=10", {**STREAM, **limits})
    whole = post(demo, f"{AT_ONCE}&tokens=10", limits).json()
    assert text_of(answer) == whole["choices"][0]["message"]["content"] == "".join(islice(words(1), count))
    assert answer[-1]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"] == reason
    assert answer[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"] == count


@pytest.mark.parametrize("body", [{}, {"stream": False}, {"stream": None}])
def test_answer_without_stream_is_one_json_object(demo: Demo, body: dict[str, object]) -> None:
    before = demo.stats()
    response = post(demo, f"{AT_ONCE}&tokens=3", body)
    answer = response.json()
    assert response.headers["content-type"] == "application/json"
    assert answer == {
        "id": answer["id"],
        "object": "chat.completion",
        "created": answer["created"],
        "model": "demo",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "".join(islice(words(1), 3)), "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 0, "completion_tokens": 3, "total_tokens": 3},
    }
    assert demo.stats() == before


def test_unused_fields_are_ignored(demo: Demo) -> None:
    body = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0.2,
        "top_p": 1,
        "n": 1,
        "stop": ["\n"],
        "tools": [],
        "tool_choice": "auto",
        "response_format": {"type": "text"},
        "logit_bias": {"50256": -100},
        "user": "someone",
        "stream": True,
    }
    assert chunks(demo, AT_ONCE, body)[0]["model"] == "gpt-4o"


def test_same_seed_in_query_or_body_gives_the_same_words(demo: Demo) -> None:
    pace = "ttft=0&rate=0"
    texts = [
        text_of(chunks(demo, f"{pace}&seed=7")),
        text_of(chunks(demo, pace, {**STREAM, "seed": 7})),
        text_of(chunks(demo, f"{pace}&seed=7", {**STREAM, "seed": 8})),
        text_of(chunks(demo, f"{pace}&seed=7&jitter=1")),
    ]
    assert len(set(texts)) == 1
    assert text_of(chunks(demo, f"{pace}&seed=8")) != texts[0]


def test_without_a_seed_the_words_differ(demo: Demo) -> None:
    assert len({text_of(chunks(demo, "ttft=0&rate=0&tokens=200")) for _ in range(5)}) > 1


def test_first_token_is_not_sent_before_ttft(demo: Demo) -> None:
    began_s = time.monotonic()
    next(stream(demo, "ttft=0.4"))
    assert time.monotonic() - began_s >= 0.4


@pytest.mark.parametrize("body", [STREAM, {}])
def test_last_token_is_not_sent_before_the_rate_allows(demo: Demo, body: dict[str, object]) -> None:
    began_s = time.monotonic()
    assert post(demo, "ttft=0.2&rate=100&tokens=31", body).status_code == 200
    assert time.monotonic() - began_s >= 0.5


def test_pace_does_not_drift(demo: Demo) -> None:
    stamps_s = [time.monotonic() for _ in stream(demo, "ttft=0&rate=200&tokens=400")][1:-2]
    late_s = [stamp_s - stamps_s[0] - number / 200 for number, stamp_s in enumerate(stamps_s)]
    # As in test_push.py: single tokens may be late, but the pace is exact.
    assert len(late_s) == 400
    assert min(late_s[-80:]) < 0.02


@pytest.mark.parametrize(
    ("query", "body", "where"),
    [
        ("ttft=-1", {}, ["query", "ttft"]),
        ("ttft=nan", {}, ["query", "ttft"]),
        ("rate=-1", {}, ["query", "rate"]),
        ("rate=inf", {}, ["query", "rate"]),
        ("tokens=0", {}, ["query", "tokens"]),
        ("tokens=100001", {}, ["query", "tokens"]),
        ("jitter=1.1", {}, ["query", "jitter"]),
        ("seed=x", {}, ["query", "seed"]),
        ("token=3", {}, ["query", "token"]),
        ("", {"max_tokens": 0}, ["body", "max_tokens"]),
        ("", {"max_completion_tokens": "many"}, ["body", "max_completion_tokens"]),
        ("", {"messages": "Hello"}, ["body", "messages"]),
        ("", {"messages": [{"content": "Hello"}]}, ["body", "messages", 0, "role"]),
        ("", {"model": 3}, ["body", "model"]),
        ("", {"stream": "maybe"}, ["body", "stream"]),
        ("", {"stream_options": {"include_usage": "maybe"}}, ["body", "stream_options", "include_usage"]),
        ("", [], ["body"]),
    ],
)
def test_invalid_input_is_refused_with_its_name(demo: Demo, query: str, body: object, where: list[object]) -> None:
    response = post(demo, query, body)
    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert problem["loc"] == where
    assert problem["msg"]


@pytest.mark.parametrize(
    ("body", "content_type", "words_of_it"),
    [
        (b'{"stream": true}', "application/x-www-form-urlencoded", "Content-Type: application/json"),
        (b'{"stream": true', "application/json", "JSON decode error"),
        (b'{"max_tokens": NaN}', "application/json", "finite"),
        (b'{"messages": "\\ud800"}', "application/json", "list"),
    ],
)
def test_body_that_is_not_json_is_refused(demo: Demo, body: bytes, content_type: str, words_of_it: str) -> None:
    response = demo.client.post(PATH, content=body, headers={"Content-Type": content_type})
    assert response.status_code == 422
    assert words_of_it in response.json()["detail"][0]["msg"]


def test_model_with_lone_surrogates_is_returned_unchanged(demo: Demo) -> None:
    body, headers = b'{"model": "\\ud800"}', {"Content-Type": "application/json"}
    assert r'"model": "\ud800"' in demo.client.post(f"{PATH}?{AT_ONCE}", content=body, headers=headers).text


def test_stats_count_each_event(demo: Demo) -> None:
    before = demo.stats()
    with ThreadPoolExecutor(10) as pool:
        counts = list(pool.map(lambda _: sum(1 for _ in stream(demo, "ttft=0&rate=1000&tokens=20")), range(10)))
    demo.wait_until_idle(1)
    after = demo.stats()
    assert counts == [1 + 20 + 1 + 1] * 10  # the role, the tokens, finish_reason, [DONE]
    assert after["events_sent"] - before["events_sent"] == sum(counts)
    assert after["streams_opened"] - before["streams_opened"] == 10


@pytest.mark.parametrize("pace", ["ttft=3600", "ttft=0&rate=0.001", "ttft=0&rate=0&tokens=100000"])
def test_stream_is_closed_within_a_second_of_its_client(demo: Demo, pace: str) -> None:
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(demo.open_stream(f"{PATH}?{pace}", body='{"stream": true}'))
        demo.wait_for_stats(10, lambda counters: counters["streams_open"] == 10)
    demo.wait_until_idle(1)


def test_slow_answer_is_aborted_with_503_at_shutdown() -> None:
    with (
        running_demo("--access-log", "none") as demo,
        closing(HTTPConnection("127.0.0.1", demo.port, 30)) as connection,
    ):
        connection.request("POST", f"{PATH}?ttft=3600", "{}", {"Content-Type": "application/json"})
        demo.stats()  # connections are served in order of arrival
        assert demo.end() == ""
        response = connection.getresponse()
        assert (response.status, response.read()) == (503, b'{"detail":"the server is going down"}')

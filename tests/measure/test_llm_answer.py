"""What the events of each API say about an answer."""

import json
from typing import Any

import pytest

from sseclient_cli.errors import AnswerError, IncompleteAnswerError
from sseclient_cli.measure.llm_answer import LlmAnswer, Text
from sseclient_cli.payload.llm_api import LlmApi, Usage
from sseclient_cli.payload.llm_text import DONE
from sseclient_cli.sse.event import Event


def event(data: Any, type_: str = "message") -> Event:
    return Event(type_, data if isinstance(data, str) else json.dumps(data), "")


def delta(**content: Any) -> Event:
    return event({"choices": [{"index": 0, "delta": content}]})


def read(*events: Event, api: LlmApi = LlmApi.AUTO) -> tuple[LlmAnswer, list[Text]]:
    answer = LlmAnswer(api.shape, keeps_text=True)
    return answer, [answer.read(each) for each in events]


def test_a_role_chunk_has_no_text() -> None:
    answer, texts = read(delta(role="assistant", content=""), delta(content="Hello"), event(DONE))
    assert (texts, answer.chunks, answer.is_complete) == ([Text.NONE, Text.ANSWER, Text.NONE], 1, True)


def test_reasoning_is_text_but_no_answer() -> None:
    call = {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}
    _, texts = read(delta(reasoning_content="hm"), delta(reasoning="hm", content="So"), delta(**call))
    assert texts == [Text.REASONING, Text.ANSWER, Text.ANSWER]


def test_events_of_anthropic_around_the_text_have_none() -> None:
    answer, texts = read(
        event({"type": "message_start", "message": {"usage": {"input_tokens": 12, "output_tokens": 1}}}),
        event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        event({"type": "ping"}),
        event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
        event({"type": "content_block_stop", "index": 0}),
        event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
        event({"type": "message_stop"}),
    )
    assert (texts.count(Text.NONE), answer.chunks, answer.content) == (6, 1, "Hi")
    assert (answer.usage, answer.finish_reason, answer.is_complete) == (Usage(12, 9, None), "end_turn", True)


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        ({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}, Usage(5, 7, None)),
        (
            {"usage": {"completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 3}}, "choices": []},
            Usage(None, 7, 3),
        ),
        (
            {
                "type": "response.completed",
                "response": {
                    "usage": {"input_tokens": 5, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 0}}
                },
            },
            Usage(5, 7, 0),
        ),
        (
            {"candidates": [{"content": {"parts": [{"text": "x"}]}}],
             "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 3}},
            Usage(5, 10, 3),
        ),
        ({"done": True, "message": {"content": ""}, "prompt_eval_count": 5, "eval_count": 7}, Usage(5, 7, None)),
        ({"choices": [], "usage": {"completion_tokens": None}}, Usage()),
        ({"choices": [], "usage": {"completion_tokens": True}}, Usage()),
        ({"choices": [], "usage": {"completion_tokens": -5}}, Usage()),
        ({"choices": [], "usage": None}, Usage()),
    ],
)  # fmt: skip
def test_the_server_counts_the_tokens(data: dict[str, Any], usage: Usage) -> None:
    assert read(event(data))[0].usage == usage


def test_later_counts_replace_earlier_ones() -> None:
    counts = [event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": tokens}}) for tokens in (1, 2)]
    assert read(*counts, event({"choices": [], "usage": None}))[0].usage == Usage(5, 2, None)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([event({"error": {"message": "no GPU", "code": 500}})], r"no GPU \(500\)"),
        ([event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")], "Overl"),
        ([event("gone wrong", "error")], "gone wrong"),
    ],
)
def test_an_error_in_an_event_is_the_failure_of_the_answer(events: list[Event], words: str) -> None:
    answer, _ = read(delta(content="x"), *events)
    assert answer.is_complete
    with pytest.raises(AnswerError, match=words):
        raise answer.failure() or AssertionError


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "without an event of a known LLM API"),
        ([event("hello")], "without an event of a known LLM API"),
        ([delta(content="x")], r"ended without \[DONE\]: 1 chunk had"),
        ([delta(role="assistant"), event(DONE)], "neither text nor a finish reason"),
        ([event({"type": "message_start", "message": {}})], "ended without message_stop"),
        ([event({"choices": [{"delta": {}, "finish_reason": "stop"}]})], r"\[DONE\], after finish reason 'stop'"),
    ],
)
def test_an_answer_without_its_end_mark_failed(events: list[Event], words: str) -> None:
    answer, _ = read(*events)
    with pytest.raises(IncompleteAnswerError, match=words):
        raise answer.failure() or AssertionError


def test_an_answer_with_a_finish_reason_may_have_no_text() -> None:
    answer, _ = read(event({"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}]}), event(DONE))
    assert (answer.chunks, answer.failure()) == (0, None)


def test_gemini_has_no_end_mark() -> None:
    last = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}
    answer, _ = read(event(last))
    assert (answer.is_complete, answer.failure()) == (False, None)


def test_a_named_api_reads_only_its_own_events() -> None:
    answer, texts = read(delta(content="x"), api=LlmApi.ANTHROPIC)
    assert (texts, answer.chunks) == ([Text.NONE], 0)


def test_the_end_mark_of_another_api_completes_no_answer() -> None:
    answer, _ = read(delta(content="x"), event(DONE), api=LlmApi.ANTHROPIC)
    assert "without message_stop: no event has text in the form of Anthropic messages" in str(answer.failure())


def test_a_complete_answer_has_not_failed() -> None:
    assert read(delta(content="x"), event(DONE))[0].failure() is None

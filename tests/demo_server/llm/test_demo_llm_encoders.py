"""The events of an answer in each API, as bytes, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from pydantic import ValidationError

from demo_server.llm.answer import Answer, Part, Prompt
from demo_server.llm.chat import ChatBody, ChatEncoder
from demo_server.llm.events import Encoder, Write, writes
from demo_server.llm.legacy import LegacyBody, LegacyEncoder, LegacyParameters
from demo_server.llm.messages import MessagesBody, MessagesEncoder
from demo_server.llm.parameters import LlmParameters
from demo_server.llm.responses import ResponsesBody, ResponsesEncoder
from demo_server.llm.sentences import words

MakeEncoder = Callable[[Answer, str, int], Encoder]

ALL: dict[str, MakeEncoder] = {
    "chat": ChatEncoder,
    "legacy": LegacyEncoder,
    "responses": ResponsesEncoder,
    "messages": MessagesEncoder,
}
each_api = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


def writes_of(make: MakeEncoder, prompt: Prompt | None = None, **parameters: Any) -> tuple[list[Write], Encoder]:
    answer = Answer(LlmParameters.model_validate({"tokens": 3, **parameters}), prompt or Prompt("TEXT", 2), 1)
    encoder = make(answer, "0123", 1767225600)
    return list(writes(answer, encoder)), encoder


def blocks(sent: list[Write]) -> list[list[str]]:
    """Return the lines of each event."""
    text = b"".join(write.data for write in sent).decode()
    assert text.endswith("\n\n")
    return [block.split("\n") for block in text.removesuffix("\n\n").split("\n\n")]


def typed(sent: list[Write]) -> list[dict[str, Any]]:
    """Return the data of events with types, which the data must repeat."""
    events = []
    for event_line, data_line in blocks(sent):
        data = json.loads(data_line.removeprefix("data: "))
        assert event_line == f"event: {data['type']}"
        events.append(data)
    return events


def untyped(sent: list[Write]) -> list[Any]:
    texts = [line.removeprefix("data: ") for (line,) in blocks(sent)]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def names(events: list[dict[str, Any]]) -> list[str]:
    """Return the types, each run of equal ones once."""
    types = [event["type"] for event in events]
    return [name for name, before in zip(types, [None, *types], strict=False) if name != before]


SPOKEN = "".join(islice(words(1), 3))
THOUGHT = "".join(islice(words("reasoning 1"), 2))


@each_api
def test_marks_say_which_events_carry_text(make: MakeEncoder) -> None:
    parameters: dict[str, Any] = {} if make is LegacyEncoder else {"reasoning": 2}
    sent, _ = writes_of(make, **parameters)
    marks = [mark for write in sent for mark in write.marks]
    assert [mark.tokens for mark in marks if mark.part is Part.ANSWER] == [1, 1, 1]
    assert [mark.tokens for mark in marks if mark.part is Part.REASONING] == [1] * parameters.get("reasoning", 0)
    assert marks[-1].part is Part.DONE
    assert len(marks) == len(blocks(sent))
    assert [write.due_s for write in sent] == sorted(write.due_s for write in sent)


@each_api
def test_held_events_are_the_same_bytes_in_fewer_writes(make: MakeEncoder) -> None:
    (single, _), (held, _) = writes_of(make, tokens=20), writes_of(make, tokens=20, hold_chunks=8)
    assert b"".join(write.data for write in held) == b"".join(write.data for write in single)
    assert [len(write.marks) for write in held[:-1]] == [8] * (len(held) - 1)
    assert [write.due_s for write in held] == [write.due_s for write in single[7::8]] + [single[-1].due_s] * (
        len(single) % 8 > 0
    )


@each_api
def test_text_with_quotes_and_other_scripts_is_json(make: MakeEncoder) -> None:
    _, encoder = writes_of(make)
    list(encoder.begin(Part.ANSWER))
    text = 'a "quote"\n日本 \U0001f600'
    data = encoder.delta(text).decode().strip().split("data: ")[1]
    assert text in strings_in(json.loads(data))


def strings_in(value: object) -> list[str]:
    """Return all strings in a JSON value."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in strings_in(member)]
    if isinstance(value, list):
        return [text for member in value for text in strings_in(member)]
    return [value] if isinstance(value, str) else []


def test_chat_sends_reasoning_before_content_and_counts_it() -> None:
    sent, encoder = writes_of(ChatEncoder, reasoning=2)
    *chunks, done = untyped(sent)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == THOUGHT
    assert "".join(delta.get("content", "") for delta in deltas) == SPOKEN
    assert [list(delta) for delta in deltas[1:]] == [["reasoning_content"]] * 2 + [["content"]] * 3 + [[]]
    usage = {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}
    assert chunks[-1]["usage"] == {**usage, "completion_tokens_details": {"reasoning_tokens": 2}}
    assert done == "[DONE]"
    message = encoder.whole()["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == (SPOKEN, THOUGHT)


def test_chat_reports_an_error_without_done() -> None:
    *_, error = untyped(writes_of(ChatEncoder, error_after=2)[0])
    assert list(error) == ["error"]
    assert (error["error"]["type"], error["error"]["code"]) == ("server_error", None)


@each_api
def test_cut_answer_ends_with_text(make: MakeEncoder) -> None:
    sent, _ = writes_of(make, cut_after=2)
    assert sent[-1].marks[0].tokens == 1
    assert sum(mark.tokens for write in sent for mark in write.marks) == 2


def test_legacy_chunks_have_text_and_no_role() -> None:
    *chunks, done = untyped(writes_of(LegacyEncoder, Prompt("m", 4, 2, None, True))[0])
    assert [chunk["choices"][0]["text"] for chunk in chunks[:-1]] == [*islice(words(1), 2), ""]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, None, "length"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert done == "[DONE]"


@pytest.mark.parametrize("given", [{"reasoning": 1}, {"role_at": 0}])
def test_legacy_refuses_reasoning_and_roles(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="has no effect"):
        LegacyParameters.model_validate(given)


def test_responses_have_items_parts_and_consecutive_numbers() -> None:
    events = typed(writes_of(ResponsesEncoder, reasoning=2)[0])
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert names(events) == [
        "response.created",
        "response.in_progress",
        *("response.output_item.added", "response.content_part.added", "response.reasoning_text.delta"),
        *("response.reasoning_text.done", "response.content_part.done", "response.output_item.done"),
        *("response.output_item.added", "response.content_part.added", "response.output_text.delta"),
        *("response.output_text.done", "response.content_part.done", "response.output_item.done"),
        "response.completed",
    ]
    assert "".join(event["delta"] for event in events if event["type"].endswith("reasoning_text.delta")) == THOUGHT
    assert "".join(event["delta"] for event in events if event["type"].endswith("output_text.delta")) == SPOKEN
    assert [event["output_index"] for event in events if "output_index" in event] == [0] * 7 + [1] * 8
    response = events[-1]["response"]
    assert [item["type"] for item in response["output"]] == ["reasoning", "message"]
    assert response["output"][1]["content"][0]["text"] == SPOKEN
    usage = response["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (2, 5, 7)
    assert usage["output_tokens_details"] == {"reasoning_tokens": 2}


def test_response_that_reaches_its_limit_is_incomplete() -> None:
    sent, encoder = writes_of(ResponsesEncoder, Prompt("m", 0, 1))
    last = typed(sent)[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"] == encoder.whole()
    assert encoder.finish_reason == "max_output_tokens"


def test_failed_response_has_an_error_event_with_a_number() -> None:
    *_, error = typed(writes_of(ResponsesEncoder, error_after=1)[0])
    assert (error["type"], error["code"], error["sequence_number"]) == ("error", "server_error", 5)


def test_message_has_blocks_for_thinking_and_text() -> None:
    sent, encoder = writes_of(MessagesEncoder, reasoning=2)
    events = typed(sent)
    assert names(events) == [
        "message_start",
        *("content_block_start", "ping", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop"),
    ]
    assert events[0]["message"]["usage"] == {"input_tokens": 2, "output_tokens": 1}
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(delta.get("thinking", "") for delta in deltas) == THOUGHT
    assert "".join(delta.get("text", "") for delta in deltas) == SPOKEN
    kinds = ["thinking_delta"] * 2 + ["signature_delta"] + ["text_delta"] * 3
    assert [delta["type"] for delta in deltas] == kinds
    assert events[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert events[-2]["usage"] == {"output_tokens": 5, "output_tokens_details": {"thinking_tokens": 2}}
    whole = encoder.whole()
    assert [block["type"] for block in whole["content"]] == ["thinking", "text"]
    assert (whole["stop_reason"], whole["usage"]["input_tokens"], whole["usage"]["output_tokens"]) == ("end_turn", 2, 5)


def test_message_that_reaches_its_limit_says_so() -> None:
    events = typed(writes_of(MessagesEncoder, Prompt("m", 0, 1))[0])
    assert events[-2]["delta"]["stop_reason"] == "max_tokens"


def test_failed_message_has_an_error_event() -> None:
    *_, error = typed(writes_of(MessagesEncoder, error_after=0)[0])
    assert (error["type"], error["error"]["type"]) == ("error", "api_error")


@pytest.mark.parametrize(
    ("body", "tokens", "limit"),
    [
        (ChatBody.model_validate({"messages": [{"role": "user", "content": "a b"}], "max_tokens": 3}), 2, 3),
        (LegacyBody.model_validate({"prompt": "a b c"}), 3, None),
        (LegacyBody.model_validate({"prompt": ["a b", "c"], "max_tokens": 9}), 3, 9),
        (LegacyBody.model_validate({"prompt": [17, 4]}), 2, None),
        (LegacyBody.model_validate({"prompt": [[17, 4], [5]]}), 3, None),
        (ResponsesBody.model_validate({"input": "a b", "instructions": "c", "max_output_tokens": 4}), 3, 4),
        (ResponsesBody.model_validate({"input": [{"type": "function_call_output", "output": "x"}]}), 0, None),
        (
            ResponsesBody.model_validate(
                {"input": [{"role": "user", "content": [{"type": "input_text", "text": "a b"}]}]}
            ),
            2,
            None,
        ),
        (
            MessagesBody.model_validate(
                {"system": [{"type": "text", "text": "a"}], "messages": [{"role": "user", "content": "b c"}]}
            ),
            3,
            None,
        ),
        (MessagesBody.model_validate({"system": "a b", "max_tokens": 7}), 2, 7),
    ],
)
def test_body_gives_the_number_of_prompt_tokens_and_the_limit(body: Any, tokens: int, limit: int | None) -> None:
    prompt = body.prompt()
    assert (prompt.prompt_tokens, prompt.max_tokens) == (tokens, limit)

import json

import pytest
from llm_streams import (
    ANTHROPIC,
    GEMINI,
    OLLAMA_CHAT,
    OLLAMA_GENERATE,
    OPENAI_CHAT,
    OPENAI_COMPLETIONS,
    OPENAI_RESPONSES,
    Events,
    chat,
    data,
    typed,
)

from sseclient_cli.payload.llm_text import Chunk, ChunkKind, LlmShape, LlmStream
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.sse.event import Event


def read(events: Events, stream: LlmStream | None = None) -> list[Chunk]:
    stream = LlmStream() if stream is None else stream
    return [chunk for kind, text in events for chunk in stream.read(ParsedEvent(Event(kind, text, "")))]


def text_of(chunks: list[Chunk], kind: ChunkKind) -> str:
    return "".join(chunk.text for chunk in chunks if chunk.kind is kind)


@pytest.mark.parametrize(
    ("events", "shape", "reasoning", "arguments", "finish"),
    [
        (OPENAI_CHAT, LlmShape.OPENAI_CHAT, "Hm. Hm.", "{}", "stop"),
        (OPENAI_COMPLETIONS, LlmShape.OPENAI_COMPLETIONS, "", "", "length"),
        (OPENAI_RESPONSES, LlmShape.OPENAI_RESPONSES, "Hm.", "{}", "completed"),
        (ANTHROPIC, LlmShape.ANTHROPIC_MESSAGES, "Hm.", "{}", "end_turn"),
        (GEMINI, LlmShape.GEMINI, "Hm.", "", "STOP"),
        (OLLAMA_CHAT, LlmShape.OLLAMA, "Hm.", "", "stop"),
        (OLLAMA_GENERATE, LlmShape.OLLAMA, "", "", "stop"),
    ],
)
def test_each_api_is_recognised_and_read(
    events: Events, shape: LlmShape, reasoning: str, arguments: str, finish: str
) -> None:
    stream = LlmStream()
    chunks = read(events, stream)
    assert stream.shape is shape
    assert text_of(chunks, ChunkKind.CONTENT) == "Hello"
    assert text_of(chunks, ChunkKind.REASONING) == reasoning
    assert text_of(chunks, ChunkKind.TOOL_ARGUMENTS) == arguments
    assert text_of(chunks, ChunkKind.FINISH) == finish
    assert all(chunk.text or chunk.kind is ChunkKind.DONE for chunk in chunks)
    is_marked = shape is not LlmShape.GEMINI
    assert [chunk.kind for chunk in chunks].count(ChunkKind.DONE) == is_marked
    assert (chunks[-1].kind is ChunkKind.DONE) is is_marked


def test_a_refusal_and_the_number_of_a_choice_are_kept() -> None:
    assert read([chat({"refusal": "No."}, index=1)]) == [Chunk(ChunkKind.REFUSAL, "No.", 1)]
    assert read([typed("response.refusal.delta", delta="No.")]) == [Chunk(ChunkKind.REFUSAL, "No.")]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (typed("error", error={"type": "overloaded_error", "message": "Overloaded"}), "Overloaded (overloaded_error)"),
        (typed("error", code="server_error", message="Oops", param=None), "Oops (server_error)"),
        (typed("response.failed", response={"error": {"code": "rate", "message": "Slow"}}), "Slow (rate)"),
        (typed("response.failed", response={"error": None}), "the response failed"),
        (data(error={"code": 502, "message": "Bad"}, choices=[{"delta": {"content": ""}}]), "Bad (502)"),
        (data(error="model not found"), "model not found"),
        (data(error={"type": "x"}), "x"),
        (("error", "plain words"), "plain words"),
    ],
)
def test_an_error_in_the_stream_has_its_message(event: tuple[str, str], text: str) -> None:
    assert read([event]) == [Chunk(ChunkKind.ERROR, text)]


@pytest.mark.parametrize("error", [None, "", {}, False, True, 0.12, [1]])
def test_an_error_without_words_is_none(error: object) -> None:
    assert read([data(error=error, choices=[{"delta": {"content": "a"}}])]) == [Chunk(ChunkKind.CONTENT, "a")]


def test_an_answer_cut_by_its_limit_says_so() -> None:
    event = typed("response.incomplete", response={"incomplete_details": {"reason": "max_output_tokens"}})
    assert read([event]) == [Chunk(ChunkKind.FINISH, "max_output_tokens"), Chunk(ChunkKind.DONE)]


@pytest.mark.parametrize(
    "text",
    ["", "ping", "[]", "1", "null", "{}", '{"choices": 1}', '{"choices": [1, {"delta": null}]}', '{"type": 5}',
     '{"candidates": {}}', '{"done": false}', '{"message": {}, "done": "no"}', '{"n": 1}'],
)  # fmt: skip
def test_other_data_shows_no_shape_and_no_text(text: str) -> None:
    stream = LlmStream()
    assert (read([("message", text)], stream), stream.shape) == ([], None)


@pytest.mark.parametrize("wrong", [None, 1, True, [], {}, [1], {"a": 1}, "text"])
@pytest.mark.parametrize("events", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI, OLLAMA_CHAT])
def test_a_member_of_a_wrong_type_is_no_error(events: Events, wrong: object) -> None:
    stream = LlmStream()
    read(events, stream)
    for kind, text in events:
        if text.startswith("{"):
            value = json.loads(text)
            for name in value.keys() - {"error"}:
                read([(kind, json.dumps({**value, name: wrong}))], stream)

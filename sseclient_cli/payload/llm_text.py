"""The text in the stream of an LLM: its API, and the pieces that each event adds to the answer.

The shape is recognised from the events themselves, at the first event that only one API sends. Field names are those
of the providers' documentation:

- OpenAI, chat completions: ``choices[].delta`` with ``content``, ``refusal``, ``tool_calls[].function.arguments``;
  other servers add ``reasoning_content`` (DeepSeek, SGLang, older vLLM) or ``reasoning`` (OpenRouter, Groq, vLLM);
  ``finish_reason``; at the end ``[DONE]``, which is no JSON.
- OpenAI, completions: ``choices[].text``, ``finish_reason``, ``[DONE]``.
- OpenAI, responses: ``type`` is ``response.output_text.delta`` and so on, with ``delta``; at the end
  ``response.completed``, ``response.incomplete`` or ``response.failed``.
- Anthropic, messages: ``content_block_delta`` with ``delta.type`` ``text_delta``, ``thinking_delta`` or
  ``input_json_delta``; ``message_delta`` with ``delta.stop_reason``; at the end ``message_stop``.
- Google, Gemini: ``candidates[].content.parts[]`` with ``text`` and ``thought``; ``finishReason``; no mark at the end.
- Ollama: ``message.content`` (chat) or ``response`` (generate), ``thinking``; at the end ``done`` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from sseclient_cli.payload.parsed_event import ParsedEvent

DONE = "[DONE]"
"""The data of the last event of OpenAI's completions, and of most servers that follow it."""


class LlmShape(Enum):
    """The API that a stream speaks."""

    OPENAI_CHAT = "OpenAI chat completions"
    OPENAI_COMPLETIONS = "OpenAI completions"
    OPENAI_RESPONSES = "OpenAI responses"
    ANTHROPIC_MESSAGES = "Anthropic messages"
    GEMINI = "Gemini"
    OLLAMA = "Ollama"


class ChunkKind(Enum):
    """The part of an answer that a chunk belongs to."""

    CONTENT = "content"
    REASONING = "reasoning"
    REFUSAL = "refusal"
    TOOL_ARGUMENTS = "tool call arguments"
    FINISH = "finish reason"
    ERROR = "error"
    DONE = "end of the answer"


class Chunk(NamedTuple):
    """A piece of an answer. ``choice`` numbers the answers of a request for several (``n``)."""

    kind: ChunkKind
    text: str = ""
    choice: int = 0


END_MARKS = {
    LlmShape.OPENAI_CHAT: DONE,
    LlmShape.OPENAI_COMPLETIONS: DONE,
    LlmShape.OPENAI_RESPONSES: "response.completed",
    LlmShape.ANTHROPIC_MESSAGES: "message_stop",
    LlmShape.OLLAMA: '"done": true',
}
"""What ends an answer, as messages name it. Gemini has no such mark."""


class LlmStream:
    """Reads the events of one stream. Without a given shape, ``shape`` is None until an event has shown it."""

    __slots__ = ("shape",)

    def __init__(self, shape: LlmShape | None = None) -> None:
        self.shape = shape

    def read(self, parsed: ParsedEvent) -> list[Chunk]:
        """Return the pieces that the next event adds, without empty text."""
        if parsed.event.data.strip() == DONE:
            # Not the mark of another API: answers in the form of the wrong API would all be complete, and empty.
            is_own = self.shape not in (LlmShape.OPENAI_RESPONSES, LlmShape.ANTHROPIC_MESSAGES)
            return [Chunk(ChunkKind.DONE)] if is_own else []
        value = parsed.value
        if not isinstance(value, dict):
            return [Chunk(ChunkKind.ERROR, parsed.event.data)] if parsed.event.type == "error" else []
        if parsed.event.type == "error" or value.get("type") == "error" or _has_error(value):
            return [Chunk(ChunkKind.ERROR, error_text(value))]
        if self.shape is None:
            self.shape = shape_of(value)
        if self.shape is None:
            return []
        return [chunk for chunk in _READERS[self.shape](value) if chunk.text or chunk.kind is ChunkKind.DONE]


def _has_error(value: dict[str, Any]) -> bool:
    """Return whether an object reports an error: ``error`` may also be a number or a flag of other data."""
    error = value.get("error")
    return isinstance(error, dict | str) and bool(error)


def shape_of(value: dict[str, Any]) -> LlmShape | None:
    """Return the API whose events look like this JSON object; None if none does."""
    return next((shape for shape, looks_like in _SHAPES.items() if looks_like(value)), None)


def _is_chat(value: dict[str, Any]) -> bool:
    has_delta = any(isinstance(choice.get("delta"), dict) for choice in _objects(value, "choices"))
    return has_delta or value.get("object") == "chat.completion.chunk"


_ANTHROPIC_TYPES = {"message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"}

_SHAPES: dict[LlmShape, Callable[[dict[str, Any]], bool]] = {
    LlmShape.OPENAI_RESPONSES: lambda value: _text(value, "type").startswith("response."),
    LlmShape.ANTHROPIC_MESSAGES: lambda value: _text(value, "type") in _ANTHROPIC_TYPES,
    LlmShape.GEMINI: lambda value: bool(_objects(value, "candidates")),
    LlmShape.OPENAI_CHAT: _is_chat,
    LlmShape.OPENAI_COMPLETIONS: lambda value: any("text" in choice for choice in _objects(value, "choices")),
    LlmShape.OLLAMA: lambda value: (
        isinstance(value.get("done"), bool) and not value.keys().isdisjoint(("message", "response"))
    ),
}


def error_text(value: dict[str, Any]) -> str:
    """Return the message of an error event, with its type or code."""
    error = value.get("error")
    if isinstance(error, str):
        return error
    detail = error if isinstance(error, dict) else value
    names = (str(detail[name]) for name in ("type", "code", "status") if detail.get(name) not in (None, "", "error"))
    name = next(names, "")
    message = _text(detail, "message")
    return f"{message} ({name})" if message and name else message or name


def _openai_chat(value: dict[str, Any]) -> Iterator[Chunk]:
    for choice in _objects(value, "choices"):
        index = _index(choice)
        delta = _object(choice, "delta")
        # Most chunks have one member with text: each of the others would cost as much as this one.
        if "reasoning_content" in delta or "reasoning" in delta:
            yield Chunk(ChunkKind.REASONING, _text(delta, "reasoning_content") or _text(delta, "reasoning"), index)
        if "content" in delta:
            yield Chunk(ChunkKind.CONTENT, _text(delta, "content"), index)
        if "refusal" in delta:
            yield Chunk(ChunkKind.REFUSAL, _text(delta, "refusal"), index)
        if "tool_calls" in delta:
            for call in _objects(delta, "tool_calls"):
                yield Chunk(ChunkKind.TOOL_ARGUMENTS, _text(_object(call, "function"), "arguments"), index)
        if choice.get("finish_reason"):
            yield Chunk(ChunkKind.FINISH, _text(choice, "finish_reason"), index)


def _openai_completions(value: dict[str, Any]) -> Iterator[Chunk]:
    for choice in _objects(value, "choices"):
        yield Chunk(ChunkKind.CONTENT, _text(choice, "text"), _index(choice))
        yield Chunk(ChunkKind.FINISH, _text(choice, "finish_reason"), _index(choice))


_RESPONSES_DELTAS = {
    "response.output_text.delta": ChunkKind.CONTENT,
    "response.refusal.delta": ChunkKind.REFUSAL,
    "response.reasoning_text.delta": ChunkKind.REASONING,
    "response.reasoning_summary_text.delta": ChunkKind.REASONING,
    "response.function_call_arguments.delta": ChunkKind.TOOL_ARGUMENTS,
    "response.custom_tool_call_input.delta": ChunkKind.TOOL_ARGUMENTS,
    "response.mcp_call_arguments.delta": ChunkKind.TOOL_ARGUMENTS,
}


def _openai_responses(value: dict[str, Any]) -> Iterator[Chunk]:
    kind = _text(value, "type")
    response = _object(value, "response")
    if kind in _RESPONSES_DELTAS:
        yield Chunk(_RESPONSES_DELTAS[kind], _text(value, "delta"))
    elif kind == "response.failed":
        yield Chunk(ChunkKind.ERROR, error_text(response) or "the response failed")
    elif kind in ("response.completed", "response.incomplete"):
        reason = _text(_object(response, "incomplete_details"), "reason")
        yield Chunk(ChunkKind.FINISH, reason or kind.removeprefix("response."))
        yield Chunk(ChunkKind.DONE)


_ANTHROPIC_DELTAS = {
    "text_delta": (ChunkKind.CONTENT, "text"),
    "thinking_delta": (ChunkKind.REASONING, "thinking"),
    "input_json_delta": (ChunkKind.TOOL_ARGUMENTS, "partial_json"),
}


def _anthropic_messages(value: dict[str, Any]) -> Iterator[Chunk]:
    delta = _object(value, "delta")
    match _text(value, "type"):
        case "content_block_delta":
            kind, field = _ANTHROPIC_DELTAS.get(_text(delta, "type"), (ChunkKind.CONTENT, ""))
            yield Chunk(kind, _text(delta, field))
        case "message_delta":
            yield Chunk(ChunkKind.FINISH, _text(delta, "stop_reason"))
        case "message_stop":
            yield Chunk(ChunkKind.DONE)


def _gemini(value: dict[str, Any]) -> Iterator[Chunk]:
    for candidate in _objects(value, "candidates"):
        for part in _objects(_object(candidate, "content"), "parts"):
            kind = ChunkKind.REASONING if part.get("thought") is True else ChunkKind.CONTENT
            yield Chunk(kind, _text(part, "text"), _index(candidate))
        yield Chunk(ChunkKind.FINISH, _text(candidate, "finishReason"), _index(candidate))


def _ollama(value: dict[str, Any]) -> Iterator[Chunk]:
    message = _object(value, "message") or value
    yield Chunk(ChunkKind.REASONING, _text(message, "thinking"))
    yield Chunk(ChunkKind.CONTENT, _text(message, "content") or _text(value, "response"))
    if value.get("done") is True:
        yield Chunk(ChunkKind.FINISH, _text(value, "done_reason"))
        yield Chunk(ChunkKind.DONE)


_READERS: dict[LlmShape, Callable[[dict[str, Any]], Iterator[Chunk]]] = {
    LlmShape.OPENAI_CHAT: _openai_chat,
    LlmShape.OPENAI_COMPLETIONS: _openai_completions,
    LlmShape.OPENAI_RESPONSES: _openai_responses,
    LlmShape.ANTHROPIC_MESSAGES: _anthropic_messages,
    LlmShape.GEMINI: _gemini,
    LlmShape.OLLAMA: _ollama,
}


def _text(value: dict[str, Any], name: str) -> str:
    """Return a member that is a string, else an empty string: providers send null for a missing text."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0

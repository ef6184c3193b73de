"""Streams as the APIs of LLMs send them, shortened: (event type, data) pairs."""

from __future__ import annotations

import json
from typing import Any

Events = list[tuple[str, str]]


def chat(delta: dict[str, Any], finish_reason: str | None = None, index: int = 0) -> tuple[str, str]:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return "message", json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice], "usage": None})


def typed(type: str, **members: Any) -> tuple[str, str]:  # noqa: A002  the member's name
    return type, json.dumps({"type": type, **members})


def data(**members: Any) -> tuple[str, str]:
    return "message", json.dumps(members)


DONE = ("message", "[DONE]")

OPENAI_CHAT: Events = [
    data(choices=[], prompt_filter_results=[]),  # Azure
    chat({"role": "assistant", "content": "", "refusal": None}),
    chat({"reasoning_content": "Hm. "}),
    chat({"reasoning": "Hm."}),
    chat({"content": "He"}),
    chat({"content": "llo", "reasoning_content": None}),
    chat({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}),
    chat({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
    chat({}, "stop"),
    data(object="chat.completion.chunk", choices=[], usage={"total_tokens": 9}),
    DONE,
]
OPENAI_COMPLETIONS: Events = [
    data(object="text_completion", choices=[{"text": "He", "index": 0, "finish_reason": None}]),
    data(object="text_completion", choices=[{"text": "llo", "index": 0, "finish_reason": "length"}]),
    DONE,
]
OPENAI_RESPONSES: Events = [
    typed("response.created", response={"status": "in_progress", "error": None}),
    typed("response.reasoning_summary_text.delta", delta="Hm."),
    typed("response.output_text.delta", delta="He", logprobs=[]),
    typed("response.output_text.delta", delta="llo"),
    typed("response.output_text.done", text="Hello"),
    typed("response.function_call_arguments.delta", delta="{}"),
    typed("response.completed", response={"status": "completed", "error": None}),
]
ANTHROPIC: Events = [
    typed("message_start", message={"content": []}),
    typed("ping"),
    typed("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
    typed("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm."}),
    typed("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "EqQ"}),
    typed("content_block_delta", index=1, delta={"type": "text_delta", "text": "He"}),
    typed("content_block_delta", index=1, delta={"type": "text_delta", "text": "llo"}),
    typed("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": "{}"}),
    typed("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}),
    typed("message_stop"),
]
GEMINI: Events = [
    data(candidates=[{"content": {"parts": [{"text": "Hm.", "thought": True}, {"text": "He"}], "role": "model"}}]),
    data(candidates=[{"content": {"parts": [{"text": "llo"}]}, "finishReason": "STOP", "index": 0}], usageMetadata={}),
]
OLLAMA_CHAT: Events = [
    data(model="m", message={"role": "assistant", "content": "", "thinking": "Hm."}, done=False),
    data(model="m", message={"role": "assistant", "content": "Hello"}, done=False),
    data(model="m", message={"role": "assistant", "content": ""}, done=True, done_reason="stop"),
]
OLLAMA_GENERATE: Events = [data(response="Hello", done=False), data(response="", done=True, done_reason="stop")]


def body(events: Events) -> bytes:
    """Return the events as a server sends them."""
    return "".join(
        ("" if kind == "message" else f"event: {kind}\n") + f"data: {text}\n\n" for kind, text in events
    ).encode()

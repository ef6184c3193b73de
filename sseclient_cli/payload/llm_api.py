"""The LLM APIs that a request can be made for, and the counts of tokens that their streams report. Pure."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from sseclient_cli.payload.llm_text import LlmShape


class LlmApi(Enum):
    """The API of a load test, by its name on the command line. AUTO: recognised from the events."""

    AUTO = "auto"
    OPENAI_CHAT = "openai-chat"
    OPENAI_COMPLETIONS = "openai-completions"
    OPENAI_RESPONSES = "openai-responses"
    ANTHROPIC = "anthropic"

    @property
    def shape(self) -> LlmShape | None:
        """The shape of its events; None for AUTO."""
        return _SHAPES.get(self)


_SHAPES = {
    LlmApi.OPENAI_CHAT: LlmShape.OPENAI_CHAT,
    LlmApi.OPENAI_COMPLETIONS: LlmShape.OPENAI_COMPLETIONS,
    LlmApi.OPENAI_RESPONSES: LlmShape.OPENAI_RESPONSES,
    LlmApi.ANTHROPIC: LlmShape.ANTHROPIC_MESSAGES,
}


USAGE_MEMBERS = frozenset({"usage", "response", "message", "usageMetadata", "eval_count"})
"""An event without any of these members has no counts of tokens."""


class Usage(NamedTuple):
    """The server's own counts of tokens; None where it sent none."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    """Reasoning included."""
    reasoning_tokens: int | None = None

    def updated(self, value: dict[str, Any]) -> Usage:
        """Return the counts after an event with this JSON object. Later counts replace earlier ones.

        Anthropic sends the input with ``message_start``, and counts of the output so far with ``message_delta``; vLLM
        can send counts so far with each chunk.
        """
        found = _usage_in(value)
        if found is None:
            return self
        return Usage(*(old if new is None else new for old, new in zip(self, found, strict=True)))


def _usage_in(value: dict[str, Any]) -> Usage | None:
    """Return the counts in an event: OpenAI's and Anthropic's ``usage``, Gemini's ``usageMetadata``, Ollama's."""
    usage = value.get("usage")
    if not isinstance(usage, dict):
        inner = value.get("response") or value.get("message")
        usage = inner.get("usage") if isinstance(inner, dict) else None
    if isinstance(usage, dict):
        details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
        return Usage(
            _count(usage, "prompt_tokens", "input_tokens"),
            _count(usage, "completion_tokens", "output_tokens"),
            _count(details, "reasoning_tokens") if isinstance(details, dict) else None,
        )
    usage = value.get("usageMetadata")
    if isinstance(usage, dict):
        thoughts, answer = _count(usage, "thoughtsTokenCount"), _count(usage, "candidatesTokenCount")
        return Usage(_count(usage, "promptTokenCount"), None if answer is None else answer + (thoughts or 0), thoughts)
    if "eval_count" in value:
        return Usage(_count(value, "prompt_eval_count"), _count(value, "eval_count"))
    return None


def _count(usage: dict[str, Any], *names: str) -> int | None:
    counts = (usage.get(name) for name in names)
    return next((each for each in counts if isinstance(each, int) and not isinstance(each, bool) and each >= 0), None)

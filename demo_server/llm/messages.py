"""Anthropic's messages: the body of a request, and the encoder of an answer.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field

from demo_server.llm.answer import Answer, Part, Prompt
from demo_server.llm.bodies import ContentPart, LlmBody, Message, TokenLimit, prompt_words
from demo_server.llm.events import FAILURE, REFUSAL, Event, named, quote

ERRORS = {
    429: {"type": "rate_limit_error", "message": REFUSAL},
    500: {"type": "api_error", "message": FAILURE},
}
SIGNATURE = "ZGVtbw=="
"""Real ones prove where the reasoning is from. Clients only send them back."""

EMPTY_BLOCKS = {
    Part.REASONING: {"type": "thinking", "thinking": "", "signature": ""},
    Part.ANSWER: {"type": "text", "text": ""},
}
DELTAS = {Part.REASONING: ("thinking_delta", "thinking"), Part.ANSWER: ("text_delta", "text")}


class MessagesBody(LlmBody):
    """The fields of Anthropic's body that this server uses. Clients send many more, which are ignored."""

    messages: Annotated[list[Message], Field(default_factory=list, description="Only their words are counted.")]
    system: Annotated[str | list[ContentPart] | None, Field(description="Its words are counted as well.")] = None
    max_tokens: Annotated[TokenLimit | None, Field(description="Maximum number of tokens. Anthropic requires it.")] = (
        None
    )

    def prompt(self) -> Prompt:
        """Return the part that has an effect."""
        system = Message(role="system", content=self.system)
        return Prompt(self.model, prompt_words([system, *self.messages]), self.max_tokens)


class MessagesEncoder:
    """Encodes one answer as message."""

    def __init__(self, answer: Answer, unique: str, _: int) -> None:
        self._answer = answer
        self._id = f"msg_{unique}"
        self._index = -1
        self._open: Part | None = None
        self._before, self._after = b"", b""

    @property
    def finish_reason(self) -> str:
        """Anthropic's reason for the end of the answer."""
        return "max_tokens" if self._answer.is_cut_at_limit else "end_turn"

    def start(self) -> Iterable[Event]:
        """Return the beginning of the message."""
        return [Event(named("message_start", {"message": self._message([], None, {"output_tokens": 1})}), Part.START)]

    def begin(self, part: Part) -> Iterable[Event]:
        """Yield the end of the last content block and the beginning of the next one."""
        yield from self._end_block()
        self._open = part
        self._index += 1
        block = {"index": self._index, "content_block": EMPTY_BLOCKS[part]}
        yield Event(named("content_block_start", block))
        if self._index == 0:
            yield Event(named("ping", {}))
        kind, field = DELTAS[part]
        template = named("content_block_delta", {"index": self._index, "delta": {"type": kind, field: "TEXT"}})
        self._before, self._after = template.split(b'"TEXT"')

    def delta(self, text: str) -> bytes:
        """Return the event with the next text."""
        return self._before + quote(text).encode() + self._after

    def finish(self) -> Iterable[Event]:
        """Yield the stop reason with the usage, and the end."""
        yield from self._end_block()
        delta = {"stop_reason": self.finish_reason, "stop_sequence": None}
        yield Event(named("message_delta", {"delta": delta, "usage": self._output_usage()}), Part.FINISH)
        yield Event(named("message_stop", {}), Part.DONE)

    def failure(self) -> bytes:
        """Return the event with an error."""
        return named("error", {"error": ERRORS[500]})

    def _end_block(self) -> Iterable[Event]:
        if self._open is None:
            return
        if self._open is Part.REASONING:
            signature = {"type": "signature_delta", "signature": SIGNATURE}
            yield Event(named("content_block_delta", {"index": self._index, "delta": signature}))
        yield Event(named("content_block_stop", {"index": self._index}))

    def whole(self) -> dict[str, Any]:
        """Return the answer as one object."""
        answer = self._answer
        blocks: list[dict[str, str]] = []
        if answer.reasoning_tokens:
            blocks.append({"type": "thinking", "thinking": answer.text(Part.REASONING), "signature": SIGNATURE})
        if answer.answer_tokens:
            blocks.append({"type": "text", "text": answer.text(Part.ANSWER)})
        return self._message(blocks, self.finish_reason, self._output_usage())

    def error(self, status: int) -> dict[str, Any]:
        """Return the body of an error response."""
        return {"type": "error", "error": ERRORS[status]}

    def _message(
        self, blocks: list[dict[str, str]], stop_reason: str | None, output_usage: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._answer.prompt.model,
            "content": blocks,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": self._answer.prompt.prompt_tokens, **output_usage},
        }

    def _output_usage(self) -> dict[str, Any]:
        """Return the number of tokens that were generated; reasoning is detailed only if it was requested."""
        answer = self._answer
        details = {"output_tokens_details": {"thinking_tokens": answer.reasoning_tokens}}
        return {"output_tokens": answer.token_count, **(details if answer.parameters.reasoning else {})}

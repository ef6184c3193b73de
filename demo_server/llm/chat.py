"""OpenAI's chat completions: the body of a request, and the encoder of an answer.

https://developers.openai.com/api/reference/resources/chat/subresources/completions
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field

from demo_server.llm.answer import Answer, Part, Prompt
from demo_server.llm.bodies import LlmBody, Message, StreamOptions, TokenLimit, prompt_words
from demo_server.llm.events import FAILURE, REFUSAL, Event, compact, quote

ERRORS: dict[int, dict[str, object]] = {
    429: {"message": REFUSAL, "type": "requests", "param": None, "code": "rate_limit_exceeded"},
    500: {"message": FAILURE, "type": "server_error", "param": None, "code": None},
}
"""The errors of all OpenAI APIs, by status. A stream has the one of 500."""
DONE = Event(b"data: [DONE]\n\n", Part.DONE)


class ChatBody(LlmBody):
    """The fields of OpenAI's body that this server uses. Clients send many more, which are ignored."""

    messages: Annotated[list[Message], Field(default_factory=list, description="Only their words are counted.")]
    stream_options: StreamOptions | None = None
    max_completion_tokens: Annotated[TokenLimit | None, Field(description="Maximum number of tokens.")] = None
    max_tokens: Annotated[TokenLimit | None, Field(description="The older name of max_completion_tokens.")] = None
    seed: Annotated[int | None, Field(description="Like seed in the query, which has precedence.")] = None

    def prompt(self) -> Prompt:
        """Return the part that has an effect."""
        limit = self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens
        include_usage = self.stream_options.include_usage if self.stream_options else None
        return Prompt(self.model, prompt_words(self.messages), limit, self.seed, include_usage)


def usage(answer: Answer) -> dict[str, object]:
    """Return OpenAI's token counts. Reasoning is detailed only if it was requested."""
    prompt, completion = answer.prompt.prompt_tokens, answer.token_count
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if not answer.parameters.reasoning:
        return {**counts}
    return {**counts, "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens}}


class ChatEncoder:
    """Encodes one answer as chat completion. legacy.py replaces what differs."""

    id_prefix = "chatcmpl"
    chunk_type = "chat.completion.chunk"
    whole_type = "chat.completion"

    def __init__(self, answer: Answer, unique: str, created_s: int) -> None:
        self._answer = answer
        self._unique, self._created_s = unique, created_s
        # "All other chunks will also include a usage field, but with a null value."
        self._has_usage_chunk = answer.prompt.include_usage is True
        self._in_all_chunks: dict[str, object] = {"usage": None} if self._has_usage_chunk else {}
        self._before, self._after = b"", b""

    @property
    def finish_reason(self) -> str:
        """OpenAI's reason for the end of the answer."""
        return "length" if self._answer.is_cut_at_limit else "stop"

    def start(self) -> Iterable[Event]:
        """Return the chunk with the role."""
        return [Event(self._chunk(chat_choice({"role": "assistant", "content": ""})), Part.START)]

    def begin(self, part: Part) -> Iterable[Event]:
        """Encode the rest of the chunks once, so that a token costs one concatenation."""
        placeholder = self._unique  # in no other field
        template = self._chunk(self.text_choice(part, placeholder))
        self._before, self._after = template.split(b'"%s"' % placeholder.encode())
        return ()

    def delta(self, text: str) -> bytes:
        """Return the chunk with the next text."""
        return self._before + quote(text).encode() + self._after

    def finish(self) -> Iterable[Event]:
        """Return the finish reason, the usage and the end."""
        counts: dict[str, object] = {"usage": usage(self._answer)}
        in_last_chunk = counts if self._answer.prompt.include_usage is None else self._in_all_chunks
        yield Event(self._encode([self.last_choice()], in_last_chunk), Part.FINISH)
        # "An additional chunk will be streamed before the data: [DONE] message."
        if self._has_usage_chunk:
            yield Event(self._encode([], counts))
        yield DONE

    def failure(self) -> bytes:
        """Return the event with an error."""
        return f"data: {compact(self.error(500))}\n\n".encode()

    def text_choice(self, part: Part, text: str) -> dict[str, object]:
        """Return the choice of a chunk with text."""
        return chat_choice({"reasoning_content" if part is Part.REASONING else "content": text})

    def last_choice(self) -> dict[str, object]:
        """Return the choice of the last chunk."""
        return chat_choice({}, self.finish_reason)

    def whole_choice(self) -> dict[str, object]:
        """Return the choice with the complete answer."""
        answer = self._answer
        message = {"role": "assistant", "content": answer.text(Part.ANSWER), "refusal": None}
        if answer.reasoning_tokens:
            message["reasoning_content"] = answer.text(Part.REASONING)
        return {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}

    def _chunk(self, choice: dict[str, object]) -> bytes:
        return self._encode([choice], self._in_all_chunks)

    def _encode(self, choices: list[dict[str, object]], usage_field: dict[str, object]) -> bytes:
        chunk = {**self._head(self.chunk_type), "choices": choices, **usage_field}
        return f"data: {compact(chunk)}\n\n".encode()

    def whole(self) -> dict[str, Any]:
        """Return the answer as one object."""
        return {**self._head(self.whole_type), "choices": [self.whole_choice()], "usage": usage(self._answer)}

    def error(self, status: int) -> dict[str, Any]:
        """Return the body of an error response."""
        return {"error": ERRORS[status]}

    def _head(self, object_type: str) -> dict[str, object]:
        """Return the fields that every chunk repeats."""
        return {
            "id": f"{self.id_prefix}-{self._unique}",
            "object": object_type,
            "created": self._created_s,
            "model": self._answer.prompt.model,
        }


def chat_choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, object]:
    """Return the choice of a chunk."""
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}

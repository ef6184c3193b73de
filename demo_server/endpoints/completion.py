"""One chat completion in OpenAI's format: its tokens, their due times, and its chunks.

Pure, apart from a random id, a random seed and the time of creation. A token is a word, also in the prompt.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from demo_server.endpoints.sentences import due_s, words
from demo_server.streams.parameters import Seconds

MAX_TOKENS = 100_000  # with "stream": false they are one JSON text, whose encoding blocks all streams

TokenLimit = Annotated[int, Field(ge=1)]


class ContentPart(BaseModel):
    """A part of a message. Only text is counted."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """A message of the conversation."""

    role: str
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """All text of the message."""
        if isinstance(self.content, list):
            return " ".join(part.text or "" for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """OpenAI's options of a stream."""

    include_usage: bool | None = None


class CompletionRequest(BaseModel):
    """The fields of OpenAI's body that this server uses. Clients send many more, which are ignored."""

    model: Annotated[str, Field(description="Returned in the answer.")] = "demo"
    messages: Annotated[list[Message], Field(description="Only their words are counted.")] = []
    stream: Annotated[bool | None, Field(description="Whether to stream the answer or send one JSON object.")] = False
    stream_options: StreamOptions | None = None
    max_completion_tokens: Annotated[TokenLimit | None, Field(description="Maximum number of tokens.")] = None
    max_tokens: Annotated[TokenLimit | None, Field(description="The older name of max_completion_tokens.")] = None
    seed: Annotated[int | None, Field(description="Like seed in the query, which has precedence.")] = None

    @model_validator(mode="before")
    @classmethod
    def check_content_type(cls, body: object) -> object:
        """Explain the error of `curl -d` without a Content-Type: FastAPI passes such a body on as bytes."""
        if isinstance(body, bytes):
            raise ValueError("not JSON: a JSON body needs the header Content-Type: application/json")  # noqa: TRY004
        return body


class CompletionParameters(BaseModel):
    """The query: the properties that the model of a real server has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttft: Annotated[Seconds, Field(description="Time to first token, in seconds.")] = 0.3
    rate: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="Tokens per second; 0: as fast as the client reads.")
    ] = 50.0
    tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS, description="Length of the answer in tokens.")] = 64
    jitter: Annotated[
        float, Field(ge=0, le=1, description="Maximum random delay of a token, as a share of the interval.")
    ] = 0.0
    seed: Annotated[int | None, Field(description="Seed of the words and the jitter.")] = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer. Its words and times depend only on these fields."""

    id: str
    created: int
    parameters: CompletionParameters
    request: CompletionRequest
    seed: int

    @classmethod
    def of(cls, parameters: CompletionParameters, request: CompletionRequest) -> Completion:
        """Return the answer to a request."""
        seeds = (parameters.seed, request.seed, secrets.randbits(32))
        seed = next(seed for seed in seeds if seed is not None)
        return cls(f"chatcmpl-{secrets.token_hex(12)}", int(time.time()), parameters, request, seed)

    @property
    def token_count(self) -> int:
        """Number of tokens to send."""
        limits = (self.request.max_completion_tokens, self.request.max_tokens, MAX_TOKENS)
        return min(self.parameters.tokens, next(limit for limit in limits if limit is not None))

    @property
    def finish_reason(self) -> str:
        """OpenAI's reason for the end of the answer."""
        return "length" if self.token_count < self.parameters.tokens else "stop"

    @property
    def usage(self) -> dict[str, int]:
        """OpenAI's token counts."""
        prompt = sum(len(message.text.split()) for message in self.request.messages)
        total = prompt + self.token_count
        return {"prompt_tokens": prompt, "completion_tokens": self.token_count, "total_tokens": total}

    def tokens(self) -> Iterator[str]:
        """Yield the words, each with a leading space except the first."""
        return islice(words(self.seed), self.token_count)

    def due_s(self) -> Iterator[float]:
        """Yield for each token the seconds from the request until it is due, without end."""
        parameters = self.parameters
        return due_s(parameters.ttft, 1 / parameters.rate if parameters.rate else 0.0, parameters.jitter, self.seed)

    def events(self) -> Iterator[tuple[float, str]]:
        """Yield for each event the seconds from the request until it is due, and its data."""
        options = self.request.stream_options or StreamOptions()
        # https://developers.openai.com/api/reference/resources/chat/subresources/completions: with include_usage "an
        # additional chunk will be streamed before the data: [DONE] message", and "all other chunks will also include a
        # usage field, but with a null value".
        in_all_chunks: dict[str, object] = {"usage": None} if options.include_usage else {}
        in_last_chunk: dict[str, object] = {"usage": self.usage} if options.include_usage is None else in_all_chunks
        role = {"role": "assistant", "content": ""}
        deltas = chain([role], ({"content": token} for token in self.tokens()))
        dues_s = self.due_s()
        last_s = first_s = next(dues_s)
        for last_s, delta in zip(chain([first_s, first_s], dues_s), deltas, strict=False):
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
            yield last_s, self.chunk([choice], in_all_chunks)
        end = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": self.finish_reason}
        yield last_s, self.chunk([end], in_last_chunk)
        if options.include_usage:
            yield last_s, self.chunk([], {"usage": self.usage})
        yield last_s, "[DONE]"

    def chunk(self, choices: list[dict[str, object]], usage: dict[str, object]) -> str:
        """Return one chunk of the stream as compact JSON, like OpenAI."""
        return json.dumps({**self.head("chat.completion.chunk"), "choices": choices, **usage}, separators=(",", ":"))

    def whole(self) -> dict[str, object]:
        """Return the answer as one object, for requests without `stream`."""
        message = {"role": "assistant", "content": "".join(self.tokens()), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self.head("chat.completion"), "choices": [choice], "usage": self.usage}

    def head(self, kind: str) -> dict[str, object]:
        """Return the fields that every chunk repeats."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.request.model}

"""``POST /v1/chat/completions``: the stream that LLM servers send, in OpenAI's shape and at a pace of your choice.

It says sentences about event streams, whatever it is asked. What it promises is the shape (chunks, usage, ``[DONE]``)
and the pace: the first token no sooner than after ``ttft``, token k of the others k / ``rate`` later, late by a random
share of the interval at most, and never by the sum of what was late before. A token is a word here, in the prompt too.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated, Any

import sse_starlette
from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from demo_server.endpoints.sentences import due_s, words
from demo_server.streams.messages import going_down
from demo_server.streams.parameters import Seconds
from demo_server.streams.stream import SEND_TIMEOUT_S, Notice, Streams, opened

MAX_TOKENS = 100_000  # with "stream": false they are one JSON text, made while all streams wait

DESCRIPTION = """Answers as an OpenAI-compatible server does, with words from a small supply of sentences. Point such a
client at `http://127.0.0.1:8000/v1`, with any API key.

The body is OpenAI's. `model` and `messages` may be left out, and what a demo has no use for (`temperature`, `n`,
`tools`, ...) is ignored. A token is a word: `usage` counts the words of the prompt and of the answer.

`usage` is in the last chunk that has a choice. With `"stream_options": {"include_usage": true}` it is where OpenAI has
it, in one more chunk without choices; with `false` there is none. Then comes `data: [DONE]`. A stream that ends without
is not complete: the server went down, and said so in a comment.

The query sets the pace, and how much there is to say. The same seed gives the same words at the same distances."""

EXAMPLES: dict[str, Any] = {
    "stream": {"value": {"stream": True, "messages": [{"role": "user", "content": "What is an event stream?"}]}},
    "usage as OpenAI has it": {
        "value": {"stream": True, "stream_options": {"include_usage": True}, "messages": [], "max_tokens": 8}
    },
    "not a stream": {"value": {"model": "demo", "messages": [{"role": "user", "content": "In one piece, please."}]}},
}

STREAM_EXAMPLE = """data: {"id":"chatcmpl-4f1c","object":"chat.completion.chunk","created":1767225600,"model":"demo",\
"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-4f1c","object":"chat.completion.chunk","created":1767225600,"model":"demo",\
"choices":[{"index":0,"delta":{"content":"An"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-4f1c","object":"chat.completion.chunk","created":1767225600,"model":"demo",\
"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}],\
"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}

data: [DONE]

"""

TokenLimit = Annotated[int, Field(ge=1)]


class ContentPart(BaseModel):
    """A piece of a message; only text is counted."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """What was said so far."""

    role: str
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """All text of the message."""
        if isinstance(self.content, list):
            return " ".join(part.text or "" for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool | None = None


class CompletionRequest(BaseModel):
    """OpenAI's body, as far as it matters here; clients send much else."""

    model: Annotated[str, Field(description="Comes back in the answer.")] = "demo"
    messages: Annotated[list[Message], Field(description="Only their words are counted.")] = []
    stream: Annotated[bool | None, Field(description="Whether to stream; otherwise the answer is one JSON.")] = False
    stream_options: StreamOptions | None = None
    max_completion_tokens: Annotated[TokenLimit | None, Field(description="Cut the answer after so many.")] = None
    max_tokens: Annotated[TokenLimit | None, Field(description="The older name of max_completion_tokens.")] = None
    seed: Annotated[int | None, Field(description="As in the query, which goes first.")] = None

    @model_validator(mode="before")
    @classmethod
    def check_content_type(cls, body: object) -> object:
        """Say what is wrong with what `curl -d` sends: FastAPI hands over, unread, what is not declared as JSON."""
        if isinstance(body, bytes):
            raise ValueError("not JSON: a JSON body needs the header Content-Type: application/json")  # noqa: TRY004
        return body


class CompletionParameters(BaseModel):
    """The query: what OpenAI leaves to the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttft: Annotated[Seconds, Field(description="Seconds until the first token.")] = 0.3
    rate: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="Tokens per second; 0: as fast as the client reads.")
    ] = 50.0
    tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS, description="How many there are to say.")] = 64
    jitter: Annotated[
        float, Field(ge=0, le=1, description="How late a token may be, at random, as a share of the interval.")
    ] = 0.0
    seed: Annotated[int | None, Field(description="What the words and the jitter are drawn from.")] = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer as it was asked for; what it says and when follows from this alone."""

    id: str
    created: int
    parameters: CompletionParameters
    request: CompletionRequest
    seed: int

    @classmethod
    def of(cls, parameters: CompletionParameters, request: CompletionRequest) -> Completion:
        """Return a new one."""
        seeds = (parameters.seed, request.seed, secrets.randbits(32))
        seed = next(seed for seed in seeds if seed is not None)
        return cls(f"chatcmpl-{secrets.token_hex(12)}", int(time.time()), parameters, request, seed)

    @property
    def token_count(self) -> int:
        """How many tokens are sent."""
        limits = (self.request.max_completion_tokens, self.request.max_tokens, MAX_TOKENS)
        return min(self.parameters.tokens, next(limit for limit in limits if limit is not None))

    @property
    def finish_reason(self) -> str:
        """Why there are no more."""
        return "length" if self.token_count < self.parameters.tokens else "stop"

    @property
    def usage(self) -> dict[str, int]:
        """The bill."""
        prompt = sum(len(message.text.split()) for message in self.request.messages)
        total = prompt + self.token_count
        return {"prompt_tokens": prompt, "completion_tokens": self.token_count, "total_tokens": total}

    def tokens(self) -> Iterator[str]:
        """Yield the words, each but the first with the space before it."""
        return islice(words(self.seed), self.token_count)

    def due_s(self) -> Iterator[float]:
        """Yield the seconds from the request to each token, without end."""
        parameters = self.parameters
        return due_s(parameters.ttft, 1 / parameters.rate if parameters.rate else 0.0, parameters.jitter, self.seed)

    def events(self) -> Iterator[tuple[float, str]]:
        """Yield the data of each event of the stream, and how many seconds after the request it is due."""
        options = self.request.stream_options or StreamOptions()
        # https://developers.openai.com/api/reference/resources/chat/subresources/completions: with include_usage "an
        # additional chunk will be streamed before the data: [DONE] message", and "all other chunks will also include a
        # usage field, but with a null value".
        everywhere: dict[str, object] = {"usage": None} if options.include_usage else {}
        at_the_end: dict[str, object] = {"usage": self.usage} if options.include_usage is None else everywhere
        role = {"role": "assistant", "content": ""}
        deltas = chain([role], ({"content": token} for token in self.tokens()))
        dues_s = self.due_s()
        last_s = first_s = next(dues_s)
        for last_s, delta in zip(chain([first_s, first_s], dues_s), deltas, strict=False):
            yield (
                last_s,
                self.chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}], everywhere),
            )
        end = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": self.finish_reason}
        yield last_s, self.chunk([end], at_the_end)
        if options.include_usage:
            yield last_s, self.chunk([], {"usage": self.usage})
        yield last_s, "[DONE]"

    def chunk(self, choices: list[dict[str, object]], usage: dict[str, object]) -> str:
        """Return one chunk of the stream, as OpenAI encodes it."""
        return json.dumps({**self.head("chat.completion.chunk"), "choices": choices, **usage}, separators=(",", ":"))

    def whole(self) -> dict[str, object]:
        """Return what is answered if no stream is asked for."""
        message = {"role": "assistant", "content": "".join(self.tokens()), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self.head("chat.completion"), "choices": [choice], "usage": self.usage}

    def head(self, kind: str) -> dict[str, object]:
        """Return what each chunk says again."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.request.model}


completions = APIRouter(tags=["LLM"])


@completions.post(
    "/v1/chat/completions",
    summary="Answer as an LLM server does, token by token",
    description=DESCRIPTION,
    response_class=Response,
    responses={
        200: {
            "description": "The stream, or (without `stream`) one JSON after the time it would take.",
            "content": {
                "text/event-stream": {"example": STREAM_EXAMPLE},
                "application/json": {"schema": {"type": "object"}},
            },
        },
        503: {"description": "The server is going down (without `stream`; a stream says so in a comment)."},
    },
)
async def complete(
    request: Request,
    body: Annotated[CompletionRequest, Body(openapi_examples=EXAMPLES)],
    parameters: Annotated[CompletionParameters, Query()],
) -> Response:
    """Answer in one piece or as a stream."""
    started_s = asyncio.get_running_loop().time()
    completion = Completion.of(parameters, body)
    if not body.stream:
        return await answer_whole(request, completion, started_s)

    async def events() -> AsyncIterator[sse_starlette.ServerSentEvent]:
        with opened(request) as stream:
            for due_s, data in completion.events():
                await stream.sleep_until(started_s + due_s)
                if stream.ended:
                    break
                yield sse_starlette.ServerSentEvent(data, sep="\n")
                stream.count_event()
            if stream.is_farewell:
                yield sse_starlette.ServerSentEvent(comment=Notice.FAREWELL.value, sep="\n")

    return sse_starlette.EventSourceResponse(events(), sep="\n", send_timeout=SEND_TIMEOUT_S)


async def answer_whole(request: Request, completion: Completion, started_s: float) -> Response:
    """Answer after the time that the stream would take, unless the client or the server leaves before."""
    streams: Streams = request.app.state.streams
    with streams.hold(request.scope, request.receive) as stream:
        await stream.sleep_until(started_s + next(islice(completion.due_s(), completion.token_count - 1, None)))
    if stream.ended:
        return going_down()
    return Response(json.dumps(completion.whole()), media_type="application/json")

"""``POST /v1/chat/completions``: a stream like that of an OpenAI-compatible LLM server, at a configurable pace.

The answer consists of sentences about event streams, independently of the prompt. Format (chunks, usage, ``[DONE]``)
and pace are exact: the first token is due after ``ttft``, token k of the others k / ``rate`` later. A token is late by
a random share of the interval at most, and delays do not add up.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from demo_server.endpoints.answering import LLM_RESPONSES, respond, stream_or_object
from demo_server.llm.chat import ChatBody, ChatEncoder
from demo_server.llm.parameters import LlmParameters

DESCRIPTION = """Answer like an OpenAI-compatible server, with random sentences. Point a client at
`http://127.0.0.1:8000/v1`, with any API key.

The body is OpenAI's. `model` and `messages` are optional; other fields (`temperature`, `n`, `tools`, ...) are ignored.
A token is a word: `usage` counts the words of the prompt and of the answer.

`usage` is in the last chunk with a choice. With `"stream_options": {"include_usage": true}` it is in an additional
chunk without choices, like OpenAI's; with `false` it is left out. The stream ends with `data: [DONE]`. A stream without
it is incomplete: because of `cut_after` or `error_after`, or because the server has shut down, as a comment says.

The query sets the pace, the length and the faults of the answer. The same seed gives the same words and intervals.
`GET /v1/truth/{run}` returns when each part of each answer was sent."""

EXAMPLES: dict[str, Any] = {
    "stream": {"value": {"stream": True, "messages": [{"role": "user", "content": "What is an event stream?"}]}},
    "usage in a chunk of its own": {
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

router = APIRouter(tags=["LLM"])


@router.post(
    "/v1/chat/completions",
    summary="Answer like an LLM server, token by token",
    description=DESCRIPTION,
    response_class=Response,
    responses={**LLM_RESPONSES, 200: stream_or_object(STREAM_EXAMPLE)},
)
async def complete(
    request: Request,
    body: Annotated[ChatBody, Body(openapi_examples=EXAMPLES)],
    parameters: Annotated[LlmParameters, Query()],
) -> Response:
    """Answer as a stream or as one JSON object."""
    return await respond(request, "openai-chat", body, parameters, ChatEncoder)

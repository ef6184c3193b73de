"""Answer a request of any LLM API: as a stream, as one JSON object, or with a refusal."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response

from demo_server.llm.answer import Answer, Ending
from demo_server.llm.bodies import LlmBody
from demo_server.llm.events import Encoder
from demo_server.llm.parameters import DEFAULT_RETRY_AFTER_S, LlmParameters
from demo_server.llm.sending import AnswerStream, LoggedResponse, WholeAnswer, json_response
from demo_server.llm.truth_log import TruthLog
from demo_server.streams.arrival import arrival_of
from demo_server.workers.peers import Peers

MakeEncoder = Callable[[Answer, str, int], Encoder]
"""Takes the answer, the unique part of its id, and the time of its creation in s since 1970."""


def stream_or_object(example: str | None = None) -> dict[str, Any]:
    """Return the description of a 200 for OpenAPI."""
    return {
        "description": "The stream, or (without `stream`) one JSON object after the same time.",
        "content": {
            "text/event-stream": {} if example is None else {"example": example},
            "application/json": {"schema": {"type": "object"}},
        },
    }


LLM_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: stream_or_object(),
    429: {"description": "Refused by `refuse`."},
    500: {"description": "`error_after` without `stream`; a stream sends an error event."},
    503: {"description": "The server is shutting down (without `stream`; a stream sends a comment)."},
}


async def respond(
    request: Request, api: str, body: LlmBody, parameters: LlmParameters, make_encoder: MakeEncoder
) -> Response:
    """Return the response to a request."""
    started_ns = time.time_ns()
    arrival = arrival_of(request.scope)
    received_s = asyncio.get_running_loop().time() - max(started_ns - arrival.received_ns, 0) / 1e9
    peers: Peers = request.app.state.peers
    truth: TruthLog = request.app.state.truth_log
    number = (await peers.ask("enter_llm_run", parameters.run)).values[0]
    log = truth.begin(parameters.run, number, api, arrival, started_ns, is_stream=bool(body.stream))
    prompt = body.prompt()
    seeds = (parameters.seed, prompt.seed, secrets.randbits(32))
    answer = Answer(parameters, prompt, next(seed for seed in seeds if seed is not None))
    encoder = make_encoder(answer, secrets.token_hex(12), int(time.time()))
    if parameters.refuses(number):
        retry_after_s = DEFAULT_RETRY_AFTER_S if parameters.retry_after is None else parameters.retry_after
        refusal = json_response(encoder.error(429), 429, {"Retry-After": f"{retry_after_s}"})
        return LoggedResponse(refusal, log, Ending.REFUSED)
    response_type = AnswerStream if body.stream else WholeAnswer
    return response_type(request.app.state.streams, answer, encoder, log, received_s)

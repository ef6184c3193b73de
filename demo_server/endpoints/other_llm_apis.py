"""The answers of /v1/chat/completions in other formats: OpenAI's responses and completions, Anthropic's messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from demo_server.endpoints.answering import LLM_RESPONSES, respond
from demo_server.llm.legacy import LegacyBody, LegacyEncoder, LegacyParameters
from demo_server.llm.messages import MessagesBody, MessagesEncoder
from demo_server.llm.parameters import LlmParameters
from demo_server.llm.responses import ResponsesBody, ResponsesEncoder

router = APIRouter(tags=["LLM"])

Parameters = Annotated[LlmParameters, Query()]


@router.post(
    "/v1/responses",
    summary="Answer in the format of OpenAI's responses",
    response_class=Response,
    responses=LLM_RESPONSES,
)
async def respond_to_input(request: Request, body: ResponsesBody, parameters: Parameters) -> Response:
    """Answer like /v1/chat/completions, with typed events up to `response.completed` or `response.incomplete`."""
    return await respond(request, "openai-responses", body, parameters, ResponsesEncoder)


@router.post(
    "/v1/messages",
    summary="Answer in the format of Anthropic's messages",
    response_class=Response,
    responses=LLM_RESPONSES,
)
async def answer_messages(request: Request, body: MessagesBody, parameters: Parameters) -> Response:
    """Answer like /v1/chat/completions, with typed events up to `message_stop`; reasoning is a thinking block."""
    return await respond(request, "anthropic", body, parameters, MessagesEncoder)


@router.post(
    "/v1/completions",
    summary="Answer in the format of OpenAI's older completions",
    response_class=Response,
    responses=LLM_RESPONSES,
)
async def complete_prompt(
    request: Request, body: LegacyBody, parameters: Annotated[LegacyParameters, Query()]
) -> Response:
    """Answer like /v1/chat/completions, without roles and reasoning: `prompt` instead of `messages`."""
    return await respond(request, "openai-completions", body, parameters, LegacyEncoder)

"""The JSON of ``/v1/truth/{run}``: the log of the LLM requests of a run, merged from all workers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from demo_server.llm.truth_log import MAX_REQUESTS
from demo_server.workers.run_logs import merged

Us = Annotated[int | None, Field(description="In us since `received_ns`; null: not sent.")]


class RequestReport(BaseModel):
    """One request."""

    number: Annotated[int, Field(description="Of the request within the run, from 1.")]
    api: Annotated[str, Field(description="openai-chat, openai-completions, openai-responses or anthropic.")]
    is_stream: bool
    status: Annotated[int | None, Field(description="Status of the response; null: not answered (yet).")]
    received_ns: Annotated[int, Field(description="Arrival of the last bytes of the request, in ns since 1970.")]
    is_received_exact: Annotated[
        bool, Field(description="Whether this is the kernel's timestamp, or the time when the server read the bytes.")
    ]
    read_us: Annotated[int, Field(description="When the server read these bytes, in us since `received_ns`.")]
    started_us: Annotated[int, Field(description="When the endpoint began, in us since `received_ns`.")]
    head_us: Us
    first_event_us: Us
    role_us: Us
    first_token_us: Annotated[Us, Field(description="The first text, of the reasoning or of the answer.")]
    first_answer_us: Annotated[Us, Field(description="The first text after the reasoning.")]
    last_token_us: Us
    done_us: Annotated[Us, Field(description="The last event of a complete answer, such as [DONE].")]
    end_us: Annotated[Us, Field(description="The end of the response.")]
    tokens: Annotated[int, Field(description="Tokens in the events that were sent, including reasoning.")]
    reasoning_tokens: int
    chunks: Annotated[int, Field(description="Events with text.")]
    finish_reason: Annotated[str | None, Field(description="As it was sent.")]
    gaps_us: Annotated[list[int], Field(description="Between events with text, in order.")]
    is_cut: Annotated[bool, Field(description="Whether there are more gaps than are listed.")]
    ended: Annotated[
        str | None,
        Field(description="done, error, cut, refused, client (it disconnected), shutdown; null: still open."),
    ]


class Totals(BaseModel):
    """The sums over all requests of a run, including requests that are not listed."""

    requests: int
    tokens: int
    chunks: int
    ended: Annotated[dict[str, int], Field(description="Requests by how they ended; `open`: still open.")]


class LlmRunReport(BaseModel):
    """The log of a run."""

    run: str
    totals: Totals
    requests: Annotated[list[RequestReport], Field(description="In the order of their numbers.")]
    is_cut: Annotated[bool, Field(description="Whether there are more requests than are listed.")]


def merge_reports(reports: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Merge the reports of all workers; None if no worker knows the run."""
    return merged(reports, Totals.model_fields, "requests", MAX_REQUESTS)

"""The part of the report about requests and their answers, and about those of an LLM.

A request is a stream whose API defines the end of the answer. Durations count from the sending of the request; the
connection before it is ``latency.connect``. They are of the answers that succeeded.
"""

from __future__ import annotations

from sseclient_cli.report.distributions import Latency, Sizes
from sseclient_cli.report.figure import Better, Part, figure

_NO_ANSWER = "no answer succeeded"
_NO_TEXT = "no answer had generated text at a known time"
_NO_TOKENS = "the server sent no `usage`, so that the tokens are not known"


class Objective(Part):
    """One objective of the goodput."""

    limit: str = figure("The objective.")
    met: int = figure("Successful requests that met it.", better=Better.HIGHER, ge=0)
    missed: int = figure("Successful requests that missed it.", better=Better.LOWER, ge=0)


class Goodput(Part):
    """The requests that met all objectives."""

    good: int = figure(
        "Requests that succeeded and met all objectives.",
        better=Better.HIGHER,
        share_of="llm.goodput.judged",
        ge=0,
    )
    judged: int = figure("Requests that succeeded or failed, without those whose durations are not known.", ge=0)
    share: float | None = figure(
        "The share of the judged requests that met all objectives.",
        unit="ratio",
        better=Better.HIGHER,
        absent="no request was judged",
        ge=0,
        le=1,
    )
    per_s: float | None = figure(
        "Requests per second that met all objectives.",
        unit="1/s",
        better=Better.HIGHER,
        absent="no request was judged",
        ge=0,
    )
    objectives: list[Objective] = figure("Each objective.")


class Requests(Part):
    """The requests that were sent after the warm-up, and their answers."""

    succeeded: int = figure("Requests with a complete answer without an error.", better=Better.HIGHER, ge=0)
    failed: int = figure(
        "Requests without one: not connected, refused, cut, or with an error in the answer.",
        better=Better.LOWER,
        share_of="requests.ended",
        ge=0,
    )
    ended: int = figure("Requests that succeeded or failed.", ge=0)
    unfinished: int = figure("Requests whose answer the end of the run cut; they are in no figure.", ge=0)
    warm_up: int = figure("Requests of the warm-up; they are in no figure.", ge=0)
    untimed: int = figure(
        "Times to the first event that are not known to within 1 %: it was read late, together with others.",
        better=Better.LOWER,
        ge=0,
    )
    first_sent_s: float | None = figure(
        "When the first request was sent, from the start of the run.", unit="s", absent="no answer ended"
    )
    last_ended_s: float | None = figure(
        "When the last answer ended or failed, from the start of the run.", unit="s", absent="no answer ended"
    )
    per_s: float | None = figure(
        "Successful requests per second, from the first sent request to the last ended answer.",
        unit="1/s",
        better=Better.HIGHER,
        absent=_NO_ANSWER,
        ge=0,
    )
    first_chunk: Latency | None = figure(
        "From the sending of a request until the first event of its answer, which may hold no text.",
        label="first chunk",
        absent=_NO_ANSWER,
    )
    duration: Latency | None = figure(
        "From the sending of a request until the end of its answer.", label="request", absent=_NO_ANSWER
    )
    failed_after: Latency | None = figure(
        "From the sending of a failed request until its failure was known.",
        label="failure",
        absent="no request failed after it was sent",
    )


class Turn(Part):
    """The answers with the same number in their conversation."""

    turn: int = figure("The number of the turn, from 1.", ge=1)
    succeeded: int = figure("Requests of this turn that succeeded.", ge=0)
    first_token: Latency | None = figure(
        "From the sending of a request until the first chunk of any kind of generated text.", absent=_NO_TEXT
    )


class Mcp(Part):
    """The answers of an MCP server that succeeded; ``run.plan.mcp`` has the request."""

    sessions: int = figure("The sessions that were opened for the run; 0 for a server without sessions.", ge=0)
    in_streams: int = figure("Answers in an event stream.", ge=0)
    in_bodies: int = figure("Answers that were one body of JSON.", ge=0)
    notifications: int = figure("Notifications before these answers, such as progress.", ge=0)
    notifications_per_request: float | None = figure("Notifications per answer.", absent=_NO_ANSWER, ge=0)


class Llm(Part):
    """The answers of an LLM that succeeded. A chunk is an event with generated text; it may hold several tokens."""

    apis: dict[str, int] = figure("Answers by the API of their events.")
    first_token: Latency | None = figure(
        "From the sending of a request until the first chunk of any kind of generated text; a role chunk is none.",
        label="first token",
        absent=_NO_TEXT,
    )
    first_answer: Latency | None = figure(
        "From the sending of a request until the first chunk that is no reasoning.",
        label="first answer",
        absent=_NO_TEXT,
    )
    token_gap: Latency | None = figure(
        "From a chunk until the next one of the same answer; chunks that arrive together have no gap.",
        label="token gap",
        absent="no answer had two chunks at known times",
    )
    tpot: Latency | None = figure(
        "Time per output token: (last - first chunk) / (tokens - 1) of each answer, with the server's count of tokens.",
        label="tpot",
        absent=_NO_TOKENS,
    )
    chunks: int = figure("Chunks.", ge=0)
    chunks_together: int = figure(
        "Chunks that arrived in one read with an earlier one of the same answer.", share_of="llm.chunks", ge=0
    )
    chunks_estimated: int = figure(
        "Chunks whose arrival is an estimate: the load generator read several chunks late, with one arrival time.",
        share_of="llm.chunks",
        better=Better.LOWER,
        default=0,
        ge=0,
    )
    burst_chunks: Sizes | None = figure(
        "Chunks of each burst: at least 5 chunks of one answer that arrived at 5,000 per second or more.",
        absent="no chunks arrived in bursts",
    )
    burst_pause: Latency | None = figure(
        "From the previous chunk, or the sending of the request, until each burst.",
        label="before burst",
        absent="no chunks arrived in bursts",
    )
    empty: int = figure("Answers without generated text.", better=Better.LOWER, ge=0)
    counted_answers: int = figure("Answers for which the server counted the tokens.", ge=0)
    tokenized_answers: int = figure("Other answers, whose tokens the tokenizer of the run counted.", default=0, ge=0)
    input_tokens: int | None = figure("Tokens of the prompts, by the server's count.", absent=_NO_TOKENS, ge=0)
    output_tokens: int | None = figure(
        "Tokens of the answers, reasoning included, by the server's count, or the tokenizer's.", absent=_NO_TOKENS, ge=0
    )
    reasoning_tokens: int | None = figure("Tokens of the reasoning.", absent=_NO_TOKENS, ge=0)
    tokens_per_chunk: float | None = figure(
        "Output tokens per chunk, of the answers with a count.", absent=_NO_TOKENS, ge=0
    )
    tokens_per_s: float | None = figure(
        "Output tokens of complete answers per second, from the first sent request to the last ended answer.",
        unit="1/s",
        better=Better.HIGHER,
        absent=_NO_TOKENS,
        ge=0,
    )
    stream_tokens_per_s: float | None = figure(
        "Output tokens per second of the median answer: 1 / the median of tpot.",
        unit="1/s",
        better=Better.HIGHER,
        absent=_NO_TOKENS,
        ge=0,
    )
    finish_reasons: dict[str, int] = figure("Answers by finish reason.")
    turns: list[Turn] = figure("The first 20 turns of conversations with several.", default=[])
    goodput: Goodput | None = figure(
        "The requests that met all objectives; null without objectives.", absent="the run had no objectives (`slo`)"
    )

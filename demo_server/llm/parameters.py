"""The query of all LLM endpoints: the pace and the length of an answer, its form, and its faults.

Pure: no I/O, no clock.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from demo_server.streams.parameters import MAX_COUNT, MAX_DELAY_S, RUN_NAME, Seconds

MAX_TOKENS = 100_000  # with "stream": false they are one JSON text, whose encoding blocks all streams
MAX_HELD_CHUNKS = 1_000  # in the server's memory, per stream
DEFAULT_RETRY_AFTER_S = 1

# 0.1 * 30 is 3.0000000000000004, and 0.7 * 10 is 7.000000000000001, but 0.29 * 100 is 28.999999999999996.
ROUNDING = 1e-9


class LlmParameters(BaseModel):
    """The query: the properties that the model of a real server has, and faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttft: Annotated[Seconds, Field(description="Time to first token, in seconds from the arrival of the request.")] = (
        0.3
    )
    rate: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="Tokens per second; 0: as fast as the client reads.")
    ] = 50.0
    tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS, description="Length of the answer in tokens.")] = 64
    jitter: Annotated[
        float, Field(ge=0, le=1, description="Maximum random delay of a token, as a share of the interval.")
    ] = 0.0
    seed: Annotated[int | None, Field(description="Seed of the words and the jitter.")] = None
    run: Annotated[
        str, Field(pattern=RUN_NAME, description="Name of the run; the log of its requests is at `/v1/truth/{run}`.")
    ] = "default"

    reasoning: Annotated[int, Field(ge=0, le=MAX_TOKENS, description="Tokens of reasoning before the answer.")] = 0
    tokens_per_chunk: Annotated[
        int, Field(ge=1, le=1_000, description="Tokens in one chunk, sent when the first of them is due.")
    ] = 1
    role_at: Annotated[
        Seconds | None,
        Field(description="Seconds until the chunk with the role (default: with the first token)."),
    ] = None
    linger: Annotated[Seconds, Field(le=MAX_DELAY_S, description="Seconds to stay open after the last event.")] = 0.0

    error_after: Annotated[
        int | None, Field(ge=0, le=MAX_COUNT, description="Send an error event after N tokens, and end.")
    ] = None
    cut_after: Annotated[
        int | None, Field(ge=0, le=MAX_COUNT, description="End the stream after N tokens, without its last events.")
    ] = None
    refuse: Annotated[
        float,
        Field(ge=0, le=1, description="Share of the requests of the run to answer with 429: every tenth for 0.1."),
    ] = 0.0
    retry_after: Annotated[
        int | None, Field(ge=0, le=MAX_COUNT, description="Seconds in the Retry-After header of a 429 (default: 1).")
    ] = None
    hold_chunks: Annotated[
        int | None,
        Field(ge=2, le=MAX_HELD_CHUNKS, description="Hold events back and send N at once, like a buffering gateway."),
    ] = None

    @model_validator(mode="after")
    def check_sense(self) -> LlmParameters:
        """Refuse contradictions, and parameters that would have no effect."""
        if self.error_after is not None and self.cut_after is not None:
            raise ValueError("give error_after or cut_after, not both: each of them ends the answer")
        if self.role_at is not None and self.role_at > self.ttft:
            raise ValueError("role_at is later than ttft, but the role is before the first token")
        if self.retry_after is not None and not self.refuse:
            raise ValueError("retry_after has no effect without refuse")
        return self

    @property
    def interval_s(self) -> float:
        """Seconds between tokens; 0: as fast as the client reads."""
        return 1 / self.rate if self.rate else 0.0

    @property
    def fault_after(self) -> int | None:
        """The number of tokens before the error or the cut."""
        return self.cut_after if self.error_after is None else self.error_after

    def refuses(self, request_number: int) -> bool:
        """Say whether this request of the run is refused: of the first n requests, `refuse` * n are, rounded down."""
        refused, refused_before = (
            int(self.refuse * number + ROUNDING) for number in (request_number, request_number - 1)
        )
        return refused > refused_before

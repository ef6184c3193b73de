"""The query parameters of streams: one model for all push endpoints, so that they can be compared.

Every endpoint refuses an unknown or invalid parameter with 422. An ignored typo would be hard to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from fastapi import Header, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.responses import JSONResponse

# Making and writing an event blocks all other streams, for about 10 ms per MB.
MAX_PADDING_BYTES = 1_000_000
MAX_COUNT = 2**53  # up to here, all JSON parsers read integers exactly

# Below 10**15, itertools and float arithmetic are exact. No sequence of this server gets that far.
MAX_ID_DIGITS = 15

# Proxies commonly close a connection after 30 to 60 s of silence.
DEFAULT_HEARTBEAT_S = 15.0
MAX_RETRY_MS = 24 * 3600 * 1000
MAX_DELAY_S = 3600.0

RUN_NAME = r"^[A-Za-z0-9._-]{1,64}$"

# NaN and infinity are refused: NaN compares false with every deadline, infinity is never reached.
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def one_line(text: str) -> str:
    """Refuse a line end: it would end the field and let the client of the request inject further fields."""
    if "\r" in text or "\n" in text:
        raise ValueError("give one line: a line end would end the field")
    return text


EventType = Annotated[str, Field(max_length=1000), AfterValidator(one_line)]

RetryMs = Annotated[int, Field(ge=0, le=MAX_RETRY_MS)]


class StreamParameters(BaseModel):
    """The parameters of every event stream."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry: Annotated[RetryMs | None, Field(description="Reconnection time to send to the client, in ms.")] = None
    heartbeat: Annotated[Seconds, Field(description="Seconds of silence before a heartbeat comment; 0: none.")] = (
        DEFAULT_HEARTBEAT_S
    )


class PushParameters(StreamParameters):
    """The query of every push endpoint."""

    default_interval_s: ClassVar[float] = 1.0

    interval: Annotated[
        Seconds | None, Field(description="Seconds between events; 0: as fast as the client reads.")
    ] = None
    rate: Annotated[
        float | None,
        Field(ge=0, allow_inf_nan=False, description="Events per second; 0: as fast as the client reads."),
    ] = None
    count: Annotated[
        int | None, Field(ge=1, le=MAX_COUNT, description="End after this many events (default: never).")
    ] = None
    size: Annotated[
        int, Field(ge=0, le=MAX_PADDING_BYTES, description="Bytes of padding in the data of each event.")
    ] = 0
    event: Annotated[EventType | None, Field(description="Event type.")] = None

    @model_validator(mode="after")
    def check_pace(self) -> PushParameters:
        """Refuse `interval` together with `rate`."""
        if self.interval is not None and self.rate is not None:
            raise ValueError("give interval or rate, not both: rate is 1 / interval")
        return self

    @property
    def interval_s(self) -> float:
        """Seconds between events; 0: as fast as the client reads."""
        if self.rate is not None:
            return 1 / self.rate if self.rate else 0.0
        return self.default_interval_s if self.interval is None else self.interval


class LoadParameters(PushParameters):
    """The query of /load: the same with a faster default."""

    default_interval_s = 0.1


Push = Annotated[PushParameters, Query()]
LastEventId = Annotated[str | None, Header(description="Continue after the event with this id.")]


def next_seq(last_event_id: str | None) -> int:
    """Return the sequence number to continue with; 1 for an id that this server did not send."""
    text = last_event_id or ""
    is_ours = text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS
    return int(text) + 1 if is_ours else 1


def error_response(error: ValidationError) -> JSONResponse:
    """Return the 422 for invalid parameters, for endpoints outside FastAPI."""
    return unprocessable({**problem, "loc": ("query", *problem["loc"])} for problem in error.errors())


def unprocessable(problems: Iterable[Mapping[str, Any]]) -> JSONResponse:
    """Return a 422 in FastAPI's form."""
    # FastAPI would include the input. It has any length, and NaN in it could not be encoded as JSON.
    detail = [{"type": problem["type"], "loc": problem["loc"], "msg": message_of(problem)} for problem in problems]
    return JSONResponse({"detail": detail}, status_code=422)


def message_of(problem: Mapping[str, Any]) -> str:
    """Return pydantic's message, without the parts that address developers."""
    if problem["type"] == "extra_forbidden":
        return "there is no such parameter"
    return str(problem["msg"]).removeprefix("Value error, ")

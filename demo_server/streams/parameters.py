"""What a request may ask for: one model for all ways to push, so that they differ in nothing but the way.

A parameter that is unknown or makes no sense is refused with 422, whatever the endpoint: a typo that is passed over in
silence costs its author an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from fastapi import Header, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.responses import JSONResponse

# An event is made and written while all other streams wait, some 10 ms per MB.
MAX_PADDING_BYTES = 1_000_000
MAX_COUNT = 2**53  # the integers that JSON readers agree on

# itertools and float arithmetic stay exact up to here, and no sequence of ours gets as far.
MAX_ID_DIGITS = 15

# Proxies commonly drop a connection after 30 to 60 silent seconds.
DEFAULT_HEARTBEAT_S = 15.0
MAX_RETRY_MS = 24 * 3600 * 1000

# NaN and infinity are refused: they compare false with every deadline, or never arrive.
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def one_line(text: str) -> str:
    """Refuse a line end: it would end the field, and what follows would be read as fields of its own."""
    if "\r" in text or "\n" in text:
        raise ValueError("give one line: a line end would end the field")
    return text


EventType = Annotated[str, Field(max_length=1000), AfterValidator(one_line)]

RetryMs = Annotated[int, Field(ge=0, le=MAX_RETRY_MS)]


class StreamParameters(BaseModel):
    """What any event stream can be asked for, whoever makes its events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry: Annotated[RetryMs | None, Field(description="Reconnection time to tell the client, in ms.")] = None
    heartbeat: Annotated[
        Seconds, Field(description="Seconds of silence until a comment says that the stream lives; 0: never.")
    ] = DEFAULT_HEARTBEAT_S


class PushParameters(StreamParameters):
    """The query of every way to push: `interval` or `rate`, and what the events look like."""

    default_interval_s: ClassVar[float] = 1.0

    interval: Annotated[
        Seconds | None, Field(description="Seconds between two events; 0: as fast as the client reads.")
    ] = None
    rate: Annotated[
        float | None,
        Field(ge=0, allow_inf_nan=False, description="Events per second; 0: as fast as the client reads."),
    ] = None
    count: Annotated[int | None, Field(ge=1, le=MAX_COUNT, description="End after so many (default: never).")] = None
    size: Annotated[int, Field(ge=0, le=MAX_PADDING_BYTES, description="Bytes of padding in the data.")] = 0
    event: Annotated[EventType | None, Field(description="The type of the events.")] = None

    @model_validator(mode="after")
    def check_pace(self) -> PushParameters:
        """Refuse two paces at once."""
        if self.interval is not None and self.rate is not None:
            raise ValueError("give interval or rate, not both: one is 1 divided by the other")
        return self

    @property
    def interval_s(self) -> float:
        """Seconds from one event to the next; 0 is as fast as the client reads."""
        if self.rate is not None:
            return 1 / self.rate if self.rate else 0.0
        return self.default_interval_s if self.interval is None else self.interval


class LoadParameters(PushParameters):
    """The same for /load, which is there for load."""

    default_interval_s = 0.1


Push = Annotated[PushParameters, Query()]
LastEventId = Annotated[str | None, Header(description="Go on after the event with this id.")]


def next_seq(last_event_id: str | None) -> int:
    """Return where a stream goes on; an id that is not one of ours starts it anew."""
    text = last_event_id or ""
    is_ours = text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS
    return int(text) + 1 if is_ours else 1


def refusal(error: ValidationError) -> JSONResponse:
    """Return the answer to bad parameters, for what is outside of FastAPI."""
    return unprocessable({**problem, "loc": ("query", *problem["loc"])} for problem in error.errors())


def unprocessable(problems: Iterable[Mapping[str, Any]]) -> JSONResponse:
    """Return the answer to a request that makes no sense: what is wrong where, in FastAPI's form."""
    # Without the input, which FastAPI would show: what is as long as the sender likes, and may be no JSON (NaN).
    detail = [{"type": problem["type"], "loc": problem["loc"], "msg": in_words(problem)} for problem in problems]
    return JSONResponse({"detail": detail}, status_code=422)


def in_words(problem: Mapping[str, Any]) -> str:
    """Return what pydantic says, where it speaks to developers as we do to users."""
    if problem["type"] == "extra_forbidden":
        return "there is no such parameter"
    return str(problem["msg"]).removeprefix("Value error, ")

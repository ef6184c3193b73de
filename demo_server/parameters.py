"""What a request may ask for: one model per endpoint, so that all refuse nonsense in the same words."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# An event is made and written while all other streams wait, some 10 ms per MB.
MAX_PADDING_BYTES = 1_000_000
MAX_COUNT = 2**53  # the integers that JSON readers agree on

# itertools and float arithmetic stay exact up to here, and no sequence of ours gets as far.
MAX_ID_DIGITS = 15

# NaN and infinity are refused: they compare false with every deadline, or never arrive.
IntervalS = Annotated[float, Field(ge=0, allow_inf_nan=False, description="Seconds between two events.")]
Rate = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False, description="Events per second; 0 is as fast as the client reads."),
]
Count = Annotated[int | None, Field(ge=1, le=MAX_COUNT, description="End after so many events (default: never).")]
PaddingBytes = Annotated[int, Field(ge=0, le=MAX_PADDING_BYTES, description="Bytes of padding in the data.")]
# A line end in it would end the field, and what follows would be read as fields of its own.
EventType = Annotated[str | None, Field(pattern=r"^[^\r\n]*$", description="The `event:` field.")]


class LineParameters(BaseModel):
    """The query of /streaming-response."""

    model_config = ConfigDict(frozen=True)

    interval: IntervalS = 1.0
    count: Count = None


class EventParameters(LineParameters):
    """The query of /stream."""

    size: PaddingBytes = 0
    event: EventType = None


class LoadParameters(BaseModel):
    """The query of /load."""

    model_config = ConfigDict(frozen=True)

    rate: Rate = 10.0
    count: Count = None
    size: PaddingBytes = 0

    @property
    def interval_s(self) -> float:
        """Seconds from one event to the next."""
        return 1 / self.rate if self.rate else 0.0


def next_seq(last_event_id: str | None) -> int:
    """Return where a stream goes on; an id that is not one of ours starts it anew."""
    text = last_event_id or ""
    is_ours = text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS
    return int(text) + 1 if is_ours else 1

"""The parameters of fault injection, which can be combined, and the sequence of events that follows from them.

Pure: no I/O, no clock. Whether an event is dropped, duplicated or reordered depends only on the seed and its number.
Every stream of a run has the same faults, including a resumed one, and so does the next run in any process.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, IntEnum
from hashlib import blake2b
from itertools import count
from typing import Annotated, Literal

from pydantic import Field, model_validator

from demo_server.streams.parameters import MAX_COUNT, MAX_DELAY_S, RUN_NAME, PushParameters, Seconds

MAX_REORDER = 1_000  # the most events that one event is delayed by; clients remember a limited number of gaps
MAX_BURST = 10_000
MAX_BURST_BYTES = 16_000_000  # the most that a stream may buffer in the server's memory
MAX_HUGE_BYTES = 2_000_000_000  # sent in pieces, so the server does not hold it; no client should buffer this much
MAX_REDIRECTS = 100  # browsers give up after 20
STATUSES_WITHOUT_BODY = (204, 205, 304)  # RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5

OneIn = Annotated[int, Field(ge=1, le=MAX_COUNT)]
Events = Annotated[int, Field(ge=0, le=MAX_COUNT)]
LineEnd = Literal["lf", "cr", "crlf", "mixed"]


class RedirectStatus(IntEnum):
    """The statuses with which clients follow Location."""

    MOVED_PERMANENTLY = 301
    FOUND = 302
    SEE_OTHER = 303
    TEMPORARY_REDIRECT = 307
    PERMANENT_REDIRECT = 308


class ConnectionFault(Enum):
    """A fault of the connection after a number of events. The value is the name of its parameter."""

    CLOSE = "close"
    RESET = "reset"
    TRUNCATE = "truncate"
    STALL = "stall"
    ENDLESS_LINE = "endless_line"


# Parameters that have no effect without another one. Giving them alone is refused.
REQUIRES = {
    "huge_bytes": "huge",
    "retry_after": "status",
    "status_after": "status",
    "status_times": "status",
    "redirect_status": "redirect",
}
EVENT_FAULTS = ("drop", "duplicate", "reorder", "huge", "split_utf8", "endless_line", "no_final_blank")


class FaultParameters(PushParameters):
    """The query of /faults: the parameters of all push endpoints, and the faults to inject."""

    run: Annotated[str, Field(pattern=RUN_NAME, description="Name of the run; its fault log is at `/truth/{run}`.")] = (
        "default"
    )
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63, description="Seed of all random faults.")] = 0

    # Sequence: faults of single events.
    drop: Annotated[OneIn | None, Field(ge=2, description="Drop about 1 in N events.")] = None
    duplicate: Annotated[OneIn | None, Field(description="Send about 1 in N events twice.")] = None
    reorder: Annotated[int | None, Field(ge=2, le=MAX_REORDER, description="Shuffle events within blocks of N.")] = None

    # Connection: at most one of these, after N events.
    close: Annotated[Events | None, Field(description="End the response after N events.")] = None
    reset: Annotated[Events | None, Field(description="Reset the connection (RST) after N events.")] = None
    truncate: Annotated[Events | None, Field(description="Close the connection inside the chunk after N events.")] = (
        None
    )
    stall: Annotated[
        Events | None, Field(description="Send nothing after N events, not even heartbeats, and stay open.")
    ] = None
    endless_line: Annotated[
        Events | None, Field(description="Send an endless line after N events, 64 KiB per interval.")
    ] = None

    # Bytes.
    line_end: Annotated[LineEnd, Field(description="Line ending; mixed: a random one per line.")] = "lf"
    bom: Annotated[bool, Field(description="Begin the stream with a byte order mark.")] = False
    no_final_blank: Annotated[
        bool, Field(description="After count or close events, send one more without its blank line.")
    ] = False
    split_utf8: Annotated[
        bool, Field(description="Put multi-byte text into the data, and pause inside a character.")
    ] = False
    huge: Annotated[OneIn | None, Field(description="Make every Nth event huge.")] = None
    huge_bytes: Annotated[
        int, Field(ge=1, le=MAX_HUGE_BYTES, description="Bytes of padding in the data of a huge event.")
    ] = 10_000_000

    # Timing.
    heartbeats_only: Annotated[
        bool, Field(description="Send comments instead of events, every `heartbeat` (or `interval`) seconds.")
    ] = False
    burst: Annotated[
        int | None, Field(ge=2, le=MAX_BURST, description="Buffer events and send N at once, like a buffering proxy.")
    ] = None
    header_delay: Annotated[Seconds, Field(le=MAX_DELAY_S, description="Seconds until the response begins.")] = 0.0

    # Response head.
    content_type: Annotated[
        str,
        # Printable ASCII only: a line end would let the client inject a response header.
        Field(pattern=r"^[!-~]([ -~]*[!-~])?$", max_length=200, description="Content type of the stream."),
    ] = "text/event-stream"
    status: Annotated[int | None, Field(ge=200, le=599, description="Answer with this status and no events.")] = None
    retry_after: Annotated[
        int | None, Field(ge=0, le=MAX_COUNT, description="Seconds in the Retry-After header of this answer.")
    ] = None
    status_after: Annotated[Events, Field(description="Answer the first N requests of the run normally.")] = 0
    status_times: Annotated[
        int | None, Field(ge=1, le=MAX_COUNT, description="Then answer N requests with the status (default: all).")
    ] = None
    redirect: Annotated[int | None, Field(ge=0, le=MAX_REDIRECTS, description="Redirect N times first.")] = None
    redirect_status: Annotated[RedirectStatus, Field(description="Status of the redirects.")] = RedirectStatus.FOUND

    @model_validator(mode="after")
    def check_sense(self) -> FaultParameters:
        """Refuse contradictions, and parameters that would have no effect."""
        for name, other in REQUIRES.items():
            if self.is_set(name) and getattr(self, other) is None:
                raise ValueError(f"{name} has no effect without {other}")
        names = [fault.value for fault in ConnectionFault if getattr(self, fault.value) is not None]
        if len(names) > 1:
            raise ValueError(f"give only one of {', '.join(names)}: each of them ends the events")
        if self.no_final_blank and self.count is None and self.close is None:
            raise ValueError("no_final_blank needs an end: give count or close")
        if self.heartbeats_only:
            self.check_heartbeats()
        if self.burst is not None and self.burst * self.size > MAX_BURST_BYTES:
            raise ValueError(f"burst times size is more than {MAX_BURST_BYTES} bytes to hold back")
        return self

    def check_heartbeats(self) -> None:
        """Refuse faults of events in a stream without events."""
        for name in EVENT_FAULTS:
            if self.is_set(name):
                raise ValueError(f"{name} has no effect with heartbeats_only: there are no events")
        if self.heartbeat == 0:
            raise ValueError("heartbeat=0 disables heartbeats, but heartbeats_only sends nothing else")

    def is_set(self, name: str) -> bool:
        """Say whether a parameter differs from its default. Forms may send all parameters."""
        return bool(getattr(self, name) != type(self).model_fields[name].default)

    @property
    def connection_fault(self) -> tuple[ConnectionFault | None, int | None]:
        """The fault of the connection, and the number of events before it."""
        for fault in ConnectionFault:
            after: int | None = getattr(self, fault.value)
            if after is not None:
                return fault, after
        return None, None

    @property
    def pace_s(self) -> float:
        """Seconds between events, or between heartbeats if there are only heartbeats."""
        is_by_heartbeat = self.heartbeats_only and "heartbeat" in self.model_fields_set
        return self.heartbeat if is_by_heartbeat else self.interval_s

    def refuses(self, request_number: int) -> bool:
        """Say whether this request of the run is answered with `status`. The first request has number 1."""
        if self.status in (None, 200):
            return False
        position = request_number - self.status_after
        return position >= 1 and (self.status_times is None or position <= self.status_times)

    def sequence(self, first_seq: int) -> Iterator[tuple[int, int]]:
        """Yield for each event its number and the number of times to send it: 0, 1 or 2."""
        for seq in self.shuffled(first_seq):
            if self.drop and self.chance("drop", seq) % self.drop == 0:
                yield seq, 0
            elif self.duplicate and self.chance("duplicate", seq) % self.duplicate == 0:
                yield seq, 2
            else:
                yield seq, 1

    def shuffled(self, first_seq: int) -> Iterator[int]:
        """Yield the numbers in sending order.

        Blocks do not depend on where a stream begins or ends: a resumed stream sends the rest of its block in the
        block's order, and so does one that ends after `count`.
        """
        if self.reorder is None:
            yield from count(first_seq)
            return
        end_seq = MAX_COUNT * 2 if self.count is None else first_seq + self.count
        for block in count((first_seq - 1) // self.reorder):
            start = block * self.reorder + 1
            numbers = range(max(start, first_seq), min(start + self.reorder, end_seq))
            if not numbers:  # the caller takes more than `count` numbers
                yield from count(end_seq)
            yield from sorted(numbers, key=lambda seq: self.chance("reorder", seq))

    def chance(self, fault: str, seq: int) -> int:
        """Return a large number that depends only on the seed, the fault and the number of the event."""
        # Not `random`: its shuffle may differ between Python versions, even with the same seed.
        return int.from_bytes(blake2b(f"{self.seed}:{fault}:{seq}".encode(), digest_size=8).digest(), "big")

"""What can go wrong on a stream, as parameters that compose, and the sequence of numbers that comes of them.

Pure: no I/O, no clock. Whether an event is dropped, sent twice or overtaken depends on the seed and its number alone.
So every stream of a run meets the same faults, a resumed one too, and so does the next run, in whatever process.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, IntEnum
from hashlib import blake2b
from itertools import count
from typing import Annotated, Literal

from pydantic import Field, model_validator

from demo_server.streams.parameters import MAX_COUNT, PushParameters, Seconds

MAX_REORDER = 1_000  # an event is held back no longer than this; clients, too, remember only so many gaps
MAX_BURST = 10_000
MAX_BURST_BYTES = 16_000_000  # what a stream may hold back in the server's memory
MAX_HUGE_BYTES = 2_000_000_000  # written in pieces, so it costs the server nothing; no client should keep that much
MAX_REDIRECTS = 100  # browsers give up after 20
MAX_DELAY_S = 3600.0
STATUSES_WITHOUT_BODY = (204, 205, 304)  # RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5

RUN_NAME = r"^[A-Za-z0-9._-]{1,64}$"

OneIn = Annotated[int, Field(ge=1, le=MAX_COUNT)]
Events = Annotated[int, Field(ge=0, le=MAX_COUNT)]
LineEnd = Literal["lf", "cr", "crlf", "mixed"]


class RedirectStatus(IntEnum):
    """The statuses that clients follow."""

    MOVED_PERMANENTLY = 301
    FOUND = 302
    SEE_OTHER = 303
    TEMPORARY_REDIRECT = 307
    PERMANENT_REDIRECT = 308


class Trouble(Enum):
    """What becomes of a connection after so many events. The value is the parameter's name."""

    CLOSE = "close"
    RESET = "reset"
    TRUNCATE = "truncate"
    STALL = "stall"
    ENDLESS_LINE = "endless_line"


# A parameter that does nothing without another one is a mistake in the request.
NEEDS = {
    "huge_bytes": "huge",
    "retry_after": "status",
    "status_after": "status",
    "status_times": "status",
    "redirect_status": "redirect",
}
ABOUT_EVENTS = ("drop", "duplicate", "reorder", "huge", "split_utf8", "endless_line", "no_final_blank")


class FaultParameters(PushParameters):
    """The query of /faults: that of every way to push, and what is to go wrong. Faults compose."""

    run: Annotated[str, Field(pattern=RUN_NAME, description="Name under which `/truth/{run}` tells what happened.")] = (
        "default"
    )
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63, description="Another seed, other victims of chance.")] = 0

    # The sequence: what happens to single events.
    drop: Annotated[OneIn | None, Field(ge=2, description="Leave out about 1 event in so many.")] = None
    duplicate: Annotated[OneIn | None, Field(description="Send about 1 event in so many twice.")] = None
    reorder: Annotated[
        int | None, Field(ge=2, le=MAX_REORDER, description="Shuffle the events within blocks of so many.")
    ] = None

    # The connection: what happens to it after so many events. One of these.
    close: Annotated[Events | None, Field(description="End the response properly after so many events.")] = None
    reset: Annotated[Events | None, Field(description="Reset the connection (RST) after so many events.")] = None
    truncate: Annotated[
        Events | None, Field(description="Close in the middle of the chunk that follows on so many events.")
    ] = None
    stall: Annotated[
        Events | None, Field(description="Fall silent after so many events: open, without even a heartbeat.")
    ] = None
    endless_line: Annotated[
        Events | None, Field(description="After so many events, begin a line that never ends; 64 KiB per interval.")
    ] = None

    # The bytes.
    line_end: Annotated[LineEnd, Field(description="What ends a line; mixed: any of the three, by chance.")] = "lf"
    bom: Annotated[bool, Field(description="Begin with a byte order mark.")] = False
    no_final_blank: Annotated[
        bool, Field(description="At the proper end (count, close), begin one more event, without its blank line.")
    ] = False
    split_utf8: Annotated[
        bool, Field(description="Multi-byte text in the data, and a pause in the middle of a character.")
    ] = False
    huge: Annotated[OneIn | None, Field(description="Make each event huge whose number this divides.")] = None
    huge_bytes: Annotated[
        int, Field(ge=1, le=MAX_HUGE_BYTES, description="Bytes of padding in the data of a huge event.")
    ] = 10_000_000

    # The time.
    heartbeats_only: Annotated[
        bool, Field(description="Comments in place of events, each `heartbeat` (or else `interval`) seconds.")
    ] = False
    burst: Annotated[
        int | None, Field(ge=2, le=MAX_BURST, description="Hold events back and send so many at once, as proxies do.")
    ] = None
    header_delay: Annotated[Seconds, Field(le=MAX_DELAY_S, description="Seconds until the response begins.")] = 0.0

    # The head.
    content_type: Annotated[
        str,
        # Printable ASCII: a line end would begin a header of the client's choice.
        Field(pattern=r"^[!-~]([ -~]*[!-~])?$", max_length=200, description="Content type of the stream."),
    ] = "text/event-stream"
    status: Annotated[int | None, Field(ge=200, le=599, description="Answer with this status, without events.")] = None
    retry_after: Annotated[
        int | None, Field(ge=0, le=MAX_COUNT, description="Seconds in a Retry-After header of that answer.")
    ] = None
    status_after: Annotated[Events, Field(description="Answer so many requests of the run as usual before.")] = 0
    status_times: Annotated[
        int | None, Field(ge=1, le=MAX_COUNT, description="Answer so many with the status (default: all others).")
    ] = None
    redirect: Annotated[
        int | None, Field(ge=0, le=MAX_REDIRECTS, description="Redirect so many times before anything else.")
    ] = None
    redirect_status: Annotated[RedirectStatus, Field(description="Status of the redirects.")] = RedirectStatus.FOUND

    @model_validator(mode="after")
    def check_sense(self) -> FaultParameters:
        """Refuse what contradicts itself, or would do nothing."""
        for name, other in NEEDS.items():
            if self.is_asked_for(name) and getattr(self, other) is None:
                raise ValueError(f"{name} does nothing without {other}")
        names = [trouble.value for trouble in Trouble if getattr(self, trouble.value) is not None]
        if len(names) > 1:
            raise ValueError(f"give one of {', '.join(names)}: after the first one, no event follows")
        if self.no_final_blank and self.count is None and self.close is None:
            raise ValueError("no_final_blank needs an end: give count or close")
        if self.heartbeats_only:
            self.check_heartbeats()
        if self.burst is not None and self.burst * self.size > MAX_BURST_BYTES:
            raise ValueError(f"burst times size is more than {MAX_BURST_BYTES} bytes to hold back")
        return self

    def check_heartbeats(self) -> None:
        """Refuse what only events can suffer."""
        for name in ABOUT_EVENTS:
            if self.is_asked_for(name):
                raise ValueError(f"{name} does nothing with heartbeats_only: there are no events")
        if self.heartbeat == 0:
            raise ValueError("heartbeat=0 asks for no heartbeats, heartbeats_only for nothing else")

    def is_asked_for(self, name: str) -> bool:
        """Say whether a parameter is other than it is by default; a form may give them all."""
        return bool(getattr(self, name) != type(self).model_fields[name].default)

    @property
    def trouble(self) -> tuple[Trouble | None, int | None]:
        """What is to become of the connection, and after how many events."""
        for trouble in Trouble:
            after: int | None = getattr(self, trouble.value)
            if after is not None:
                return trouble, after
        return None, None

    @property
    def pace_s(self) -> float:
        """Seconds from one event, or one heartbeat where there is nothing else, to the next."""
        is_by_heartbeat = self.heartbeats_only and "heartbeat" in self.model_fields_set
        return self.heartbeat if is_by_heartbeat else self.interval_s

    def refuses(self, request_number: int) -> bool:
        """Say whether this request of the run is one that is answered with `status`; the first one is number 1."""
        if self.status in (None, 200):
            return False
        position = request_number - self.status_after
        return position >= 1 and (self.status_times is None or position <= self.status_times)

    def sequence(self, first_seq: int) -> Iterator[tuple[int, int]]:
        """Yield, for each event that is due, its number and how many times it is sent: 0, 1 or 2."""
        for seq in self.shuffled(first_seq):
            if self.drop and self.chance("drop", seq) % self.drop == 0:
                yield seq, 0
            elif self.duplicate and self.chance("duplicate", seq) % self.duplicate == 0:
                yield seq, 2
            else:
                yield seq, 1

    def shuffled(self, first_seq: int) -> Iterator[int]:
        """Yield the numbers, in the order in which they go out.

        The blocks are the same wherever a stream begins: one that is resumed gets the rest of its block, in the block's
        order. So does one that ends after `count`.
        """
        if self.reorder is None:
            yield from count(first_seq)
            return
        end_seq = MAX_COUNT * 2 if self.count is None else first_seq + self.count
        for block in count((first_seq - 1) // self.reorder):
            start = block * self.reorder + 1
            numbers = range(max(start, first_seq), min(start + self.reorder, end_seq))
            if not numbers:  # for who asks for more than `count`
                yield from count(end_seq)
            yield from sorted(numbers, key=lambda seq: self.chance("reorder", seq))

    def chance(self, fault: str, seq: int) -> int:
        """Return a large number that depends on nothing but the seed, the fault and the event's number."""
        # Not `random`: it promises the same numbers for a seed, but not the same shuffle in every Python.
        return int.from_bytes(blake2b(f"{self.seed}:{fault}:{seq}".encode(), digest_size=8).digest(), "big")

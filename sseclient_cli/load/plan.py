"""What a run is to do, as data: how many streams, when each is meant to start, when all stop.

Pure: times are offsets in nanoseconds from the start of the run. A mode of load is a different schedule that comes
out of here, never a different loop in the worker.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from sseclient_cli.errors import UsageError

NS_PER_S = 1_000_000_000

MAX_INTERVALS = 900
"""Rows of the timeline: a row holds its delivery times (30 KB while it is open to merges), and nobody reads more."""

DEFAULT_STARTS_PER_S = 1_000
"""Streams opened per second unless told: well below what one process can open, so that the time to connect is the
server's and not our own queue's."""

DEFAULT_RAMP_SHARE = 0.25
"""... but opening never takes more than this share of the run."""


class Choice(Enum):
    """How the field of a timestamp or a sequence is chosen, where it is not named."""

    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Field:
    """A place in an event: its id, or a path into its JSON data."""

    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join(("data", *self.path)) if self.path else "id"


FieldChoice = Choice | Field


def parse_field_choice(text: str) -> FieldChoice:
    """Read ``auto``, ``none``, ``id``, or a dotted path into the JSON data (``ts``, ``meta.sent_at``, ``data.ts``).

    Raises UsageError for anything else.
    """
    if text in ("auto", "none"):
        return Choice(text)
    if text == "id":
        return Field()
    path = text.removeprefix("data.")
    if not re.fullmatch(r"[^.\s]+(\.[^.\s]+)*", path):
        raise UsageError(f"{text!r} is not a field: write auto, none, id, or a path like ts or meta.sent_at")
    return Field(tuple(path.split(".")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run: ``duration_s`` from the first intended start, ramp included; it is over when no stream is left, too."""

    connections: int
    duration_s: float
    ramp_up_s: float
    timestamp: FieldChoice = Choice.AUTO
    sequence: FieldChoice = Choice.AUTO
    first_index: int = 0
    stride: int = 1

    def __post_init__(self) -> None:
        if self.connections < 1:
            raise UsageError("a run needs at least one connection: give -n 1 or more")
        if self.duration_s <= 0:
            raise UsageError("a run needs a duration above zero: give -d 10s, for example")
        if not 0 <= self.ramp_up_s <= self.duration_s:
            raise UsageError(
                f"a ramp of {self.ramp_up_s:g} s does not fit into a run of {self.duration_s:g} s: "
                "raise --duration or lower --ramp-up"
            )

    @property
    def interval_s(self) -> int:
        """The length of a row of the timeline in seconds: 1, or more in a run of more than MAX_INTERVALS."""
        return max(1, math.ceil(self.duration_s / MAX_INTERVALS))

    @property
    def planned(self) -> int:
        """How many streams this plan (or this shard of one) opens."""
        return len(range(self.first_index, self.connections, self.stride))

    def intended_starts_ns(self) -> Iterator[int]:
        """Yield the moment each stream is meant to start, in order, as an offset from the start of the run.

        An open model: the moments depend on nothing that happens, so a late start counts against the measurement
        and is never hidden (coordinated omission).
        """
        ramp_ns = round(self.ramp_up_s * NS_PER_S)
        for index in range(self.first_index, self.connections, self.stride):
            yield ramp_ns * index // self.connections

    def shard(self, index: int, count: int) -> Plan:
        """Return the part of the plan that worker ``index`` of ``count`` does: every count-th stream, same times."""
        return replace(self, first_index=self.first_index + index * self.stride, stride=self.stride * count)


def default_ramp_up_s(connections: int, duration_s: float) -> float:
    """Return the time to open all streams in when the user named none."""
    return min(connections / DEFAULT_STARTS_PER_S, duration_s * DEFAULT_RAMP_SHARE)

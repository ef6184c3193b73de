"""The workloads that the readers run on. Data only: a workload is a line here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """The figure that a workload measures."""

    PACED = "CPU per event"
    BLAST = "events/s"
    IDLE = "memory per stream"
    OPENING = "streams opened/s"


@dataclass(frozen=True, slots=True)
class Workload:
    """A number of streams on one path of the source."""

    name: str
    title: str
    kind: Kind
    streams: int
    path: str
    field: str = "id"
    """The field that each event has once."""

    def with_streams(self, streams: int) -> Workload:
        """Return the same with another number of streams."""
        return replace(self, streams=streams)


WORKLOADS = (
    Workload("4000x10", "4,000 streams x 10 events/s", Kind.PACED, 4000, "/events?rate=10"),
    Workload("4000x10-crlf", "4,000 streams x 10 events/s, CRLF", Kind.PACED, 4000, "/events?rate=10&eol=crlf"),
    Workload("12000x10", "12,000 streams x 10 events/s", Kind.PACED, 12_000, "/events?rate=10"),
    Workload("blast", "100 streams at full blast", Kind.BLAST, 100, "/events?rate=0"),
    Workload("idle", "10,000 idle streams", Kind.IDLE, 10_000, "/idle"),
    Workload("opening", "opening 5,000 streams", Kind.OPENING, 5000, "/idle"),
)

IDLE_FRACTION = 5
"""The second figure of memory per stream is the slope from a fifth of the idle streams to all of them."""


def named(name: str) -> Workload:
    """Return a workload by its name."""
    return next(workload for workload in WORKLOADS if workload.name == name)

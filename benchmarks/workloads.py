"""The workloads that the readers run on. Data only: a workload is a line here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """The figure that a workload measures."""

    PACED = "CPU per event"
    WHOLE = "CPU per event, whole process"
    BLAST = "events/s per core"
    IDLE = "memory per stream"
    OPENING = "streams opened/s"


class Peers(Enum):
    """The readers that a workload has beside the limit and sse bench. All of them everywhere would take hours."""

    ALL = "all"
    AIOHTTP = "those on aiohttp"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Workload:
    """A number of streams on one path of the source."""

    name: str
    title: str
    kind: Kind
    streams: int
    path: str
    peers: Peers = Peers.ALL
    field: str = "id"
    """The field that each event has once."""
    most_rounds: int | None = None
    """None: all rounds. Figures with a small spread need fewer."""

    def with_streams(self, streams: int) -> Workload:
        """Return the same with another number of streams."""
        return replace(self, streams=streams)


FORMS = {
    "id-data": "`id` `data`",
    "event-id-data": "`event` `id` `data`",
    "starlette": "sse-starlette: `id` `event` `data`, CRLF",
    "fastapi": "FastAPI: `event` `data` `id` `retry`",
    "spring": "Spring: `data` `id`",
    "two-data": "`id`, two `data` lines",
    "retry": "`retry` `id` `data`",
    "comment": "comment, `id` `data`",
    "llm": "LLM chunk: `data` of 300 bytes",
}
"""The forms of an event (yardstick/form.h) and their titles."""
FIRST_FORM = "id-data"


def _field(form: str) -> str:
    return "data" if form == "llm" else "id"


ARRIVALS = (
    Workload("4000x10", "4,000 x 10/s, each event alone", Kind.PACED, 4000, "/events?rate=10"),
    Workload("together-4", "the same, 4 at a moment", Kind.PACED, 4000, "/events?rate=10&together=4", Peers.NONE),
    Workload("together-40", "the same, 40 at a moment", Kind.PACED, 4000, "/events?rate=10&together=40", Peers.NONE),
    Workload("broadcast", "the same, broadcast", Kind.PACED, 4000, "/events?rate=10&together=4000", Peers.AIOHTTP),
    Workload("12000x10", "12,000 x 10/s", Kind.PACED, 12_000, "/events?rate=10", Peers.NONE),
    Workload("500x10", "500 x 10/s", Kind.PACED, 500, "/events?rate=10", Peers.AIOHTTP),
)
PACED_FORMS = tuple(
    Workload(f"form-{form}", title, Kind.PACED, 4000, f"/events?rate=10&form={form}", Peers.NONE, _field(form), 1)
    for form, title in FORMS.items()
    if form != FIRST_FORM  # it is the form of the arrivals
)
BLASTS = tuple(
    Workload(
        f"blast-{form}",
        title,
        Kind.BLAST,
        100,
        f"/events?rate=0&form={form}",
        Peers.ALL if form == FIRST_FORM else Peers.NONE,
        _field(form),
        None if form == FIRST_FORM else 2,
    )
    for form, title in FORMS.items()
)
PROCESSES = (
    Workload("whole", "4,000 x 10/s for 10 s", Kind.WHOLE, 4000, "/events?rate=10", Peers.AIOHTTP, most_rounds=2),
    Workload("opening", "opening 5,000 streams", Kind.OPENING, 5000, "/idle"),
    Workload("idle", "10,000 idle streams", Kind.IDLE, 10_000, "/idle", most_rounds=1),
)
WORKLOADS = (*ARRIVALS, *PACED_FORMS, *BLASTS, *PROCESSES)

IDLE_FRACTION = 5
"""The second figure of memory per stream is the slope from a fifth of the idle streams to all of them."""


def named(name: str) -> Workload:
    """Return a workload by its name."""
    return next(workload for workload in WORKLOADS if workload.name == name)

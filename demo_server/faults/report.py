"""The JSON of ``/truth/{run}``: the fault log of a run, merged from all workers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from demo_server.workers.run_logs import merged

MAX_STREAMS = 500  # listed per run


class Numbers(BaseModel):
    """The events with one fault."""

    count: int
    listed: Annotated[list[int], Field(description="The first of these events, in order of occurrence.")]
    is_cut: Annotated[bool, Field(description="Whether there are more than are listed.")]


class Sent(BaseModel):
    """The events that the kernel has taken; a duplicate counts twice."""

    count: int
    first: int | None
    last: int | None
    smallest: int | None
    largest: int | None


class StreamReport(BaseModel):
    """One request that was answered with events or with an injected status."""

    number: Annotated[int, Field(description="Of the request within the run, from 1; redirects are not numbered.")]
    opened_ns: Annotated[int, Field(description="Time of the request, in ns since 1970.")]
    last_event_id: str | None
    status: Annotated[int | None, Field(description="Status of the response; null: not answered (yet).")]
    sent: Sent
    dropped: Numbers
    duplicated: Numbers
    reordered: Annotated[Numbers, Field(description="Sent after an event with a larger number.")]
    unsent: Annotated[Numbers, Field(description="Overtaken by a larger number, and not sent before the end.")]
    heartbeats: int
    ended: Annotated[
        str | None,
        Field(
            description="count, close, reset, truncate, client (it disconnected), shutdown, refused; null: still open."
        ),
    ]


class Totals(BaseModel):
    """The sums over all streams of a run, including streams that are not listed."""

    streams: int
    redirected: Annotated[int, Field(description="Requests that were answered with a redirect.")]
    sent: int
    dropped: int
    duplicated: int
    reordered: int
    unsent: int
    heartbeats: int
    ended: Annotated[dict[str, int], Field(description="Streams by how they ended; `open`: still open.")]


class RunReport(BaseModel):
    """The fault log of a run."""

    run: str
    totals: Totals
    streams: Annotated[list[StreamReport], Field(description="In the order of their requests.")]
    is_cut: Annotated[bool, Field(description="Whether there are more streams than are listed.")]


def merge_reports(reports: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Merge the reports of all workers; None if no worker knows the run."""
    return merged(reports, Totals.model_fields, "streams", MAX_STREAMS)

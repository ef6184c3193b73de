"""The result of a run with a publisher, in a form that merges: which streams received which events, and when.

Pure. ``fanout_judge.py`` makes it from the receipts of all workers and the publications.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.merging import (
    Merging,
    by_rule,
    counted,
    counted_by_name,
    first_given,
    largest,
    largest_known,
    mergeable,
    part,
    same,
    smallest_known,
    summed,
)

MAX_SLOWEST = 10
MAX_MISSING = 100
"""Streams, and events, that the lists name. The counts cover all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherFacts:
    """Where a publisher sent its events, and when."""

    command: str = ""
    """The program that published; empty for HTTP."""
    url: str = ""
    """Without credentials."""
    method: str = ""
    rate_per_s: float
    first_s: float
    """When the first event was due, from the start of the run."""
    last_s: float
    grace_s: float
    """A stream was expected to receive an event if it stayed open for this time after the publication."""


@dataclass(frozen=True, slots=True)
class StreamDelay:
    """The delays of one stream."""

    stream: int
    received: int
    mean_us: int
    max_us: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A stream that missed events, or an event that missed streams; ``number`` names it."""

    number: int
    expected: int
    received: int


def _slowest(ours: list[StreamDelay], theirs: list[StreamDelay]) -> list[StreamDelay]:
    return slowest([*ours, *theirs])


def _missing(ours: list[Shortfall], theirs: list[Shortfall]) -> list[Shortfall]:
    return most_missing([*ours, *theirs])


def slowest(streams: list[StreamDelay]) -> list[StreamDelay]:
    """Return the streams with the largest mean delays."""
    return nlargest(MAX_SLOWEST, streams, key=lambda each: (each.mean_us, -each.stream, each.max_us, each.received))


def most_missing(found: list[Shortfall]) -> list[Shortfall]:
    """Return those that miss most."""
    return nlargest(MAX_MISSING, found, key=lambda each: (each.expected - each.received, -each.number, each.expected))


def _bounded(rule: Any) -> Any:
    return by_rule(rule, factory=list)


@mergeable
@dataclass(slots=True)
class FanoutTotals(Merging):
    """Publications and deliveries. A delivery is an event on a stream that was expected to receive it."""

    publisher: PublisherFacts | None = first_given(None)
    planned: int = summed()
    published: int = summed()
    failed: int = summed()
    late: int = summed()
    errors: Counter[str] = counted()
    examples: dict[str, str] = same()
    """The message of the first error of each kind."""
    lateness: Histogram = part(Histogram)
    """From the planned to the actual time of each publication."""
    request: Histogram = part(Histogram)
    """From the publication to its answer."""
    events: int = summed()
    """Published events that at least one stream was expected to receive."""
    reached_all: int = summed()
    expected: int = summed()
    received: int = summed()
    streams: int = summed()
    """Streams that were expected to receive at least one event."""
    complete_streams: int = summed()
    streams_without: int = summed()
    """Streams that received none of the events that they were expected to receive."""
    separate_groups: int = largest(0)
    """Groups of streams between which the events were divided: each event reached one whole group, and no other
    stream. 0 if it was not so."""
    least_event_reach: float | None = smallest_known()
    least_stream_reach: float | None = smallest_known()
    most_stream_reach: float | None = largest_known()
    duplicated: int = summed()
    out_of_order: int = summed()
    replayed: int = summed()
    unconfirmed: int = summed()
    """Deliveries of events whose publication failed."""
    untimed: int = summed()
    unfollowed: int = summed()
    delay: Histogram = part(Histogram)
    spread: Histogram = part(Histogram)
    """From the first to the last arrival of each event."""
    stream_delay: Histogram = part(Histogram)
    """The mean delay of each stream."""
    rows: dict[int, Counter[int]] = counted_by_name()
    slowest: list[StreamDelay] = _bounded(_slowest)
    missing_streams: list[Shortfall] = _bounded(_missing)
    missing_events: list[Shortfall] = _bounded(_missing)

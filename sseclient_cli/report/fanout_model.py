"""The part of the report about a publisher in the loop: what it published, and which streams received it, and when."""

from __future__ import annotations

from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.figure import Better, Part, figure

_NO_EVENT = "no stream was expected to receive an event"


class PublishError(Part):
    """Failed publications of one kind."""

    kind: str = figure("The kind, as in docs/reference/errors.md.", pattern="^[a-z0-9-]+$")
    count: int = figure("The number of failed publications of this kind.", better=Better.LOWER, ge=1)
    example: str = figure("The message of the first of them.")


class Publisher(Part):
    """The publisher: where it published, how often, and whether it kept its rate."""

    url: str | None = figure("The URL of the publish requests, without credentials; null for a command.")
    method: str | None = figure("The method of the publish requests; null for a command.")
    command: str | None = figure("The program that published, without its arguments; null for requests.")
    rate_per_s: float = figure("The planned events per second.", unit="1/s", gt=0)
    first_s: float = figure("When the first event was due, from the start of the run.", unit="s", ge=0)
    last_s: float = figure("When publishing ended at the latest: the end of the run.", unit="s", ge=0)
    planned: int = figure("Events that the plan has.", ge=0)
    published: int = figure("Events that were published.", share_of="fanout.publisher.planned", ge=0)
    failed: int = figure(
        "Events that could not be published; no stream is expected to receive them.",
        share_of="fanout.publisher.planned",
        better=Better.LOWER,
        ge=0,
    )
    late: int = figure(
        "Events that were published 50 ms or more after their time, because the previous one was not answered yet.",
        share_of="fanout.publisher.planned",
        better=Better.LOWER,
        ge=0,
    )
    lateness: Latency | None = figure(
        "From the planned time of a publication until it began.", absent="nothing was published"
    )
    request: Latency | None = figure(
        "From the publication of an event until the answer to its request.", absent="no publish request was answered"
    )
    errors: list[PublishError] = figure("Failed publications by kind, the most frequent first.")


class SlowStream(Part):
    """The delays of one stream."""

    stream: int = figure("The number of the stream, from 0 on: `{n}` of its request.", ge=0)
    received: int = figure("Events with a known delay.", ge=1)
    mean_ms: float = figure("Their mean delay.", unit="ms", better=Better.LOWER)
    max_ms: float = figure("Their largest delay.", unit="ms", better=Better.LOWER)


class StreamShortfall(Part):
    """A stream that missed events."""

    stream: int = figure("The number of the stream, from 0 on: `{n}` of its request.", ge=0)
    expected: int = figure("Events that it was expected to receive.", ge=1)
    received: int = figure("Events of these that it received.", better=Better.HIGHER, ge=0)


class EventShortfall(Part):
    """An event that missed streams."""

    n: int = figure("The number of the event, from 1 on.", ge=1)
    expected: int = figure("Streams that were expected to receive it.", ge=1)
    received: int = figure("Streams of these that received it.", better=Better.HIGHER, ge=0)


class FanoutRow(Part):
    """The delays of the events that arrived in a row of the timeline."""

    t_s: int = figure("The start of the row.", unit="s", ge=0)
    delay_p50_ms: float = figure("The median of the delay, within 1 %.", unit="ms", better=Better.LOWER)
    delay_p99_ms: float = figure("The 99th percentile of the delay, within 1 %.", unit="ms", better=Better.LOWER)
    delay_us: str = figure(
        "All delays, as value:count with spaces between, rounded down by at most 1 %.", unit="us", default=""
    )


class Fanout(Part):
    """Which streams received the published events, and when.

    A stream was expected to receive an event if it was open for 0.1 s before the publication, and for `grace_s` after
    it.
    """

    publisher: Publisher = figure("The publisher.")
    grace_s: float = figure("How long a stream had to stay open after a publication to count.", unit="s", ge=0)
    events: int = figure("Published events that at least one stream was expected to receive.", ge=0)
    streams: int = figure("Streams that were expected to receive at least one event.", ge=0)
    expected: int = figure("Deliveries that were expected: each event on each stream that was to receive it.", ge=0)
    received: int = figure("Deliveries of these that happened.", share_of="fanout.expected", better=Better.HIGHER, ge=0)
    missed: int = figure(
        "Deliveries of these that did not happen.", share_of="fanout.expected", better=Better.LOWER, ge=0
    )
    reach: float | None = figure(
        "The share of the expected deliveries that happened.",
        unit="ratio",
        absent=_NO_EVENT,
        better=Better.HIGHER,
        ge=0,
        le=1,
    )
    reached_all: int = figure(
        "Events that reached all streams that were to receive them.",
        share_of="fanout.events",
        better=Better.HIGHER,
        ge=0,
    )
    least_event_reach: float | None = figure(
        "The share of its streams that the event with the lowest share reached.",
        unit="ratio",
        absent=_NO_EVENT,
        better=Better.HIGHER,
        ge=0,
        le=1,
    )
    complete_streams: int = figure(
        "Streams that received all their events.", share_of="fanout.streams", better=Better.HIGHER, ge=0
    )
    streams_without: int = figure(
        "Streams that received none of their events.", share_of="fanout.streams", better=Better.LOWER, ge=0
    )
    separate_groups: int = figure(
        "Groups of streams between which the events were divided, so that each event reached one group; 0 for none.",
        better=Better.LOWER,
        default=0,
        ge=0,
    )
    least_stream_reach: float | None = figure(
        "The share of its events that the stream with the lowest share received.",
        unit="ratio",
        absent=_NO_EVENT,
        better=Better.HIGHER,
        ge=0,
        le=1,
    )
    most_stream_reach: float | None = figure(
        "The share of its events that the stream with the highest share received.",
        unit="ratio",
        absent=_NO_EVENT,
        better=Better.HIGHER,
        ge=0,
        le=1,
    )
    duplicated: int = figure(
        "Deliveries of an event that the stream already had.", share_of="fanout.expected", better=Better.LOWER, ge=0
    )
    out_of_order: int = figure(
        "Deliveries after one of a later event on the same stream.",
        share_of="fanout.expected",
        better=Better.LOWER,
        ge=0,
    )
    replayed: int = figure("Events that a stream received, but that were published before it opened.", ge=0)
    unconfirmed: int = figure("Deliveries of events whose publication failed.", ge=0)
    delay: Latency | None = figure(
        "From the publication of an event until its arrival on a stream.", absent="no published event arrived"
    )
    untimed: int = figure(
        "Arrivals without a delay, because the load generator was late to read.", better=Better.LOWER, ge=0
    )
    spread: Latency | None = figure(
        "From the first to the last arrival of an event.", absent="no published event reached two streams"
    )
    stream_delay: Latency | None = figure("The mean delay of each stream.", absent="no published event arrived")
    fairness: float | None = figure(
        "The median stream's mean delay, divided by that of the slowest stream; 1: all streams are alike.",
        unit="ratio",
        absent="fewer than two streams received a published event",
        better=Better.HIGHER,
        ge=0,
        le=1,
    )
    unfollowed: int = figure("Streams that were too many to follow.", better=Better.LOWER, ge=0)
    slowest_streams: list[SlowStream] = figure("The ten streams with the largest mean delays.")
    incomplete_streams: list[StreamShortfall] = figure("Streams that missed events, the 100 that missed most.")
    incomplete_events: list[EventShortfall] = figure(
        "Events that did not reach all streams, the 100 with the most missing deliveries."
    )
    timeline: list[FanoutRow] = figure("The delays second by second.")

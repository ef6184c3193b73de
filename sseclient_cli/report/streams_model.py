"""The parts of the report about streams and their events: counts, silence, bursts."""

from __future__ import annotations

from sseclient_cli.report.distributions import Durations, Sizes
from sseclient_cli.report.figure import Better, Part, figure


class Streams(Part):
    """Streams by outcome: planned = opened + failed + unfinished + lost."""

    planned: int = figure("Streams of the plan, without bad clients.", ge=0)
    lost: int = figure(
        "Streams of lost workers; no other figure includes them.", share_of="streams.planned", better=Better.LOWER, ge=0
    )
    opened: int = figure("Streams that opened.", share_of="streams.planned", better=Better.HIGHER, ge=0)
    failed: int = figure("Streams that could not be opened.", share_of="streams.planned", better=Better.LOWER, ge=0)
    unfinished: int = figure(
        "Streams that were not started, or still connecting, at the end.",
        share_of="streams.planned",
        better=Better.LOWER,
        ge=0,
    )
    unanswered: int = figure(
        "Requests without a response head at their timeout, or for at least 1 s at the end of the run.",
        better=Better.LOWER,
        ge=0,
    )
    without_event: int = figure(
        "Streams that were open for at least 1 s and received no event.",
        share_of="streams.opened",
        better=Better.LOWER,
        ge=0,
    )
    silent: int = figure(
        "Streams that were open at the end, without a byte for many times their longest earlier pause (4 times after "
        "100 pauses, 40 times after 5; never after fewer).",
        share_of="streams.opened",
        better=Better.LOWER,
        ge=0,
    )
    ended_by_server: int = figure(
        "Streams that the server ended with a complete response.", share_of="streams.opened", ge=0
    )
    completed: int = figure("Streams that were closed as planned, after `lifetime_s` or `events` of the plan.", ge=0)
    reconnected: int = figure("Reconnections after the end of a stream or a storm.", ge=0)
    broken: int = figure(
        "Streams that opened, and that an error ended for good.", share_of="streams.opened", better=Better.LOWER, ge=0
    )
    open_at_end: int = figure("Streams that were open at the end of the run.", share_of="streams.opened", ge=0)
    peak_open: int = figure("Streams that were open at once, at most; the sum of the workers' peaks.", ge=0)


class Events(Part):
    """Received data. Heartbeats (comments) are not events."""

    received: int = figure("Events received.", better=Better.HIGHER, ge=0)
    comments: int = figure("Comments received.", ge=0)
    bytes: int = figure("Bytes of the response bodies.", unit="bytes", ge=0)
    per_s: float | None = figure(
        "Events per second of the run.", unit="1/s", absent="the run has no duration", better=Better.HIGHER, ge=0
    )
    error_events: int | None = figure(
        "Events that report an error; null unless `counts_error_events` of the plan is true.",
        share_of="events.received",
        absent="events were not searched for errors (`counts_error_events`)",
        better=Better.LOWER,
        ge=0,
    )
    coalesced: int = figure(
        "Events that were followed by other data in their read; their arrival time is less exact.",
        share_of="events.received",
        better=Better.LOWER,
        ge=0,
    )
    per_stream: Sizes | None = figure("Events per stream that opened.", absent="no stream opened")
    by_type: dict[str, int] = figure("Events by type; a name is cut to 200 bytes.")


class Silence(Part):
    """Time without a byte."""

    at_end: Durations | None = figure(
        "Silent streams: from the last byte until the end of the run.", absent="no stream was silent"
    )
    before_cut: Durations | None = figure(
        "Connections that were cut or ended: from the last byte until the cut or the end.",
        absent="no connection was cut or ended",
    )
    longest: Durations | None = figure(
        "Streams that opened: the longest time of each without a byte on an open connection.",
        absent="no stream opened",
    )
    heartbeat_interval: Durations | None = figure(
        "From one read with comments to the next one on the same connection.",
        absent="no connection received comments in two reads",
    )


class BytesWithoutEvent(Part):
    """Streams that received bytes but no event."""

    streams: int = figure("The number of these streams.", better=Better.LOWER, ge=1)
    example: str = figure("The cause, from the bytes of the first of these streams.")


class Bursts(Part):
    """Reads with several events, except the first read of each connection."""

    events: Sizes | None = figure("Events per such read.", absent="no read had several events")
    events_in_bursts: int = figure("Events in such reads.", ge=0)
    events_alone: int = figure("Events alone in their read.", ge=0)
    gaps_inside: int = figure("Gaps between events of one read; latency.gap excludes them.", ge=0)
    held_back: Durations | None = figure(
        "From the first to the last event of a read, by the timestamps in the events.",
        absent="no such read had timestamps",
    )
    heads_with_events: int = figure("Response heads that arrived together with a part of the body.", ge=0)
    content_encodings: dict[str, int] = figure("Responses by Content-Encoding.")

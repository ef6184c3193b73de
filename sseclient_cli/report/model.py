"""The report of a run, schema 2: a value. Everything that is shown or compared is rendered from it.

A number that could not be measured is None, never zero. Names keep their meaning within a schema number.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from sseclient_cli.report.distributions import Durations, Latency, QueueSizes, Sizes
from sseclient_cli.report.evidence import FieldEvidence
from sseclient_cli.report.figure import Better, Part, figure
from sseclient_cli.report.run_model import Run

SCHEMA: Literal[2] = 2


class Tool(Part):
    """What wrote the report."""

    name: str = figure("Its name.")
    version: str = figure("Its version.")


class Streams(Part):
    """What became of the streams: planned = opened + failed + unfinished + lost."""

    planned: int = figure("How many were to be opened.", ge=0)
    lost: int = figure("Of workers that were lost: nothing of them is in any other number.", better=Better.LOWER, ge=0)
    opened: int = figure("How many opened.", better=Better.HIGHER, ge=0)
    failed: int = figure("How many could not be opened.", better=Better.LOWER, ge=0)
    unfinished: int = figure("At the end not started, or still trying.", better=Better.LOWER, ge=0)
    unanswered: int = figure(
        "Requests that had no response head at the end of the run or of their time.", better=Better.LOWER, ge=0
    )
    without_event: int = figure("Open for at least 1 s, and never brought an event.", better=Better.LOWER, ge=0)
    silent: int = figure(
        "Open at the end, and without a byte for many times the longest pause before (4 times after 100 pauses, "
        "40 times after 5; with fewer, never).",
        better=Better.LOWER,
        ge=0,
    )
    ended_by_server: int = figure("Ended by the server after a complete response.", ge=0)
    completed: int = figure("Closed as planned, after `lifetime_s` or `events` of the plan.", ge=0)
    reconnected: int = figure("How often a stream came back after an end or a storm.", ge=0)
    broken: int = figure("Opened, and then ended with an error for good.", better=Better.LOWER, ge=0)
    open_at_end: int = figure("Open when the run was over.", ge=0)
    peak_open: int = figure("The most that were open at once; the sum of the workers' peaks.", ge=0)


class Events(Part):
    """What arrived. Heartbeats (comments) are never events."""

    received: int = figure("How many events.", better=Better.HIGHER, ge=0)
    comments: int = figure("How many comments.", ge=0)
    bytes: int = figure("The size of the bodies.", unit="bytes", ge=0)
    per_s: float | None = figure("Events per second of the run.", unit="1/s", better=Better.HIGHER, ge=0)
    error_events: int | None = figure(
        "Events that report an error; null unless `counts_error_events` of the plan is true.", better=Better.LOWER, ge=0
    )
    coalesced: int = figure(
        "Events that were not the last thing of their read: their arrival is known less exactly.",
        better=Better.LOWER,
        ge=0,
    )
    per_stream: Sizes | None = figure("How many events each stream that opened got.")
    by_type: dict[str, int] = figure("How many of each type; names are cut to 200 bytes.")


class Latencies(Part):
    """What was measured; null without a value."""

    connect: Latency | None = figure("From the intended start of a connection until it was made.", label="connect")
    tls: Latency | None = figure("The TLS handshake, which is a part of connect.", label="tls")
    headers: Latency | None = figure("From the request until the response head was complete.", label="headers")
    first_event: Latency | None = figure("From the intended start until the first event.", label="first event")
    gap: Latency | None = figure("From an event until the next one of the same stream.", label="gap")
    open_gap: Latency | None = figure(
        "From the last event of each stream that is not over until the end of the run.", label="open gap"
    )
    delivery: Latency | None = figure("From the event's own timestamp until its arrival.", label="delivery")


class Silence(Part):
    """Time without a byte."""

    at_end: Durations | None = figure("Of the streams that are silent: from their last byte until the end.")
    before_cut: Durations | None = figure("Of connections that were cut or ended: from the last byte until then.")


class BytesWithoutEvent(Part):
    """Streams that brought bytes and no event."""

    streams: int = figure("How many.", better=Better.LOWER, ge=1)
    example: str = figure("What the bytes of the first one tell.")


class Bursts(Part):
    """Reads that brought several events, but for the first one of a connection."""

    events: Sizes | None = figure("How many events these reads brought.")
    events_in_bursts: int = figure("All events that came in such reads.", ge=0)
    events_alone: int = figure("Events that came one in a read.", ge=0)
    gaps_inside: int = figure("Gaps between events that arrived together: they are in no row.", ge=0)
    held_back: Durations | None = figure(
        "How much later the last event of a read was sent than the first, by their own timestamps."
    )
    heads_with_events: int = figure("Response heads that came together with a part of the body.", ge=0)
    content_encodings: dict[str, int] = figure("How many responses had each Content-Encoding.")


class Audit(Part):
    """Was every event received, once, and in order? By a sequence number in the events."""

    source: str = figure("The field of the sequence number.")
    checked: int = figure("How many events had one.", ge=0)
    lost: int | None = figure("Numbers that are missing; null where it cannot be known.", better=Better.LOWER, ge=0)
    lost_at_least: int = figure("What is known of them.", better=Better.LOWER, ge=0)
    duplicated: int = figure("Events that came again.", better=Better.LOWER, ge=0)
    out_of_order: int = figure("Events that came after a larger number.", better=Better.LOWER, ge=0)
    unconfirmed: int = figure("Numbers missing on half of the streams or more.", better=Better.LOWER, ge=0)
    renumbered_streams: int = figure("Streams on which a new numbering began.", better=Better.LOWER, ge=0)
    carried: int = figure("Events with the id of the event before.", ge=0)
    by_type: bool = figure("Whether each type has numbers of its own.")
    refuting_streams: int = figure("Streams on which the field is no sequence; they are left out.", ge=0)


class Reach(Part):
    """Of a broadcast: how many of its events reached all streams, in a sample."""

    streams: int = figure("How many streams were sampled.", ge=0)
    events: int = figure("How many events.", ge=0)
    reached_all: int = figure("How many of these reached all of the streams.", better=Better.HIGHER, ge=0)
    share: float = figure("The share of the events that a stream got, as the mean.", better=Better.HIGHER, ge=0, le=1)


class ClockStep(Part):
    """A step of this machine's wall clock."""

    t_s: int = figure("The second of the run.", unit="s", ge=0)
    step_ms: float = figure("By how much the clock was set.", unit="ms")


class Clocks(Part):
    """What is known of the two clocks."""

    steps: list[ClockStep] = figure("Steps of this machine's wall clock.")
    server_ahead_s: int | None = figure(
        "The server's clock less ours by the Date of its responses; 0: less than can be told; null: no Date.", unit="s"
    )


class ErrorCount(Part):
    """Errors of one kind."""

    kind: str = figure("The kind: see docs/reference/errors.md.", pattern="^[a-z0-9-]+$")
    count: int = figure("How many.", better=Better.LOWER, ge=1)
    example: str = figure("The message of the first one.")


class Generator(Part):
    """The load generator itself. Its delay is never part of a latency."""

    saturated: bool = figure("Whether it was the bottleneck.")
    reasons: list[str] = figure("Why, in words.")
    cpu_percent: list[float | None] = figure(
        "CPU of each worker, in percent of a core; null for a lost one, and in a run under 0.5 s.", better=Better.LOWER
    )
    read_delay: Latency | None = figure("From the kernel's stamp until our read: our own queue.")
    start_delay: Latency | None = figure("How late connections were begun; inside of connect and first_event.")
    loop_lag: Latency | None = figure("How late the worker's timer fired, ten times a second.")
    receive_queue: QueueSizes | None = figure("What lay unread in the sockets of open streams.")


class Row(Part):
    """A row of the timeline: a second, or more in a run of over 15 minutes."""

    t_s: int = figure("When it begins.", unit="s", ge=0)
    open: int = figure("Streams open at its end.", ge=0)
    events: int = figure("Events that arrived.", ge=0)
    bytes: int = figure("Bytes that arrived.", unit="bytes", ge=0)
    errors: int = figure("Errors.", better=Better.LOWER, ge=0)
    delivery_p50_ms: float | None = figure("The median of delivery, within 1 %.", unit="ms", better=Better.LOWER)
    delivery_p99_ms: float | None = figure("Its 99th percentile.", unit="ms", better=Better.LOWER)
    delivery_us: str = figure("All of it, as value:count with a space between, rounded down by at most 1 %.", unit="us")


class Assertion(Part):
    """A condition that was to hold."""

    expression: str = figure("The condition as given.")
    observed: float | None = figure("The figure that it is about.")
    passed: bool = figure("Whether it held.")


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    """Needed to read the figures right."""
    WARNING = "warning"
    """Something may be wrong with the server, the way to it, or a figure."""
    FAULT = "fault"
    """Events or streams are missing."""


class Finding(Part):
    """What a reader should know."""

    code: str = figure("A stable code.", pattern="^[a-z-]+$")
    severity: Severity = figure("How much it matters: info, warning or fault.")
    figures: dict[str, Any] = figure("The figures that prove it.")


class Evidence(Part):
    """What reports are merged by, where the figures do not say it all."""

    reads: int = figure("Reads that brought bytes of a body.", ge=0)
    stamped_reads: int = figure("Of these, those that the kernel stamped.", ge=0)
    duration_ns: int = figure("The duration of the run, not rounded.", unit="ns", ge=0)
    cpu_percent: list[float | None] = figure("CPU of each worker in percent of a core, not rounded.")
    date_differences: dict[int, int] = figure(
        "The server's Date less our clock in whole seconds, with how many responses said so."
    )
    audits: list[FieldEvidence] = figure("What the audits of the streams found, by field.")


class Report(Part):
    """The report of a run."""

    schema_: Literal[2] = figure("The number of this schema.", alias="schema", default=SCHEMA)
    tool: Tool = figure("What wrote it.")
    run: Run = figure("What was run, when and where.")
    streams: Streams = figure("What became of the streams.")
    events: Events = figure("What arrived.")
    latency: Latencies = figure("What was measured.")
    silence: Silence = figure("Time without a byte.")
    bytes_without_event: BytesWithoutEvent | None = figure("Streams that brought bytes and no event; null for none.")
    bursts: Bursts = figure("Reads that brought several events.")
    audit: Audit | None = figure("Loss, duplicates and order by a sequence number; null without one.")
    reach: Reach | None = figure("How far the events of a broadcast got; null where they are none.")
    clocks: Clocks = figure("What is known of the two clocks.")
    errors: list[ErrorCount] = figure("Errors by kind, the most frequent first.")
    generator: Generator = figure("The load generator itself.")
    timeline: list[Row] = figure("The run second by second.")
    assertions: list[Assertion] = figure("Empty for now.")
    findings: list[Finding] = figure("What a reader should know; the summary says the same in words.")
    evidence: Evidence = figure("What reports are merged by, where the figures do not say it all.")

"""The report of a run, schema 2, immutable. Summaries and comparisons are rendered from it.

A figure that could not be measured is None, never zero. Names keep their meaning within a schema number.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from sseclient_cli.report.assertion_model import Outcome
from sseclient_cli.report.bad_clients_model import BadClients
from sseclient_cli.report.distributions import Latency, QueueSizes
from sseclient_cli.report.evidence import Evidence
from sseclient_cli.report.fanout_model import Fanout
from sseclient_cli.report.figure import Better, Part, figure
from sseclient_cli.report.recovery_model import Recovery
from sseclient_cli.report.requests_model import Llm, Mcp, Requests
from sseclient_cli.report.run_model import Run
from sseclient_cli.report.streams_model import Bursts, BytesWithoutEvent, Events, Silence, Streams
from sseclient_cli.report.target_model import TargetMetrics
from sseclient_cli.report.timeline_model import Row

SCHEMA: Literal[2] = 2


class Tool(Part):
    """The program that wrote the report."""

    name: str = figure("The name of the program.")
    version: str = figure("The version of the program.")


class Latencies(Part):
    """The latencies; null without a value."""

    connect: Latency | None = figure(
        "From the intended start of a connection until it was established.",
        label="connect",
        absent="no connection was established",
    )
    tls: Latency | None = figure(
        "The TLS handshake; a part of connect.", label="tls", absent="no TLS handshake took place"
    )
    headers: Latency | None = figure(
        "From the request until the response head was complete.", label="headers", absent="no response head arrived"
    )
    first_event: Latency | None = figure(
        "From the intended start until the first event.", label="first event", absent="no event arrived"
    )
    gap: Latency | None = figure(
        "From an event until the next one of the same stream.", label="gap", absent="no stream received two events"
    )
    open_gap: Latency | None = figure(
        "From the last event of each open stream until the end of the run.",
        label="open gap",
        absent="no stream was open at the end",
    )
    delivery: Latency | None = figure(
        "From the event's own timestamp until its arrival.", label="delivery", absent="no event has a timestamp"
    )


class Audit(Part):
    """Lost, duplicated and unordered events, by a sequence number in the events."""

    source: str = figure("The field of the sequence number.")
    checked: int = figure("Events with a sequence number.", ge=0)
    lost: int | None = figure(
        "Missing numbers; null if the loss is unknown.", absent="the numbering restarted", better=Better.LOWER, ge=0
    )
    lost_at_least: int = figure("Numbers that are missing for certain.", better=Better.LOWER, ge=0)
    duplicated: int = figure("Events received again.", better=Better.LOWER, ge=0)
    out_of_order: int = figure("Events received after a larger number.", better=Better.LOWER, ge=0)
    unconfirmed: int = figure("Numbers missing on half of the streams or more.", better=Better.LOWER, ge=0)
    renumbered_streams: int = figure("Streams on which the numbering restarted.", better=Better.LOWER, ge=0)
    carried: int = figure("Events with the id of the previous event.", ge=0)
    by_type: bool = figure("Whether each event type has its own numbering.")
    refuting_streams: int = figure("Streams on which the field is not a sequence; the audit excludes them.", ge=0)


class Reach(Part):
    """How many events of a broadcast reached all streams, in a sample of streams and events."""

    streams: int = figure("Sampled streams.", ge=0)
    events: int = figure("Sampled events.", ge=0)
    reached_all: int = figure("Events that reached all sampled streams.", better=Better.HIGHER, ge=0)
    share: float = figure(
        "The mean share of the events that a stream received.", unit="ratio", better=Better.HIGHER, ge=0, le=1
    )


class ClockStep(Part):
    """A step of this machine's wall clock."""

    t_s: int = figure("The second of the run.", unit="s", ge=0)
    step_ms: float = figure("The size of the step.", unit="ms")


class Clocks(Part):
    """The clocks of the server and of this machine."""

    steps: list[ClockStep] = figure("Steps of this machine's wall clock.")
    server_ahead_s: int | None = figure(
        "The server's clock minus this machine's, by the Date header; 0: too small to measure; null: no Date.",
        unit="s",
        absent="no response has a Date header",
    )


class ErrorCount(Part):
    """Errors of one kind."""

    kind: str = figure("The kind, as in docs/reference/errors.md.", pattern="^[a-z0-9-]+$")
    count: int = figure("The number of errors of this kind.", better=Better.LOWER, ge=1)
    example: str = figure("The message of the first error of this kind.")


class Generator(Part):
    """The load generator. Its own delay is not part of any latency."""

    saturated: bool = figure("Whether it was the bottleneck.")
    reasons: list[str] = figure("Why it was the bottleneck, in words.")
    cpu_percent: list[float | None] = figure(
        "CPU of each worker, in percent of a core; null for a lost worker, and in a run under 0.5 s.",
        better=Better.LOWER,
    )
    read_delay: Latency | None = figure(
        "From the kernel timestamp until the read: the queue of the load generator.",
        absent="no read had a kernel timestamp",
    )
    start_delay: Latency | None = figure(
        "How late connections were started; included in connect and first_event.", absent="no connection was started"
    )
    loop_lag: Latency | None = figure(
        "How late the worker's timer fired, ten times a second.", absent="the run ended before its first tick"
    )
    receive_queue: QueueSizes | None = figure(
        "Unread bytes in the sockets of open streams.", absent="no stream was open at a tick"
    )


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    """Needed to interpret the figures."""
    WARNING = "warning"
    """Something may be wrong with the server, the network, or a figure."""
    FAULT = "fault"
    """Events or streams are missing."""


class Finding(Part):
    """A conclusion from the figures."""

    code: str = figure("A stable code.", pattern="^[a-z-]+$")
    severity: Severity = figure("How much it matters: info, warning or fault.")
    figures: dict[str, Any] = figure("The figures that show it.")


def finding(code: str, severity: Severity, figures: dict[str, Any]) -> Finding:
    """Return a finding."""
    return Finding(code=code, severity=severity, figures=figures)


class Report(Part):
    """The report of a run."""

    schema_: Literal[2] = figure("The number of this schema.", alias="schema", default=SCHEMA)
    document: Literal["report"] = figure("The kind of this document.", default="report")
    tool: Tool = figure("The program that wrote the report.")
    run: Run = figure("The target, the plan, the time and the machines of the run.")
    streams: Streams = figure("The streams, by outcome.")
    events: Events = figure("Received data.")
    latency: Latencies = figure("The latencies.")
    silence: Silence = figure("Time without a byte.")
    bytes_without_event: BytesWithoutEvent | None = figure(
        "Streams that received bytes but no event; null for none.", absent="there was no such stream"
    )
    bursts: Bursts = figure("Reads with several events.")
    audit: Audit | None = figure(
        "Lost, duplicated and unordered events by a sequence number; null without one.",
        absent="no sequence number was found in the events",
    )
    reach: Reach | None = figure(
        "How many events of a broadcast reached all streams; null without a broadcast.",
        absent="no broadcast was found, the report is merged, or the hosts' clocks were not compared",
    )
    fanout: Fanout | None = figure(
        "Which streams received the events of the run's own publisher; null without one.",
        absent="the run had no publisher (`publish_url`)",
        default=None,
    )
    requests: Requests | None = figure(
        "The requests and their answers; null for streams without an end of their own.",
        absent="the streams are not requests (`llm`, `mcp_method`)",
        default=None,
    )
    llm: Llm | None = figure(
        "The answers of an LLM; null for other streams.",
        absent="the streams are not LLM requests (`llm`)",
        default=None,
    )
    mcp: Mcp | None = figure(
        "The answers of an MCP server; null for other streams.",
        absent="the streams are not MCP requests (`mcp_method`)",
        default=None,
    )
    clocks: Clocks = figure("The clocks of the server and of this machine.")
    errors: list[ErrorCount] = figure("Errors by kind, the most frequent first.")
    generator: Generator = figure("The load generator.")
    timeline: list[Row] = figure("The run second by second.")
    recovery: Recovery | None = figure(
        "The outages: a storm, or a server that many streams lost at once; null without one.",
        absent="there was no outage: it needs `storm_s`, or streams that reconnect (`on_end`) and were lost at once",
        default=None,
    )
    bad: BadClients | None = figure(
        "The bad clients; null without any.", absent="the run had no bad clients", default=None
    )
    target_metrics: TargetMetrics | None = figure(
        "The target's own metrics; null if not sampled.",
        absent="the target was not sampled, or the report is merged",
        default=None,
    )
    assertions: list[Outcome] = figure("The assertions on the run, with their outcome.")
    findings: list[Finding] = figure("Conclusions from the figures; the summary has them in words.")
    evidence: Evidence = figure("Data for merging reports, beyond the figures.")

"""The part of the report that describes the run: target, plan, load generator, and route to the server."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from sseclient_cli.report.figure import Part, figure


class Prompts(Part):
    """How the bodies of the requests to an LLM were made. The texts are not in the report."""

    api: str = figure("The API of the bodies: openai-chat, openai-completions, openai-responses or anthropic.")
    model: str | None = figure("The model of the requests; null for the server's own.")
    source: Literal["default", "text", "file", "synthetic"] = figure("Where the prompts come from.")
    tokens: str | None = figure("The length of synthetic prompts: COUNT, or COUNT:SPREAD; null for others.")
    turns: int = figure("The turns of the longest conversation.", ge=1)
    output_tokens: str | None = figure("The limit of each answer: COUNT, or COUNT:SPREAD; null without one.")
    has_system: bool = figure("Whether the requests have a system prompt.")
    left_out: list[str] = figure("What the requests leave out of the file of prompts.")
    extra: list[str] = figure("The names of members that were added to the bodies or removed.")


class Target(Part):
    """The target of the load. Secrets are replaced by REDACTED."""

    url: str = figure("The URL as given.")
    bundled_server: bool = figure("Whether it was the demo server, started for this run.", default=False)
    redirected_to: str | None = figure("The URL that redirects led most streams to; null without redirects.")
    method: str = figure("The request method.")
    headers: list[tuple[str, str]] = figure("The headers of the request.")
    body_bytes: int | None = figure("The size of the request body; null without a body.", unit="bytes", ge=0)
    message_count: int = figure("Messages that each stream sends to the WebSocket when it opens.", default=0, ge=0)
    proxy: str | None = figure("The proxy of all connections; null without a proxy.", default=None)
    connect_to: tuple[str, int] | None = figure("The host and port that replaced those of the URL; null by default.")
    unix_socket: str | None = figure("The unix socket of all connections; null by default.")
    source_addresses: list[str] = figure("The local addresses of the connections, in turn.")
    all_addresses: bool = figure("Whether streams went to all addresses of the host name, in turn.")
    connect_timeout_s: float = figure("The time limit to connect.", unit="s", gt=0)
    head_timeout_s: float | None = figure("The time limit for the response head; null for no limit.", unit="s", gt=0)
    certificates_checked: bool = figure("Whether the server's certificate was verified.")
    ca_file: str | None = figure(
        "The file with the only trusted certificate authorities; null for the default ones.", default=None
    )
    cert_file: str | None = figure("The file with the client certificate; null without one.", default=None)
    key_file: str | None = figure("The file with the key of the client certificate; null without one.", default=None)
    http2: bool = figure("Whether the connections used HTTP/2.", default=False)
    any_content_type: bool = figure("Whether any content type was read as an event stream.", default=False)
    stream_format: str = figure(
        "The format of the streams: auto (by content type), sse, ndjson, lines, chunks or json.", default="auto"
    )
    requests_differ: bool = figure("Whether streams have values or URLs of their own.", default=False)
    values_file: str | None = figure("The file with the values of the streams; null without one.", default=None)
    urls_file: str | None = figure("The file with the URLs of the streams; null without one.", default=None)
    prompts: Prompts | None = figure(
        "The prompts of requests to an LLM; null for a body of the user's own.", default=None
    )
    prompt_seed: str | None = figure(
        "The seed of random words and lengths in the prompts; null without prompts, and after a merge.", default=None
    )


class Preflight(Part):
    """The request before the run. No other figure counts it."""

    requests: int = figure("Requests of the preflight, including redirects; on a cluster, those of all machines.", ge=1)
    status: int = figure("The status of the last response.")
    closed: Literal[True] = figure("Always true: its connection is closed before the run.", default=True)


class Address(Part):
    """An address of the target's host, of a proxy, or of a host that a redirect led to."""

    host: str | None = figure("The host; null for a unix socket.")
    address: str = figure("The address, or the path of a unix socket.")
    port: int | None = figure("The port; null for a unix socket.", ge=1, le=65535)
    connections: int = figure("Connections that were started to it; 0 for an unused address.", ge=0)


class Redirection(Part):
    """A URL that redirects led to."""

    url: str = figure("The last URL of the redirect chain.")
    streams: int = figure("Streams that opened there, including reconnections.", ge=0)


class UrlShare(Part):
    """A URL of the file with URLs, and its streams."""

    url: str = figure("The URL.")
    weight: int = figure("Its share of the streams, against the other weights.", ge=1)
    opened: int = figure("Streams that opened.", ge=0)
    failed: int = figure("Streams that failed to open.", ge=0)


class Candidate(Part):
    """A field that looked like a sequence at first."""

    source: str = figure("The field.")
    reason: str = figure("Why it is not used as a sequence.")


class TimestampField(Part):
    """The event field with the send time."""

    asked: str = figure("The choice of the user: auto, none, or a field.")
    used: list[str] = figure("The fields that were used.")
    in_the_future: list[str] = figure("Fields that are not used because their times lie in the future.")


class SequenceField(Part):
    """The event field with the sequence number."""

    asked: str = figure("The choice of the user: auto, none, or a field.")
    used: list[str] = figure("The fields that were used.")
    candidates: list[Candidate] = figure("Fields that looked like a sequence and were rejected.")


class PlannedBadClients(Part):
    """The bad clients of the plan."""

    at_s: float = figure("When they turn bad, from the start of the run.", unit="s", gt=0)
    shares: dict[str, str] = figure("The share of the streams by kind, as given: `5%`, or a count.")
    slow_bytes_per_s: int | None = figure(
        "The bytes per second that a slow client reads; null without slow clients.", unit="1/s", ge=1
    )


class PlannedLlm(Part):
    """The LLM requests of the plan."""

    api: str = figure("The API: auto, openai-chat, openai-completions, openai-responses or anthropic.")
    slo: list[str] = figure("The objectives of the goodput.")
    tokenizer: str | None = figure(
        "The file of the tokenizer that counts what the server does not; null without one.", default=None
    )


class PlannedMcp(Part):
    """The MCP requests of the plan, and what the server said about itself before the run."""

    method: str = figure("The method of each request.")
    tool: str | None = figure("The tool that each request calls; null for another method.")
    version: str = figure("The version of MCP.")
    server_name: str = figure("The name of the server, by itself; empty if it has none.")
    server_version: str = figure("The version of the server, by itself; empty if it has none.")


class Plan(Part):
    """The plan of the run."""

    connections: int = figure("Streams to hold open; with an arrival rate, streams to open in all.", ge=1)
    duration_s: float = figure("The planned duration.", unit="s", gt=0)
    ramp_up_s: float = figure("The time over which the streams are opened.", unit="s", ge=0)
    rate_per_s: float | None = figure(
        "The arrival rate of new streams; null if the plan has none.", unit="1/s", default=None, gt=0
    )
    arrivals: Literal["constant", "poisson"] = figure(
        "How the starts are spread over the ramp-up: at even intervals, or as a Poisson process.", default="constant"
    )
    seed: int | None = figure("The seed of the Poisson process; null without one.", default=None, ge=0)
    warmup_s: float = figure("The first part of the run, without latencies.", unit="s", ge=0)
    lifetime_s: float | None = figure("A stream is closed after this time; null for no limit.", unit="s", gt=0)
    refill: bool = figure("Whether a new stream replaces a completed one.")
    streams_per_connection: int | None = figure(
        "The limit of the streams that share an HTTP/2 connection; null for the default.", default=None, ge=1
    )
    events: int | None = figure("A stream is closed after this many events; null for no limit.", ge=1)
    on_end: Literal["stop", "reconnect", "restart"] = figure("What happens when the server ends a stream.")
    retry_statuses: list[int] = figure("Statuses after which the request is retried.")
    storm_s: float | None = figure("The time at which all connections are dropped; null for never.", unit="s", gt=0)
    max_event_bytes: int | None = figure(
        "A stream with a larger event is closed; null for the default limit.", unit="bytes", ge=1
    )
    idle_timeout_s: float | None = figure(
        "A stream is closed after this time without a byte; null for no limit.", unit="s", gt=0
    )
    requests: int | None = figure("The number of requests in all; null for no limit.", default=None, ge=1)
    llm: PlannedLlm | None = figure("The LLM requests; null for other streams.", default=None)
    mcp: PlannedMcp | None = figure("The MCP requests; null for other streams.", default=None)
    bad_clients: PlannedBadClients | None = figure("The bad clients; null without any.", default=None)
    counts_error_events: bool = figure("Whether events that report an error are counted.")
    timestamp: TimestampField = figure("The event field with the send time.")
    sequence: SequenceField = figure("The event field with the sequence number.")


_ALONE = "the run was not on a cluster"


class Host(Part):
    """A machine of the load generator. All figures except the first four are null for a run without a cluster."""

    system: str = figure("The operating system.")
    machine: str = figure("The processor architecture.")
    python: str = figure("The version of Python.")
    cpus: int | None = figure("The number of processors.")
    name: str | None = figure("The name of the host in its cluster.", absent=_ALONE, default=None)
    address: str | None = figure("Its address in the cluster.", absent=_ALONE, default=None)
    workers: int | None = figure("Its worker processes.", absent=_ALONE, default=None, ge=0)
    workers_lost: int | None = figure("Workers that ended without a report.", absent=_ALONE, default=None, ge=0)
    planned: int | None = figure("Streams that it should have opened.", absent=_ALONE, default=None, ge=0)
    lost: int | None = figure("Planned streams of its lost workers.", absent=_ALONE, default=None, ge=0)
    opened: int | None = figure("Streams that opened.", absent=_ALONE, default=None, ge=0)
    failed: int | None = figure("Streams that failed to open.", absent=_ALONE, default=None, ge=0)
    events: int | None = figure("Events received.", absent=_ALONE, default=None, ge=0)
    bytes: int | None = figure("Bytes received.", unit="bytes", absent=_ALONE, default=None, ge=0)
    cpu_percent: list[float | None] | None = figure(
        "CPU of each worker, in percent of a core; null for a lost worker.", absent=_ALONE, default=None
    )
    read_delay_p99_ms: float | None = figure(
        "The 99th percentile of the time from the kernel timestamp until the read.",
        unit="ms",
        absent="no read had a kernel timestamp",
        default=None,
    )
    clock_offset_ms: float | None = figure(
        "Its wall clock minus the coordinator's; in a merged report, the largest one.",
        unit="ms",
        absent="it was not measured",
        default=None,
    )
    clock_bound_ms: float | None = figure(
        "The offset is correct to within this time.", unit="ms", absent="it was not measured", default=None, ge=0
    )
    clock_corrected: bool | None = figure("Whether delivery is without the offset.", absent=_ALONE, default=None)


class Http2(Part):
    """How the streams shared HTTP/2 connections."""

    streams_per_connection: int = figure("The limit of the streams that share a connection.", ge=1)
    connections: int = figure("Connections that were started.", ge=0)
    max_concurrent_streams: int | None = figure(
        "The server's lowest SETTINGS_MAX_CONCURRENT_STREAMS.",
        absent="no connection was ready, or the server sets no limit",
        ge=0,
    )
    window_bytes: int = figure("The flow-control windows of each stream and connection.", unit="bytes", ge=1)


class Run(Part):
    """The run: target, plan, time and machine."""

    target: Target = figure("The target of the load.")
    preflight: Preflight | None = figure("The request before the run; null without one.")
    addresses: list[Address] = figure("The addresses that connections went to.")
    http2: Http2 | None = figure("How the streams shared connections; null for HTTP/1.1.", default=None)
    formats: dict[str, int] = figure(
        "Responses that were streams, by format: sse, ndjson, lines, chunks, json or websocket.", default={}
    )
    redirections: list[Redirection] = figure(
        "The URLs that redirects led to: at most 20 per worker, the rest as (other)."
    )
    urls: list[UrlShare] = figure(
        "The streams of each URL of the file with URLs: of the first 100, and of the rest as (other).", default=[]
    )
    started_at: AwareDatetime = figure("When the run began.")
    duration_s: float = figure("How long the run took.", unit="s", ge=0)
    interrupted: bool = figure("Whether a signal ended it.")
    aborted_by: str | None = figure(
        "The assertion that could no longer pass, so that the run ended early; null for none.", default=None
    )
    incomplete: bool = figure("Whether a worker was lost.")
    plan: Plan = figure("The plan of the run.")
    interval_s: int = figure("The length of a timeline row.", unit="s", ge=1)
    workers: int = figure("Worker processes.", ge=1)
    workers_lost: int = figure("Workers that ended without a report.", ge=0)
    hosts: list[Host] = figure("The machines of the load generator: several on a cluster, or in a merged report.")
    reports: int = figure("Reports that were merged; 1 for a single run.", default=1, ge=1)
    forced_differences: list[str] = figure("Why the merged reports do not belong together.", default=[])

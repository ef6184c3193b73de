"""The part of the report that says what was run: the target, the plan, the machine, and the way to the server."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from sseclient_cli.report.figure import Part, figure


class Target(Part):
    """What was asked for. Secrets are replaced by REDACTED."""

    url: str = figure("The URL as given.")
    bundled_server: bool = figure("Whether it was the demo server, started for this run.", default=False)
    redirected_to: str | None = figure("Where redirects led most streams to; null without redirects.")
    method: str = figure("The method of the request.")
    headers: list[tuple[str, str]] = figure("The headers that were sent.")
    body_bytes: int | None = figure("The size of the request's body; null without one.", unit="bytes", ge=0)
    proxy: str | None = figure("The proxy that all connections went through.", default=None)
    connect_to: tuple[str, int] | None = figure("Where connections went to instead of the URL's host.")
    unix_socket: str | None = figure("The unix socket that connections went to.")
    source_addresses: list[str] = figure("The addresses of this machine that connections came from by turns.")
    all_addresses: bool = figure("Whether streams went to all addresses of the name by turns.")
    connect_timeout_s: float = figure("The limit of the time to connect.", unit="s", gt=0)
    head_timeout_s: float | None = figure("The limit of the time to the response head; null for none.", unit="s", gt=0)
    certificates_checked: bool = figure("Whether the server's certificate was checked.")
    ca_file: str | None = figure("The file with the only trusted authorities; null for the usual ones.", default=None)
    cert_file: str | None = figure("The file with the client certificate; null without one.", default=None)
    key_file: str | None = figure("The file with the key of the client certificate; null without one.", default=None)
    any_content_type: bool = figure("Whether any content type was read as an event stream.", default=False)


class Preflight(Part):
    """The request before the run; it is in no other number."""

    requests: int = figure("How many requests that were, redirects included.", ge=1)
    status: int = figure("The status of the last response.")
    closed: bool = figure("Whether its connection was closed before the run.")


class Address(Part):
    """An address that is known of a host on the way."""

    host: str | None = figure("The host; null for a unix socket.")
    address: str = figure("The address, or the path of a unix socket.")
    port: int | None = figure("The port; null for a unix socket.", ge=1, le=65535)
    connections: int = figure("How many connections were begun to it; 0 for one that was not used.", ge=0)


class Redirection(Part):
    """A URL that redirects led to."""

    url: str = figure("The last URL of the redirects.")
    streams: int = figure("How often a stream opened there, reconnections included.", ge=0)


class Candidate(Part):
    """A field that looked like a sequence for a while."""

    source: str = figure("The field.")
    reason: str = figure("Why it is not taken for a sequence.")


class TimestampField(Part):
    """Which field of the events is the time of sending."""

    asked: str = figure("What the user asked for: auto, none, or a field.")
    used: list[str] = figure("The fields that streams read.")
    in_the_future: list[str] = figure("Fields that would be the timestamp if they did not lie in the future.")


class SequenceField(Part):
    """Which field of the events is their number."""

    asked: str = figure("What the user asked for: auto, none, or a field.")
    used: list[str] = figure("The fields that the audit is by.")
    candidates: list[Candidate] = figure("Fields that looked like a sequence and were given up.")


class Plan(Part):
    """What was to be done."""

    connections: int = figure("How many streams.", ge=1)
    duration_s: float = figure("How long the run was to be.", unit="s", gt=0)
    ramp_up_s: float = figure("The time in which all streams were to be opened.", unit="s", ge=0)
    warmup_s: float = figure("The time at the beginning whose latencies are left out.", unit="s", ge=0)
    lifetime_s: float | None = figure("After this time a stream is closed.", unit="s", gt=0)
    refill: bool = figure("Whether a stream that is completed is replaced by a new one.")
    events: int | None = figure("After so many events a stream is closed.", ge=1)
    on_end: Literal["stop", "reconnect", "restart"] = figure("What follows the end of a stream.")
    retry_statuses: list[int] = figure("Statuses after which a request is made again.")
    storm_s: float | None = figure("The second of the run in which all connections are cut.", unit="s", gt=0)
    max_event_bytes: int | None = figure("The largest event that is taken.", unit="bytes", ge=1)
    idle_timeout_s: float | None = figure("After this time without a byte a stream is closed.", unit="s", gt=0)
    counts_error_events: bool = figure("Whether events that report an error are counted.")
    timestamp: TimestampField = figure("The events' time of sending.")
    sequence: SequenceField = figure("The events' number.")


class Host(Part):
    """The machine of the load generator."""

    system: str = figure("The operating system.")
    machine: str = figure("The kind of processor.")
    python: str = figure("The version of Python.")
    cpus: int | None = figure("How many processors.")


class Run(Part):
    """What was run, when and where."""

    target: Target = figure("What was asked for.")
    preflight: Preflight | None = figure("The request before the run; null for none.")
    addresses: list[Address] = figure("Where connections went.")
    redirections: list[Redirection] = figure("Where redirects led to: 20 URLs per worker, the rest as (other).")
    started_at: AwareDatetime = figure("When the run began.")
    duration_s: float = figure("How long it was.", unit="s", ge=0)
    interrupted: bool = figure("Whether a signal ended it.")
    incomplete: bool = figure("Whether workers ended without a report.")
    plan: Plan = figure("What was to be done.")
    interval_s: int = figure("The length of a row of the timeline.", unit="s", ge=1)
    workers: int = figure("How many worker processes.", ge=1)
    workers_lost: int = figure("How many of them ended without a report.", ge=0)
    hosts: list[Host] = figure("The machines of the load generator: one, but for merged reports.")

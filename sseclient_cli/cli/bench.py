"""``sse bench``: load an event stream with many connections, and say what was measured."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sseclient_cli.cli.demo import ServerTally, demo_path, is_demo, serving_demo
from sseclient_cli.cli.options import (
    AnyContentType,
    Bearer,
    CaCert,
    Cert,
    Compressed,
    ConnectTo,
    Headers,
    IdleTimeout,
    Insecure,
    Key,
    MaxEventBytes,
    Method,
    ProxyUrl,
    RetryStatus,
    SourceAddress,
    Timeout,
    UnixSocket,
    Url,
    headers_of,
    parse_statuses,
)
from sseclient_cli.cli.outcome import exit_code_of
from sseclient_cli.cli.result_file import ResultFile
from sseclient_cli.cli.schedule import (
    Connections,
    Duration,
    Events,
    Hold,
    Lifetime,
    RampUp,
    Rate,
    Sequence,
    Storm,
    Timestamp,
    Warmup,
    WhenEnded,
    plan_of,
)
from sseclient_cli.cli.signals import endings_as_ctrl_c, hangups_outlived
from sseclient_cli.errors import UsageError
from sseclient_cli.load.plan import OnEnd

if TYPE_CHECKING:
    from sseclient_cli.client.preflight import Preflight
    from sseclient_cli.errors import SseError
    from sseclient_cli.load.plan import Plan
    from sseclient_cli.report.model import Report
    from sseclient_cli.target import Hop, Target

LOOKUP_S = 5.0
"""How long to look for the other addresses of a name that has just been resolved: the run needs only the first."""

Workers = Annotated[
    str,
    typer.Option(
        metavar="auto|COUNT", help="Worker processes; auto is one per 1,000 streams, at most one per usable core."
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit with code 4 if the load generator was the bottleneck, 6 if streams failed."),
]
NoPreflight = Annotated[
    bool, typer.Option("--no-preflight", help="Make no request before the run; only resolve the host name.")
]
AllAddresses = Annotated[
    bool, typer.Option("--all-addresses", help="Connect to all addresses of the host name, by turns.")
]
Body = Annotated[str | None, typer.Option("--data", metavar="BODY", help="Send this request body.")]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the document of the run to this file; - is stdout."),
]


def bench(
    url: Url,
    connections: Connections = None,
    duration_s: Duration = None,
    hold_s: Hold = None,
    ramp_up_s: RampUp = None,
    rate_per_s: Rate = None,
    lifetime_s: Lifetime = None,
    events: Events = None,
    on_end: WhenEnded = OnEnd.STOP,
    retry_status: RetryStatus = "",
    storm_s: Storm = None,
    warmup_s: Warmup = 0.0,
    timestamp: Timestamp = "auto",
    sequence: Sequence = "auto",
    workers: Workers = "auto",
    strict: Strict = False,
    header: Headers = None,
    method: Method = None,
    body: Body = None,
    bearer: Bearer = None,
    insecure: Insecure = False,
    cacert: CaCert = None,
    cert: Cert = None,
    key: Key = None,
    connect_to: ConnectTo = None,
    unix_socket: UnixSocket = None,
    source_address: SourceAddress = None,
    proxy: ProxyUrl = None,
    all_addresses: AllAddresses = False,
    no_preflight: NoPreflight = False,
    timeout_s: Timeout = None,
    idle_timeout_s: IdleTimeout = None,
    max_event_bytes: MaxEventBytes = None,
    any_content_type: AnyContentType = False,
    compressed: Compressed = False,
    json_file: JsonFile = None,
) -> int:
    """Load a stream with many connections, and report what was measured."""
    from sseclient_cli.load.executors.choice import worker_count
    from sseclient_cli.proxied import through_given_proxy
    from sseclient_cli.report.read import to_json
    from sseclient_cli.target import Target

    plan = plan_of(
        connections=connections,
        duration_s=duration_s,
        hold_s=hold_s,
        ramp_up_s=ramp_up_s,
        rate_per_s=rate_per_s,
        lifetime_s=lifetime_s,
        events=events,
        on_end=on_end,
        retry_statuses=parse_statuses(retry_status),
        storm_s=storm_s,
        warmup_s=warmup_s,
        timestamp=timestamp,
        sequence=sequence,
        max_event_bytes=max_event_bytes,
        idle_timeout_s=idle_timeout_s,
    )
    count = worker_count(workers, plan.connections)
    with ExitStack() as stack:
        stack.enter_context(endings_as_ctrl_c())
        # Checked before the run: a document that cannot be written must not cost a run.
        result_file = None if json_file is None else stack.enter_context(closing(ResultFile(json_file)))
        server = stack.enter_context(serving_demo()) if is_demo(url) else None
        target = Target.parse(
            server + demo_path(url, "/load") if server else url,
            method=method,
            headers=headers_of(header, compressed=compressed),
            body=body,
            bearer=bearer,
            insecure=insecure,
            ca_file=cacert,
            cert_file=cert,
            key_file=key,
            connect_to=connect_to,
            unix_socket=unix_socket,
            source_address=source_address,
            all_addresses=all_addresses,
            timeout_s=timeout_s,
            any_content_type=any_content_type,
        )
        if all_addresses and unix_socket is not None:
            raise UsageError("--unix-socket and --all-addresses exclude each other: leave one out")
        target = through_given_proxy(target, proxy)
        _require_room(target, plan, count)
        hops, found = _way(target, with_preflight=not no_preflight, retry_statuses=plan.retry_statuses)
        if all_addresses:
            _require_ports(hops, plan)
        stack.enter_context(hangups_outlived())
        report, tally = _measure(hops, found, plan, server, count)
        try:
            if result_file is not None:
                result_file.write(to_json(report))
        finally:
            # Whatever becomes of one of the two, the other is there.
            _print_summary(report, tally, to_stderr=result_file is not None and result_file.is_stdout)
    return exit_code_of(report, strict=strict)


def _way(
    target: Target, *, with_preflight: bool, retry_statuses: frozenset[int]
) -> tuple[tuple[Hop, ...], Preflight | None]:
    """Find where the streams connect: by a request before the run, or by the name alone."""
    import asyncio

    from rich.console import Console

    from sseclient_cli.addresses import require_address, resolve, with_others
    from sseclient_cli.client.preflight import preflight
    from sseclient_cli.event_loop import EventLoop
    from sseclient_cli.report.live import waiting_view
    from sseclient_cli.target import Hop

    def say_wait(error: SseError, delay_s: float) -> None:
        console.print(f"{error}; next request in {delay_s:.1f} s", markup=False, highlight=False, soft_wrap=True)

    console = Console(stderr=True)
    with waiting_view(console, f"waiting for {target.redacted_url} to answer"):
        if not with_preflight:
            first, *others = resolve(target, target.connect_timeout_s)
            return (Hop(target, first, tuple(others)),), None
        require_address(target, target.connect_timeout_s)
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            found = runner.run(preflight(target, retry_statuses, say_wait))
        timeout_s = min(target.connect_timeout_s, LOOKUP_S)
        return tuple(with_others(hop, timeout_s) for hop in found.hops), found


def _measure(
    hops: tuple[Hop, ...], found: Preflight | None, plan: Plan, server: str | None, workers: int
) -> tuple[Report, ServerTally | None]:
    """Run the plan; also ask the bundled server, where it is ours, what it has sent meanwhile."""
    import time

    from rich.console import Console

    from sseclient_cli.load.executors.choice import executor_of
    from sseclient_cli.load.worker import Job
    from sseclient_cli.report.build import build_report
    from sseclient_cli.report.live import live_view

    before = ServerTally.of(server) if server else None
    with live_view(Console(stderr=True)) as on_snapshot:
        started_at_s = time.time()
        totals = executor_of(workers).run(Job(hops=hops, plan=plan), on_snapshot)
    after = ServerTally.of(server) if server else None
    tally = after - before if after and before else None
    return build_report(hops, plan, totals, started_at_s, found), tally


def _require_room(target: Target, plan: Plan, workers: int) -> None:
    """Raise LimitError for what this machine cannot hold, as far as that can be known before."""
    from sseclient_cli.load.limits import require_memory, require_open_files, require_ports
    from sseclient_cli.proxied import tls_host

    require_open_files(plan.most_open, workers)
    if target.unix_socket is None and not target.all_addresses:
        require_ports(plan.most_open, len(target.source_addresses))
    require_memory(plan.most_open, workers, tls=tls_host(target) is not None)


def _require_ports(hops: tuple[Hop, ...], plan: Plan) -> None:
    """Raise LimitError for more streams than pairs of a source address and an address of the host have ports."""
    from sseclient_cli.load.limits import require_ports

    sources = len(hops[0].target.source_addresses) or 1
    require_ports(plan.most_open, sources * min(1 + len(hop.others) for hop in hops))


def _print_summary(report: Report, tally: ServerTally | None, *, to_stderr: bool) -> None:
    from rich.console import Console

    from sseclient_cli.report.summary import summary

    console = Console(stderr=to_stderr, highlight=False)
    console.print(summary(report))
    if tally is not None:
        opened, sent = tally.streams_opened, tally.events_sent
        console.print(f"The server says it opened {opened:,} streams and sent {sent:,} events.")

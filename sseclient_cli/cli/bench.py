"""``sse bench``: load an event stream with many connections, and say what was measured."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sseclient_cli.cli.bench_options import AllAddresses, JsonFile, MaxFailed, NoPreflight, Strict, Workers
from sseclient_cli.cli.bench_output import opened
from sseclient_cli.cli.demo import ServerTally, demo_path, is_demo, serving_demo
from sseclient_cli.cli.options import (
    AnyContentType,
    Bearer,
    BearerEnv,
    CaCert,
    Cert,
    Compressed,
    ConnectTo,
    Cookies,
    Data,
    FailOnErrorEvent,
    Headers,
    IdleTimeout,
    Insecure,
    Key,
    MaxEventBytes,
    Method,
    NoTui,
    OutputFile,
    ProxyUrl,
    Quiet,
    RetryStatus,
    SourceAddress,
    Timeout,
    UnixSocket,
    Url,
    User,
    headers_of,
    is_duration,
    parse_statuses,
)
from sseclient_cli.cli.outcome import verdict_on
from sseclient_cli.cli.request import parse_request
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
    max_failed_percent: MaxFailed = None,
    fail_on_error_event: FailOnErrorEvent = False,
    header: Headers = None,
    method: Method = None,
    data: Data = None,
    bearer: Bearer = None,
    bearer_env: BearerEnv = None,
    user: User = None,
    cookie: Cookies = None,
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
    output_file: OutputFile = None,
    quiet: Quiet = False,
    no_tui: NoTui = False,
) -> int:
    """Load a stream with many connections, and report what was measured."""
    from sseclient_cli.load.executors.choice import worker_count
    from sseclient_cli.proxied import through_given_proxy

    if data is not None and is_duration(data):
        raise UsageError(
            f"-d is the request body: write -z {data.strip()} for the duration, or --data @FILE if this is the body"
        )
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
        counts_error_events=fail_on_error_event,
    )
    is_moving = not (quiet or no_tui)
    count = worker_count(workers, plan.connections)
    with ExitStack() as stack:
        stack.enter_context(endings_as_ctrl_c())
        output = stack.enter_context(opened(json_file, output_file, quiet=quiet))
        server = stack.enter_context(serving_demo()) if is_demo(url) else None
        target = parse_request(
            server + demo_path(url, "/load") if server else url,
            method=method,
            headers=headers_of(header, compressed=compressed),
            data=data,
            bearer=bearer,
            bearer_env=bearer_env,
            user=user,
            cookies=cookie,
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
        hops, found = _way(
            target,
            with_preflight=not no_preflight,
            retry_statuses=plan.retry_statuses,
            is_moving=is_moving,
            quiet=quiet,
        )
        if all_addresses:
            _require_ports(hops, plan)
        stack.enter_context(hangups_outlived())
        report, tally = _measure(hops, found, plan, server, count, is_moving=is_moving)
        output.write(report, tally)
    code, why = verdict_on(report, strict=strict, max_failed_percent=max_failed_percent)
    if why:
        sys.stderr.write(f"sse: {why}\n")
    return code


def _way(
    target: Target, *, with_preflight: bool, retry_statuses: frozenset[int], is_moving: bool, quiet: bool
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
        if not quiet:
            console.print(f"{error}; next request in {delay_s:.1f} s", markup=False, highlight=False, soft_wrap=True)

    console = Console(stderr=True)
    with waiting_view(console if is_moving else None, f"waiting for {target.redacted_url} to answer"):
        if not with_preflight:
            first, *others = resolve(target, target.connect_timeout_s)
            return (Hop(target, first, tuple(others)),), None
        require_address(target, target.connect_timeout_s)
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            found = runner.run(preflight(target, retry_statuses, say_wait))
        timeout_s = min(target.connect_timeout_s, LOOKUP_S)
        return tuple(with_others(hop, timeout_s) for hop in found.hops), found


def _measure(
    hops: tuple[Hop, ...], found: Preflight | None, plan: Plan, server: str | None, workers: int, *, is_moving: bool
) -> tuple[Report, ServerTally | None]:
    """Run the plan; also ask the bundled server, where it is ours, what it has sent meanwhile."""
    import time

    from rich.console import Console

    from sseclient_cli.load.executors.choice import executor_of
    from sseclient_cli.load.worker import Job
    from sseclient_cli.report.build import build_report
    from sseclient_cli.report.live import live_view

    before = ServerTally.of(server) if server else None
    with live_view(Console(stderr=True) if is_moving else None) as on_snapshot:
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

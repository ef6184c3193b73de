"""``sse bench``: load-test an event stream with many connections, and report the measurements."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sseclient_cli.cli.bench_output import opened
from sseclient_cli.cli.demo import RunningServer, ServerTally, demo_path, is_demo, serving_demo
from sseclient_cli.cli.live_endpoint import live_endpoint, shown_by_all
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.load import DEFAULT_WORKERS, LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.cli.options.request import RequestOptions, UrlOrReport
from sseclient_cli.cli.options.target_metrics import TargetMetricsOptions
from sseclient_cli.cli.options.values import is_duration
from sseclient_cli.cli.outcome import verdict_on
from sseclient_cli.cli.repeating import repeated
from sseclient_cli.cli.request import requested
from sseclient_cli.cli.schedule import plan_of
from sseclient_cli.cli.signals import endings_as_ctrl_c, hangups_outlived
from sseclient_cli.cli.target_sampling import TargetSampling, sampling
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.client.preflight import Preflight
    from sseclient_cli.errors import SseError
    from sseclient_cli.report.model import Report
    from sseclient_cli.request.target import ResolvedTarget
    from sseclient_cli.run.plan import Plan
    from sseclient_cli.run.progress import Progress
    from sseclient_cli.run.spec import RunSpec

LOOKUP_S = 5.0
"""The time limit for the other addresses of a host name after the first one is known: a run needs only one."""


def bench(
    url: UrlOrReport = None,
    *,
    load: LoadOptions,
    measurement: MeasurementOptions,
    request: RequestOptions,
    connection: ConnectionOptions,
    target_metrics: TargetMetricsOptions,
    output: BenchOutputOptions,
) -> int:
    """Load-test a stream with many connections, and report latencies, losses and errors."""
    from sseclient_cli.request.proxied import through_given_proxy
    from sseclient_cli.run.executors.choice import worker_count
    from sseclient_cli.run.spec import RunSpec

    if load.from_file is not None:
        url, load, measurement, request, connection = repeated(
            load.from_file, url, load, measurement, request, connection
        )
    if url is None:
        raise UsageError("the URL of a stream is missing: write sse bench URL, or --from FILE to repeat a run")
    _check(load, request, connection)
    plan = plan_of(load, measurement, connection)
    with ExitStack() as stack:
        stack.enter_context(endings_as_ctrl_c())
        files = stack.enter_context(opened(output.json_file, output.output_file, quiet=output.quiet))
        server = stack.enter_context(serving_demo()) if is_demo(url) else None
        url = server.url + demo_path(url, "/load") if server else url
        target = requested(url, request, connection, all_addresses=load.all_addresses)
        target = through_given_proxy(target, connection.proxy)
        spec = RunSpec(
            target=target,
            plan=plan,
            workers=worker_count(DEFAULT_WORKERS if load.workers is None else load.workers, plan.connections),
            is_bundled_server=server is not None,
        )
        samples = stack.enter_context(
            sampling(target_metrics, target.tls, plan.interval_s, server.pid if server else None)
        )
        on_progress = stack.enter_context(
            live_endpoint(target_metrics.prometheus_port, target.redacted_url, quiet=output.quiet)
        )
        _require_resources(spec)
        chain, found = _chain(spec, with_preflight=not load.no_preflight, output=output)
        if load.all_addresses:
            _require_ports(chain, plan)
        stack.enter_context(hangups_outlived())
        report, tally = _measure(spec, chain, found, server, samples, on_progress, output)
        files.write(report, tally)
    code, why = verdict_on(report, measurement, has_summary=not output.quiet)
    if why:
        sys.stderr.write(f"sse: {why}\n")
    return code


def _check(load: LoadOptions, request: RequestOptions, connection: ConnectionOptions) -> None:
    """Raise UsageError for options that exclude each other, and for a body that looks like a duration."""
    data = request.data
    if data is not None and is_duration(data):
        raise UsageError(
            f"-d is the request body: write -z {data.strip()} for the duration, or --data @FILE if this is the body"
        )
    if load.all_addresses and connection.unix_socket is not None:
        raise UsageError("--unix-socket and --all-addresses exclude each other: leave one out")


def _chain(
    spec: RunSpec, *, with_preflight: bool, output: BenchOutputOptions
) -> tuple[tuple[ResolvedTarget, ...], Preflight | None]:
    """Return the redirect chain to the stream, by a preflight request or by name resolution alone."""
    import asyncio

    from rich.console import Console

    from sseclient_cli.client.preflight import preflight
    from sseclient_cli.event_loop import EventLoop
    from sseclient_cli.render.terminal.live import waiting_view
    from sseclient_cli.request.addresses import require_address, resolve, with_others
    from sseclient_cli.request.target import ResolvedTarget

    def say_wait(error: SseError, delay_s: float) -> None:
        if not output.quiet:
            console.print(f"{error}; next request in {delay_s:.1f} s", markup=False, highlight=False, soft_wrap=True)

    target, plan = spec.target, spec.plan
    console = Console(stderr=True)
    lookup_s = min(target.connect_timeout_s, plan.duration_s)
    with waiting_view(console if output.is_moving else None, f"waiting for {target.redacted_url} to answer"):
        if not with_preflight:
            first, *others = resolve(target, lookup_s)
            return (ResolvedTarget(target, first, tuple(others)),), None
        require_address(target, lookup_s)
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            found = runner.run(preflight(target, plan.retry_statuses, say_wait))
        timeout_s = min(target.connect_timeout_s, LOOKUP_S)
        return tuple(with_others(resolved, timeout_s) for resolved in found.chain), found


def _measure(
    spec: RunSpec,
    chain: tuple[ResolvedTarget, ...],
    found: Preflight | None,
    server: RunningServer | None,
    samples: TargetSampling | None,
    on_progress: Callable[[Progress], None] | None,
    output: BenchOutputOptions,
) -> tuple[Report, ServerTally | None]:
    """Run the plan. If the server is the bundled one, also return its own count of streams and events."""
    import time

    from rich.console import Console

    from sseclient_cli.render.terminal.live import live_view
    from sseclient_cli.report.build import build_report
    from sseclient_cli.run.coordinator import run
    from sseclient_cli.run.executors.choice import executor_of

    before = ServerTally.of(server.url) if server else None
    if samples is not None:
        samples.start(quiet=output.quiet)
    with live_view(Console(stderr=True) if output.is_moving else None) as show:
        started_at_s = time.time()
        on_start = None if samples is None else samples.begin
        totals = run(spec.shard(chain), executor_of(spec.workers), shown_by_all([show, on_progress]), on_start)
    report = build_report(spec, chain, totals, started_at_s, found)
    if samples is not None:
        report = samples.added_to(report, output)
    after = ServerTally.of(server.url) if server else None
    return report, after - before if after and before else None


def _require_resources(spec: RunSpec) -> None:
    """Raise LimitError if the plan exceeds the resource limits of this machine."""
    from sseclient_cli.request.proxied import tls_host
    from sseclient_cli.run.resource_limits import require_memory, require_open_files, require_ports

    target, most_open = spec.target, spec.plan.most_open
    require_open_files(most_open, spec.workers)
    if target.unix_socket is None and not target.all_addresses:
        require_ports(most_open, len(target.source_addresses))
    require_memory(most_open, spec.workers, tls=tls_host(target) is not None)


def _require_ports(chain: tuple[ResolvedTarget, ...], plan: Plan) -> None:
    """Raise LimitError if source addresses and addresses of the host have too few ports together for the plan."""
    from sseclient_cli.run.resource_limits import require_ports

    sources = len(chain[0].target.source_addresses) or 1
    require_ports(plan.most_open, sources * min(1 + len(resolved.others) for resolved in chain))

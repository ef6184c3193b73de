"""Prepares a run and measures it: resource limits, preflight, live view, report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sseclient_cli.cli.live_endpoint import shown_by_all
from sseclient_cli.cli.options.output import BenchOutputOptions

if TYPE_CHECKING:
    from sseclient_cli.cli.target_sampling import TargetSampling
    from sseclient_cli.client.preflight import Preflight
    from sseclient_cli.errors import SseError
    from sseclient_cli.report.model import Report
    from sseclient_cli.request.target import ResolvedTarget
    from sseclient_cli.run.coordinator import EarlyEnd
    from sseclient_cli.run.plan import Plan
    from sseclient_cli.run.progress import Progress
    from sseclient_cli.run.spec import RunSpec

LOOKUP_S = 5.0
"""The time limit for the other addresses of a host name after the first one is known: a run needs only one."""


class Route(NamedTuple):
    """The redirect chain from the target to the stream, and the preflight that found it, if there was one."""

    chain: tuple[ResolvedTarget, ...]
    preflight: Preflight | None = None


def route_of(spec: RunSpec, *, with_preflight: bool, output: BenchOutputOptions) -> Route:
    """Return the route to the stream, by a preflight request or by name resolution alone."""
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
            return Route((ResolvedTarget(target, first, tuple(others)),))
        require_address(target, lookup_s)
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            found = runner.run(preflight(target, plan.retry_statuses, say_wait))
        timeout_s = min(target.connect_timeout_s, LOOKUP_S)
        return Route(tuple(with_others(resolved, timeout_s) for resolved in found.chain), found)


def measured(
    spec: RunSpec,
    route: Route,
    output: BenchOutputOptions,
    samples: TargetSampling | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    early_end: EarlyEnd | None = None,
) -> Report:
    """Run the plan, with a live view if the output has one, and return the report with the metrics of the target."""
    import time

    from rich.console import Console

    from sseclient_cli.render.terminal.live import Display, live_view
    from sseclient_cli.report.build import build_report
    from sseclient_cli.run.coordinator import run
    from sseclient_cli.run.executors.choice import executor_of

    on_start = None if samples is None else samples.start()
    display = Display.NONE if output.quiet else Display.LINES if output.no_tui else Display.AUTO
    with live_view(Console(stderr=True), spec.target.redacted_url, display) as show:
        started_at_s = time.time()
        executor, shown = executor_of(spec.workers), shown_by_all([show, on_progress])
        totals = run(spec.shard(route.chain), executor, shown, on_start, early_end)
    report = build_report(spec, route.chain, totals, started_at_s, route.preflight)
    return report if samples is None else samples.added_to(report, output)


def require_resources(spec: RunSpec) -> None:
    """Raise LimitError if the plan exceeds the resource limits of this machine."""
    from sseclient_cli.request.proxied import tls_host
    from sseclient_cli.run.resource_limits import require_memory, require_open_files, require_ports

    target, most_open = spec.target, spec.plan.most_open
    require_open_files(most_open, spec.workers)
    if target.unix_socket is None and not target.all_addresses:
        require_ports(most_open, len(target.source_addresses))
    require_memory(most_open, spec.workers, tls=tls_host(target) is not None)


def require_route_ports(route: Route, plan: Plan) -> None:
    """Raise LimitError if source addresses and addresses of the host have too few ports together for the plan."""
    from sseclient_cli.run.resource_limits import require_ports

    sources = len(route.chain[0].target.source_addresses) or 1
    require_ports(plan.most_open, sources * min(1 + len(resolved.others) for resolved in route.chain))

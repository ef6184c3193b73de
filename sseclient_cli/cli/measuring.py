"""Prepares a run and measures it: resource limits, preflight, live view, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sseclient_cli.cli.live_endpoint import shown_by_all
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.cli.publishing import publishing

if TYPE_CHECKING:
    from sseclient_cli.cli.target_sampling import TargetSampling
    from sseclient_cli.client.mcp_session import McpServer
    from sseclient_cli.client.preflight import Preflight
    from sseclient_cli.errors import SseError
    from sseclient_cli.render.terminal.live import Display
    from sseclient_cli.report.model import Report
    from sseclient_cli.request.target import ResolvedTarget, Target
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
    others: tuple[ResolvedTarget, ...] = ()
    """The other origins of a target whose streams have several URLs."""

    def of(self, target: Target) -> Route:
        """Return the route of this target, whose requests differ from those of the route's own."""
        first, *redirected = self.chain
        return self._replace(chain=(replace(first, target=target), *redirected))


def route_of(
    spec: RunSpec, *, with_preflight: bool, output: BenchOutputOptions, known: McpServer | None = None
) -> Route:
    """Return the route to the stream, by a preflight request or by name resolution alone.

    A ``known`` server has answered another request before, which is then the preflight.
    """
    import asyncio

    from rich.console import Console

    from sseclient_cli.cli.advice import SENT_ONCE
    from sseclient_cli.cli.llm_requests import explain
    from sseclient_cli.client.preflight import Preflight, preflight
    from sseclient_cli.errors import BadStatusError
    from sseclient_cli.event_loop import EventLoop
    from sseclient_cli.render.terminal.live import waiting_view
    from sseclient_cli.request.addresses import require_address, resolved, with_others

    def say_wait(error: SseError, delay_s: float) -> None:
        if not output.quiet:
            console.print(f"{error}; next request in {delay_s:.1f} s", markup=False, highlight=False, soft_wrap=True)

    target, plan = spec.target, spec.plan
    console = Console(stderr=True)
    lookup_s = min(target.connect_timeout_s, plan.duration_s)
    with waiting_view(console if output.is_moving else None, f"waiting for {target.redacted_url} to answer"):
        others = tuple(resolved(each, lookup_s) for each in target.other_origins())
        if not with_preflight:
            return Route((resolved(target, lookup_s),), others=others)
        if known is not None:
            found = Preflight(known.chain, known.status)
        else:
            require_address(target, lookup_s)
            with asyncio.Runner(loop_factory=EventLoop) as runner:
                try:
                    found = runner.run(preflight(target.of_preflight(), plan.retry_statuses, say_wait))
                except BadStatusError as exc:
                    explain(exc, target)
                    if plan.has_requests:
                        exc.code = exc.code or SENT_ONCE
                    raise
        timeout_s = min(target.connect_timeout_s, LOOKUP_S)
        return Route(tuple(with_others(each, timeout_s) for each in found.chain), found, others).of(target)


def measured(
    spec: RunSpec,
    routes: Sequence[Route],
    output: BenchOutputOptions,
    samples: TargetSampling | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    early_end: EarlyEnd | None = None,
) -> list[Report]:
    """Run the plan on each target, with one live view if the output has one, and return a report for each.

    The metrics of the target, ``samples``, are those of the first.
    """
    import time

    from rich.console import Console

    from sseclient_cli.render.terminal.live import live_view
    from sseclient_cli.report.build import build_report
    from sseclient_cli.run.coordinator import run
    from sseclient_cli.run.executors.choice import executor_of

    urls = " against ".join(side.target.redacted_url for side in spec.sides)
    with publishing(spec.publish) as publisher, live_view(Console(stderr=True), urls, _display(output)) as show:
        starting = [samples.start()] if samples is not None else []
        starting += [publisher.begin] if publisher is not None else []

        def on_start(start_ns: int) -> None:
            for each in starting:
                each(start_ns)

        started_at_s = time.time()
        shard = spec.shard(*(route.chain for route in routes), others=routes[0].others)
        shown = shown_by_all([show, on_progress])
        totals = run(shard, executor_of(spec.workers), shown, on_start, early_end)
        if publisher is not None:
            totals.fanout = publisher.finish(totals.receipts)
    report, *others = [
        build_report(side, route.chain, each, started_at_s, route.preflight)
        for side, route, each in zip(spec.sides, routes, (totals, *totals.against.values()), strict=True)
    ]
    return [report if samples is None else samples.added_to(report, output), *others]


def _display(output: BenchOutputOptions) -> Display:
    from sseclient_cli.render.terminal.live import Display

    return Display.NONE if output.quiet else Display.LINES if output.no_tui else Display.AUTO


def require_resources(spec: RunSpec) -> None:
    """Raise LimitError if the plan exceeds the resource limits of this machine."""
    from sseclient_cli.request.proxied import tls_host
    from sseclient_cli.run.resource_limits import require_memory, require_open_files, require_ports

    targets, most_open = [side.target for side in spec.sides], spec.plan.most_open
    in_all = most_open * len(targets)
    require_open_files(in_all, spec.workers)
    # Streams to one address share its local ports; streams to different addresses do not.
    for peer, count in Counter(target.peer for target in targets).items():
        target = next(target for target in targets if target.peer == peer)
        if target.unix_socket is None and not target.all_addresses:
            require_ports(most_open * count, len(target.source_addresses))
    require_memory(in_all, spec.workers, tls=any(tls_host(target) is not None for target in targets))


def require_route_ports(route: Route, plan: Plan) -> None:
    """Raise LimitError if source addresses and addresses of the host have too few ports together for the plan."""
    from sseclient_cli.run.resource_limits import require_ports

    sources = len(route.chain[0].target.source_addresses) or 1
    require_ports(plan.most_open, sources * min(1 + len(resolved.others) for resolved in route.chain))

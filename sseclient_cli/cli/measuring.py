"""Prepares a run and measures it: resource limits, preflight, live view, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sseclient_cli.cli.live_endpoint import shown_by_all
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.cli.publishing import publishing

if TYPE_CHECKING:
    from sseclient_cli.cli.target_sampling import TargetSampling
    from sseclient_cli.client.mcp_session import McpServer
    from sseclient_cli.errors import BadStatusError, SseError
    from sseclient_cli.render.terminal.live import Display
    from sseclient_cli.report.model import Report
    from sseclient_cli.run.coordinator import EarlyEnd
    from sseclient_cli.run.executors import Executor
    from sseclient_cli.run.hosts.route import Route
    from sseclient_cli.run.plan import Plan
    from sseclient_cli.run.progress import Progress
    from sseclient_cli.run.spec import RunSpec


def route_of(
    spec: RunSpec, *, with_preflight: bool, output: BenchOutputOptions, known: McpServer | None = None
) -> Route:
    """Return the route of ``find_route``; show meanwhile that the target has not answered yet."""
    from rich.console import Console

    from sseclient_cli.errors import BadStatusError
    from sseclient_cli.render.terminal.live import waiting_view
    from sseclient_cli.run.hosts.route import find_route

    def say_wait(error: SseError, delay_s: float) -> None:
        if not output.quiet:
            console.print(f"{error}; next request in {delay_s:.1f} s", markup=False, highlight=False, soft_wrap=True)

    console = Console(stderr=True)
    with waiting_view(console if output.is_moving else None, f"waiting for {spec.target.redacted_url} to answer"):
        try:
            return find_route(spec, with_preflight=with_preflight, on_wait=say_wait, known=known)
        except BadStatusError as exc:
            explain_refusal(exc, spec)
            raise


def explain_refusal(error: BadStatusError, spec: RunSpec) -> None:
    """Add the advice on this run to a refusal of its preflight."""
    from sseclient_cli.cli.advice import SENT_ONCE
    from sseclient_cli.cli.llm_requests import explain

    explain(error, spec.target)
    if spec.plan.has_requests:
        error.code = error.code or SENT_ONCE


def measured(
    spec: RunSpec,
    routes: Sequence[Route],
    executor: Executor,
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

    urls = " against ".join(side.target.redacted_url for side in spec.sides)
    with (
        publishing(spec.publish) as publisher,
        live_view(Console(stderr=True), urls, _display(output), shows_hosts=output.verbose) as show,
    ):
        starting = [samples.start()] if samples is not None else []
        starting += [publisher.begin] if publisher is not None else []

        def on_start(start_ns: int) -> None:
            for each in starting:
                each(start_ns)

        started_at_s = time.time()
        shard = spec.shard(*(route.chain for route in routes), others=routes[0].others)
        shown = shown_by_all([show, on_progress])
        totals = run(shard, executor, shown, on_start, early_end)
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
    from sseclient_cli.run.hosts.checks import check_resources

    check_resources(spec, spec.plan.most_open, spec.workers)


def require_route_ports(route: Route, plan: Plan) -> None:
    """Raise LimitError if source addresses and addresses of the host have too few ports together for the plan."""
    from sseclient_cli.run.hosts.checks import check_route_ports

    check_route_ports(route, plan.most_open)

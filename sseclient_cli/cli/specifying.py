"""Makes the specification of a run from the options of ``sse bench``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from sseclient_cli.cli.child_server import RunningServer
from sseclient_cli.cli.demo import demo_url, is_demo
from sseclient_cli.cli.llm_requests import bodies_of, demo_path_of, of_step, words_of
from sseclient_cli.cli.mcp_requests import as_mcp
from sseclient_cli.cli.options.load import DEFAULT_WORKERS, LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.cli.per_stream import target_of_streams
from sseclient_cli.cli.publishing import publish_plan_of
from sseclient_cli.cli.request import requested, started_after
from sseclient_cli.cli.run_options import RunOptions
from sseclient_cli.cli.schedule import plan_of
from sseclient_cli.request.websocket import is_websocket

if TYPE_CHECKING:
    from sseclient_cli.request.target import Target
    from sseclient_cli.run.plan import Plan
    from sseclient_cli.run.spec import RunSpec


def specs(
    urls: list[str | None],
    server: RunningServer | None,
    options: RunOptions,
    search: SearchOptions,
) -> Callable[[LoadOptions], RunSpec]:
    """Return the function that makes the run for load options. Raises UsageError for a wrong URL or request.

    A URL of None is one of a file.
    """
    from sseclient_cli.request.proxied import through_given_proxy
    from sseclient_cli.run.executors.choice import worker_count
    from sseclient_cli.run.spec import RunSpec

    request, connection, llm = as_mcp(options.request, options.mcp.call()), options.connection, options.llm.llm
    demo_path = "/load" if llm is None else demo_path_of(llm)
    if llm is not None:
        request = replace(request, method=request.method or "POST")
    has_websocket = any(map(is_websocket, filter(None, urls)))

    def of_url(url: str) -> Target:
        url = demo_url(server.url, url, demo_path) if server and is_demo(url) else url
        messages = request.messages if is_websocket(url) or not has_websocket else None
        of_this = replace(request, messages=messages)
        every, here = options.load.all_addresses, options.cluster.cluster is None
        target = requested(url, of_this, connection, all_addresses=every, on_this_machine=here)
        return through_given_proxy(started_after(target, options.per_stream.last_event_id), connection.proxy)

    asked = None if llm is None else partial(bodies_of, options.llm_requests, llm, words_of(options.llm.tokenizer))
    targets = [target_of_streams(url, options.per_stream, request, of_url, asked) for url in urls]

    steps = count()

    def spec_of(load: LoadOptions) -> RunSpec:
        target = of_step(targets[0], next(steps))
        plan = plan_of(load, options.measurement, connection, options.bad, options.llm, options.mcp)
        wanted = DEFAULT_WORKERS if load.workers is None else load.workers
        return RunSpec(
            target=target,
            plan=_steady(plan, options.measurement) if search.has_steps else plan,
            workers=min(worker_count(wanted, plan.connections * len(urls)), plan.connections),
            is_bundled_server=_is_demo(urls[0]),
            against=targets[1] if len(targets) > 1 else None,
            is_against_bundled_server=_is_demo(urls[-1]),
            publish=publish_plan_of(options.publish, plan, targets[0], server, connection),
        )

    return spec_of


def _steady(plan: Plan, measurement: MeasurementOptions) -> Plan:
    """Return the plan without the latencies of the ramp-up, unless the user chose a warm-up.

    Requests count from the first one: a step may consist of those that the ramp-up sends.
    """
    is_chosen = measurement.warmup_s is not None or plan.ramp_up_s >= plan.duration_s
    return plan if is_chosen or plan.has_requests else replace(plan, warmup_s=plan.ramp_up_s)


def _is_demo(url: str | None) -> bool:
    return url is not None and is_demo(url)

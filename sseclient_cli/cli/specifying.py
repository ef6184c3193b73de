"""Makes the specification of a run from the options of ``sse bench``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sseclient_cli.cli.demo import RunningServer, demo_path, is_demo
from sseclient_cli.cli.limit_search import steady
from sseclient_cli.cli.options.bad_clients import BadClientOptions
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.load import DEFAULT_WORKERS, LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.per_stream import PerStreamOptions
from sseclient_cli.cli.options.publishing import PublishOptions
from sseclient_cli.cli.options.request import RequestOptions
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.cli.per_stream import target_of_streams
from sseclient_cli.cli.publishing import publish_plan_of
from sseclient_cli.cli.request import requested
from sseclient_cli.cli.schedule import plan_of

if TYPE_CHECKING:
    from sseclient_cli.request.target import Target
    from sseclient_cli.run.spec import RunSpec


def specs(
    urls: list[str | None],
    server: RunningServer | None,
    load: LoadOptions,
    measurement: MeasurementOptions,
    search: SearchOptions,
    request: RequestOptions,
    connection: ConnectionOptions,
    per_stream: PerStreamOptions,
    publish: PublishOptions,
    bad: BadClientOptions,
) -> Callable[[LoadOptions], RunSpec]:
    """Return the function that makes the run for load options. Raises UsageError for a wrong URL or request.

    A URL of None is one of a file.
    """
    from sseclient_cli.request.proxied import through_given_proxy
    from sseclient_cli.run.executors.choice import worker_count
    from sseclient_cli.run.spec import RunSpec

    def of_url(url: str) -> Target:
        url = server.url + demo_path(url, "/load") if server and is_demo(url) else url
        return through_given_proxy(
            requested(url, request, connection, all_addresses=load.all_addresses), connection.proxy
        )

    targets = [target_of_streams(url, per_stream, request, of_url) for url in urls]

    def spec_of(load: LoadOptions) -> RunSpec:
        plan = plan_of(load, measurement, connection, bad)
        wanted = DEFAULT_WORKERS if load.workers is None else load.workers
        return RunSpec(
            target=targets[0],
            plan=steady(plan, measurement) if search.find_limit else plan,
            workers=min(worker_count(wanted, plan.connections * len(urls)), plan.connections),
            is_bundled_server=_is_demo(urls[0]),
            against=targets[1] if len(targets) > 1 else None,
            is_against_bundled_server=_is_demo(urls[-1]),
            publish=publish_plan_of(publish, plan, targets[0], server, connection),
        )

    return spec_of


def _is_demo(url: str | None) -> bool:
    return url is not None and is_demo(url)

"""Checks before a run whether this machine can do its share: its resources, source addresses and routes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sseclient_cli.errors import UsageError
from sseclient_cli.request.proxied import tls_host
from sseclient_cli.request.source_addresses import is_own
from sseclient_cli.request.target import Target
from sseclient_cli.run.hosts.route import Route, find_route
from sseclient_cli.run.resource_limits import require_memory, require_open_files, require_ports
from sseclient_cli.run.spec import RunSpec, connections_for


def check_host(spec: RunSpec, share: int, workers: int) -> RunSpec:
    """Return the run with the source addresses of this machine. Raises SseError if the machine cannot do its share.

    ``share`` is the number of streams to each target that the machine has open at once, ``workers`` the number of its
    load processes.
    """
    against = None if spec.against is None else own_source_addresses(spec.against)
    spec = replace(spec, target=own_source_addresses(spec.target), against=against)
    check_resources(spec, share, workers)
    return spec


def find_routes(spec: RunSpec, share: int, *, with_preflight: bool) -> tuple[Route, ...]:
    """Return the routes of a checked run from this machine to each target. Raises SseError.

    They are without the values of streams, which would come back from every machine: ``Route.of`` adds them.
    """
    routes = tuple(find_route(side, with_preflight=with_preflight) for side in spec.sides)
    for route in routes:
        if spec.target.all_addresses:
            check_route_ports(route, share * len(routes))
    return tuple(
        route.of(replace(side.target, per_stream=None)) for route, side in zip(routes, spec.sides, strict=True)
    )


def check_resources(spec: RunSpec, share: int, workers: int) -> None:
    """Raise LimitError if a share of the run, as in ``check_host``, exceeds the resource limits of this machine."""
    targets = [side.target for side in spec.sides]
    in_all = share * len(targets)
    require_open_files(sum(connections_for(share, spec.plan, target) for target in targets), workers)
    # Streams to one address share its local ports; streams to different addresses do not.
    for peer, count in Counter(target.peer for target in targets).items():
        target = next(target for target in targets if target.peer == peer)
        if target.unix_socket is None and not target.all_addresses:
            require_ports(connections_for(share, spec.plan, target) * count, len(target.source_addresses))
    require_memory(in_all, workers, tls=any(tls_host(target) is not None for target in targets))


def check_route_ports(route: Route, streams: int) -> None:
    """Raise LimitError if source addresses and addresses of the host have too few ports together for the streams."""
    sources = len(route.chain[0].target.source_addresses) or 1
    require_ports(streams, sources * min(1 + len(resolved.others) for resolved in route.chain))


def own_source_addresses(target: Target) -> Target:
    """Return the target with those of its source addresses that this machine has. Raises UsageError if it has none."""
    given = target.source_addresses
    own = tuple(filter(is_own, given))
    if given and not own:
        raise UsageError(
            f"this machine has none of the addresses {', '.join(given)}: `source_address` needs one of each machine",
            arguments=["source_address"],
        )
    return replace(target, source_addresses=own)

"""Finds the route from this machine to the stream of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sseclient_cli.client.preflight import Preflight, preflight
from sseclient_cli.errors import BadStatusError
from sseclient_cli.event_loop import EventLoop
from sseclient_cli.request.addresses import require_address, resolved, with_others
from sseclient_cli.request.target import ResolvedTarget, Target
from sseclient_cli.run.spec import RunSpec

if TYPE_CHECKING:
    from sseclient_cli.client.mcp_session import McpServer

LOOKUP_S = 5.0
"""The time limit for the other addresses of a host name after the first one is known: a run needs only one."""


class Route(NamedTuple):
    """The redirect chain from the target to the stream, and the preflight that found it, if there was one."""

    chain: tuple[ResolvedTarget, ...]
    preflight: Preflight | None = None
    others: tuple[ResolvedTarget, ...] = ()
    """The other origins of a target whose streams have several URLs."""

    def of(self, target: Target) -> Route:
        """Return the route of this target, whose requests differ from those of the route's own.

        Its source addresses are those of the route, which belong to the machine that found it. The files for TLS are
        those of the target: they had other names on that machine.
        """
        target = replace(target, source_addresses=self.chain[0].target.source_addresses)

        def with_files(requests: tuple[ResolvedTarget, ...]) -> tuple[ResolvedTarget, ...]:
            return tuple(replace(each, target=replace(each.target, tls=target.tls)) for each in requests)

        chain = (replace(self.chain[0], target=target), *with_files(self.chain[1:]))
        return self._replace(chain=chain, others=with_files(self.others))


def find_route(
    spec: RunSpec,
    *,
    with_preflight: bool,
    on_wait: Callable[[BadStatusError, float], None] | None = None,
    known: McpServer | None = None,
) -> Route:
    """Return the route to the stream, by a preflight request or by name resolution alone. Raises SseError.

    ``on_wait`` is called before each further request with the error and the wait in seconds. A ``known`` server has
    answered another request before, which is then the preflight.
    """
    target, plan = spec.target, spec.plan
    lookup_s = min(target.connect_timeout_s, plan.duration_s)
    others = tuple(resolved(each, lookup_s) for each in target.other_origins())
    if not with_preflight:
        return Route((resolved(target, lookup_s),), others=others)
    if known is not None:
        found = Preflight(known.chain, len(known.chain), known.status)
    else:
        require_address(target, lookup_s)
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            found = runner.run(preflight(target.of_preflight(), plan.retry_statuses, on_wait))
    timeout_s = min(target.connect_timeout_s, LOOKUP_S)
    return Route(tuple(with_others(each, timeout_s) for each in found.chain), found, others).of(target)

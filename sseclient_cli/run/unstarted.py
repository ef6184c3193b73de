"""The totals of a worker whose run was interrupted before its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sseclient_cli.measure.bad_clients import bad_totals
from sseclient_cli.measure.host_totals import NO_HOSTS, HostTotals
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard


def unstarted(shard: Shard, hosts: Mapping[str, HostTotals] = NO_HOSTS) -> Totals:
    """Return totals with the planned streams of each target. ``hosts`` is the machine of the worker, by name."""
    plan = shard.plan
    totals, *others = [
        Totals(
            planned=plan.planned,
            interrupted=True,
            cpu_percent=[None],
            bad=bad_totals(plan.bad_slots),
            requests=_requests(plan),
            hosts={name: replace(host, workers=1, planned=plan.planned) for name, host in hosts.items()},
        )
        for _ in shard.chains
    ]
    totals.against = dict(enumerate(others, 1))
    return totals


def _requests(plan: Plan) -> RequestTotals | None:
    if not plan.has_requests:
        return None
    llm = None if plan.llm is None else LlmTotals()
    return RequestTotals(llm=llm, mcp=None if plan.mcp is None else McpTotals())

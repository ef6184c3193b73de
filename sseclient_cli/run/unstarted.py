"""The totals of a worker whose run was interrupted before its start."""

from __future__ import annotations

from sseclient_cli.measure.bad_clients import bad_totals
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard


def unstarted(shard: Shard) -> Totals:
    """Return totals with the planned streams of each target."""
    plan = shard.plan
    totals, *others = [
        Totals(
            planned=plan.planned,
            interrupted=True,
            cpu_percent=[None],
            bad=bad_totals(plan.bad_slots),
            requests=_requests(plan),
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

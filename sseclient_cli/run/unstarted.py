"""The totals of a worker whose run was interrupted before its start."""

from __future__ import annotations

from sseclient_cli.measure.bad_clients import bad_totals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.spec import Shard


def unstarted(shard: Shard) -> Totals:
    """Return totals with the planned streams of each target."""
    plan = shard.plan
    totals, *others = [
        Totals(planned=plan.planned, interrupted=True, cpu_percent=[None], bad=bad_totals(plan.bad_slots))
        for _ in shard.chains
    ]
    totals.against = dict(enumerate(others, 1))
    return totals

"""The totals of a worker whose run was interrupted before its start."""

from __future__ import annotations

from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.spec import Shard


def unstarted(shard: Shard) -> Totals:
    """Return totals with the planned streams of each target."""
    totals, *others = [Totals(planned=shard.plan.planned, interrupted=True, cpu_percent=[None]) for _ in shard.chains]
    totals.against = dict(enumerate(others, 1))
    return totals

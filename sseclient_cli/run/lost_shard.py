"""The totals of a worker that was lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sseclient_cli.measure.bad_clients import bad_totals
from sseclient_cli.measure.host_totals import NO_HOSTS, HostTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.spec import Shard


def lost_shard(
    shard: Shard, kind: str, event: str, elapsed_s: float, hosts: Mapping[str, HostTotals] = NO_HOSTS
) -> Totals:
    """Return totals that report a lost worker: its planned streams, its error, and the timeline row of the loss.

    ``hosts`` is its machine, by name. The totals have no duration: the wait for a worker that does not answer must not
    extend the run.
    """
    plan = shard.plan

    def lost() -> Totals:
        bad = bad_totals(plan.bad_slots)
        totals = Totals(planned=plan.planned, lost=plan.planned, workers_lost=1, cpu_percent=[None], bad=bad)
        words = f"{event}; its {plan.planned:,} streams are not in this report"
        totals.count_error(kind, words, plan.row_at(elapsed_s))
        totals.hosts = {
            name: replace(host, workers=1, workers_lost=1, planned=plan.planned, lost=plan.planned, cpu_percent=[None])
            for name, host in hosts.items()
        }
        return totals

    totals, *others = [lost() for _ in shard.chains]
    totals.against = dict(enumerate(others, 1))
    return totals

"""Where the workers of a run live. An executor is one method: a job in, its merged totals out.

What one must do, be it threads, processes or a cluster:

- give worker ``i`` of ``n`` the job with ``plan.shard(i, n)``, and all of them one start;
- merge their ``Totals`` in the order of the workers, so that figures of worker ``i`` stand at place ``i``;
- put ``lost_shard`` in the place of a worker that ended without its totals, and keep those of the others;
- call ``on_snapshot`` a few times a second, with the snapshots of all workers merged;
- at the first of ``ending_signals`` have every worker interrupt its run, and return what they have; end at the second.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard


class Executor(Protocol):
    """Runs a job to its end, or to Ctrl-C, and returns what was measured either way."""

    def run(self, job: Shard, on_snapshot: Callable[[Progress], None] | None) -> Totals:
        """Block until the run is over; ``on_snapshot`` is called a few times a second meanwhile."""
        ...


def lost_shard(job: Shard, kind: str, story: str, elapsed_s: float) -> Totals:
    """Return what the report holds of a worker that is lost: its streams, its error and when that was.

    Its time is none of it: a worker that was given up would make the run longer than it was.
    """
    plan = job.plan
    row = int(max(min(elapsed_s, math.ceil(plan.duration_s) - 1), 0)) // plan.interval_s
    totals = Totals(planned=plan.planned, lost=plan.planned, workers_lost=1, cpu_percent=[None])
    totals.count_error(kind, f"{story}; its {plan.planned:,} streams are not in this report", row)
    return totals

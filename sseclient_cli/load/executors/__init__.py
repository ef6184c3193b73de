"""Where the workers of a run live. An executor is one method: a job in, its merged totals out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sseclient_cli.load.metrics import Totals
from sseclient_cli.load.snapshot import Snapshot
from sseclient_cli.load.worker import Job


class Executor(Protocol):
    """Runs a job to its end, or to Ctrl-C, and returns what was measured either way."""

    def run(self, job: Job, on_snapshot: Callable[[Snapshot], None] | None) -> Totals:
        """Block until the run is over; ``on_snapshot`` is called a few times a second meanwhile."""
        ...

"""Chooses the number of workers and the executor of a run."""

from __future__ import annotations

import re

from sseclient_cli.errors import UsageError
from sseclient_cli.run.executors import Executor
from sseclient_cli.run.executors.local import LocalExecutor
from sseclient_cli.run.hosts.host import usable_cores

STREAMS_PER_WORKER = 1_000
"""Streams for which ``auto`` adds a worker. A process costs 0.5 s to start and 40 MB; 1,000 streams with 10 events/s
each use only a quarter of a core."""

MAX_WORKERS = 64


def worker_count(asked: str, connections: int, cores: int | None = None) -> int:
    """Parse ``auto`` or a number. Return at most one worker per stream. Raises UsageError for other values.

    ``cores`` are those of another machine.
    """
    if asked == "auto":
        return min(max(connections // STREAMS_PER_WORKER, 1), cores or usable_cores(), MAX_WORKERS)
    if not re.fullmatch("[0-9]{1,4}", asked) or not 1 <= int(asked) <= MAX_WORKERS:
        raise UsageError(
            f"{asked!r} is not a number of workers: write auto, or 1 to {MAX_WORKERS}", arguments=["workers"]
        )
    return min(int(asked), connections)


def executor_of(workers: int) -> Executor:
    """Return the executor for this number of workers. A single worker runs in this process."""
    if workers == 1:
        return LocalExecutor()
    # Import late: multiprocessing registers exit handlers, which delay the end of the process.
    from sseclient_cli.run.executors.processes import ProcessesExecutor

    return ProcessesExecutor(workers)

"""How many workers a run gets, and which executor that makes."""

from __future__ import annotations

import os
import re

from sseclient_cli.errors import UsageError
from sseclient_cli.run.executors import Executor
from sseclient_cli.run.executors.local import LocalExecutor

STREAMS_PER_WORKER = 1_000
"""Below it a second process costs more (0.5 s to start, 40 MB) than it gains: at 10 events/s each, these use a quarter
of a core."""

MAX_WORKERS = 64


def worker_count(asked: str, connections: int) -> int:
    """Read ``auto`` or a number; never more than there are streams. Raises UsageError for anything else."""
    if asked == "auto":
        return min(max(connections // STREAMS_PER_WORKER, 1), usable_cores(), MAX_WORKERS)
    if not re.fullmatch("[0-9]{1,4}", asked) or not 1 <= int(asked) <= MAX_WORKERS:
        raise UsageError(
            f"{asked!r} is not a number of workers: write auto, or 1 to {MAX_WORKERS}", arguments=["workers"]
        )
    return min(int(asked), connections)


def usable_cores() -> int:
    """Return how many cores this process may use, which can be fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def executor_of(workers: int) -> Executor:
    """Return what runs a plan with so many workers; a single one runs in this process."""
    if workers == 1:
        return LocalExecutor()
    # multiprocessing has something to say when the process ends: only who needs it is to wait for that.
    from sseclient_cli.run.executors.processes import ProcessesExecutor

    return ProcessesExecutor(workers)

"""One worker, in this process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

from sseclient_cli.load.executors.event_loop import new_event_loop
from sseclient_cli.load.metrics import Totals
from sseclient_cli.load.snapshot import Snapshot
from sseclient_cli.load.worker import Job, Worker


class LocalExecutor:
    """Runs the whole plan on one event loop in the calling thread, which must be the main one."""

    def run(self, job: Job, on_snapshot: Callable[[Snapshot], None] | None) -> Totals:
        """Run the job. The first Ctrl-C or SIGTERM ends it with a partial report; a second one ends the process."""
        worker = Worker(job, on_snapshot)

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            restore()
            worker.interrupt()

        def restore() -> None:
            for number, handler in previous.items():
                signal.signal(number, handler)

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            previous = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                return runner.run(worker.run())
            finally:
                restore()

"""One worker, in this process."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from types import FrameType

from sseclient_cli.load.metrics import Totals
from sseclient_cli.load.worker import Job, Snapshot, Worker


class LocalExecutor:
    """Runs the whole plan on one event loop in the calling thread, which must be the main one."""

    def run(self, job: Job, on_snapshot: Callable[[Snapshot], None] | None) -> Totals:
        """Run the job. The first Ctrl-C ends it with a partial report; a second one raises KeyboardInterrupt."""
        worker = Worker(job, on_snapshot)
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            loop = runner.get_loop()

            def interrupt(_number: int, _frame: FrameType | None) -> None:
                signal.signal(signal.SIGINT, previous)
                loop.call_soon_threadsafe(worker.stop)

            previous = signal.signal(signal.SIGINT, interrupt)
            try:
                return runner.run(worker.run())
            finally:
                signal.signal(signal.SIGINT, previous)


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a uvloop where there is one; a plain selector loop costs about a tenth more."""
    if sys.platform == "win32":
        return asyncio.SelectorEventLoop()
    import uvloop

    return uvloop.new_event_loop()

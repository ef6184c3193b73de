"""One worker, in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from sseclient_cli.ending_signals import ending_signals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker


class LocalExecutor:
    """Runs the whole plan in the calling thread, which must be the main one."""

    def run(self, job: Shard, on_snapshot: Callable[[Progress], None] | None) -> Totals:
        """Run the job. The first Ctrl-C, SIGTERM or hangup ends it with a partial report; a second ends the process."""
        worker = Worker(job, on_snapshot)

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            restore()
            worker.interrupt()

        def restore() -> None:
            for number, handler in previous.items():
                signal.signal(number, handler)

        previous = {number: signal.getsignal(number) for number in ending_signals()}
        try:
            for number in previous:
                signal.signal(number, interrupt)
            return worker.run()
        finally:
            restore()

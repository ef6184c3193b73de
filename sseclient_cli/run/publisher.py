"""The publisher of a run, in a process of its own, so that it takes no time from the workers.

The times of publications and arrivals count from the start of the run, on the monotonic clock of each machine. Each
publication is sent over a pipe at once, so that those of a publisher that dies are known.
"""

from __future__ import annotations

from contextlib import suppress
from multiprocessing import get_context
from threading import Thread

from sseclient_cli.ending_signals import signals_blocked
from sseclient_cli.errors import LimitError, SseError, WorkerLostError
from sseclient_cli.measure.fanout_judge import judged
from sseclient_cli.measure.fanout_totals import FanoutTotals
from sseclient_cli.measure.publications import Publication
from sseclient_cli.measure.receipts import Receipts
from sseclient_cli.run.messages import Ready, Start
from sseclient_cli.run.publish_plan import PublishPlan
from sseclient_cli.run.publishing import publish

READY_TIMEOUT_S = 30.0
"""Timeout for the start of the process, which takes 0.5 s of CPU time."""

END_TIMEOUT_S = 5.0
"""Timeout for the end of the process. A command has 2 s to end by itself."""


class Publisher:
    """Publishes the events of one run. A context manager: at the end of the block, the process has ended."""

    def __init__(self, plan: PublishPlan) -> None:
        self._plan = plan
        self._publications: list[Publication] = []

    def __enter__(self) -> Publisher:
        """Start the process, and wait until it is ready. Call it from the main thread. Raises SseError."""
        context = get_context("spawn")
        self._connection, other_end = context.Pipe()
        self._process = context.Process(target=publish, args=(self._plan, other_end), daemon=True)
        try:
            with signals_blocked():
                self._process.start()
        except OSError as exc:
            raise LimitError(f"cannot start the publisher's process: {exc.strerror or exc}") from exc
        other_end.close()
        try:
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid or 0

    @property
    def attempts(self) -> int:
        """Events that were published, or failed, so far."""
        return len(self._publications)

    @property
    def is_connected(self) -> bool:
        """Whether the process may still report publications."""
        return self._reading.is_alive()

    def begin(self, start_ns: int) -> None:
        """Publish from ``start_ns`` (monotonic), the start of the run."""
        with suppress(OSError):  # it has died; its publications are missing in the report
            self._connection.send(Start(start_ns))

    def finish(self, receipts: Receipts | None) -> FanoutTotals:
        """End the publishing, and return the fan-out of the run, whose workers have ended."""
        has_died = not self.is_connected and self.attempts < self._plan.planned
        with suppress(OSError):
            self._connection.send(None)
        self._reading.join(END_TIMEOUT_S)
        found = judged(receipts or Receipts(), self._publications, self._plan.facts(), self._plan.planned)
        if has_died:
            left = self._plan.planned - self.attempts
            found.failed += left
            found.errors[WorkerLostError.kind] += left
            found.examples[WorkerLostError.kind] = f"the publisher's process {self._death()}"
        return found

    def _wait_until_ready(self) -> None:
        message: object = None
        try:
            if self._connection.poll(READY_TIMEOUT_S):
                message = self._connection.recv()
        except (EOFError, OSError):
            pass
        if isinstance(message, SseError):
            raise message
        if not isinstance(message, Ready):
            raise WorkerLostError("the publisher's process did not start")

    def _read(self) -> None:
        try:
            while True:
                message = self._connection.recv()
                if isinstance(message, Publication):
                    self._publications.append(message)
        except (EOFError, OSError):
            return

    def _death(self) -> str:
        self._process.join(END_TIMEOUT_S)
        code = self._process.exitcode
        return f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"

    def _end(self) -> None:
        with suppress(OSError):
            self._connection.send(None)
        self._process.join(END_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()

"""A reader as a process: started on its core, waited for, interrupted, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from benchmarks.event_source import Counts, EventSource
from benchmarks.processes import children_cpu_s, core_busy_s, cpu_s, family, pinned_to
from benchmarks.readers import Order, Reader, Report
from benchmarks.workloads import Kind, Workload

STARTS_PER_S = 2000
POLL_S = 0.01
MOST_LATE_S = 20.0
"""Streams that are not open so long after the ramp count as streams that this reader cannot open."""


class Source(Protocol):
    """The server of the streams."""

    port: int

    def stats(self) -> Counts: ...


SomeSource = TypeVar("SomeSource", bound=Source)


@dataclass(frozen=True)
class Setup(Generic[SomeSource]):
    """Where things run, and for how long. A core that is None means: anywhere."""

    source: SomeSource
    reader_core: int | None
    window_s: float


Bench = Setup[EventSource]
"""The set-up that compares readers: the C source serves them."""


class Running:
    """A reader at work."""

    def __init__(self, bench: Setup[Any], reader: Reader, order: Order) -> None:
        self._reader = reader
        self._order = order
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in stop()
        self._process = subprocess.Popen(
            reader.command(order),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=Path(__file__).parent.parent,
            env={**_environment(), **reader.variables(order), "NO_COLOR": "1"},
            preexec_fn=pinned_to(bench.reader_core),
            start_new_session=True,  # a group of its own, to interrupt it as a terminal does
        )
        self.pid = self._process.pid
        self._before_s = children_cpu_s()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def interrupt(self) -> Report:
        """Press Ctrl-C, and return its report as below."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)
        return self.finish()

    def finish(self) -> Report:
        """Wait for its end and return its report. Raises RuntimeError when it has none."""
        try:
            output, _ = self._process.communicate(timeout=self._order.duration_s + MOST_LATE_S)
            return self._reader.report(self._order, output)
        except (subprocess.TimeoutExpired, ValueError, LookupError, OSError, TypeError) as exc:
            raise RuntimeError(self._last_words() or f"no report: {exc}") from exc

    def total_cpu_s(self) -> float:
        """Return the CPU time of the whole process. Only after its end, and before another child ends."""
        return children_cpu_s() - self._before_s

    def stop(self) -> None:
        if self.is_running():
            for pid in family(self.pid):  # its workers too: they must not read on into the next run
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.communicate()
        self._stderr.close()

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = [line for line in self._stderr.read().splitlines() if line.strip()]
        return lines[-1][:200] if lines else ""


def _environment() -> dict[str, str]:
    """Return the variables of this process, but let Python keep what it compiles: an installed program has it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def reading(
    bench: Setup[Any], reader: Reader, workload: Workload, duration_s: float, workers: int = 1
) -> Iterator[Running]:
    """Have a reader read, as long as the block lasts."""
    ramp_up_s = 0.0 if workload.kind in (Kind.OPENING, Kind.BLAST) else workload.streams / STARTS_PER_S
    with tempfile.TemporaryDirectory() as folder:
        order = Order(
            port=bench.source.port,
            path=workload.path,
            streams=workload.streams,
            duration_s=ramp_up_s + duration_s,
            ramp_up_s=ramp_up_s,
            report=Path(folder, "report.json"),
            workers=workers,
            field=workload.field,
        )
        running = Running(bench, reader, order)
        try:
            yield running
        finally:
            running.stop()
            _wait_until_closed(bench)


def _wait_until_closed(bench: Setup[Any]) -> None:
    """Wait until the source has seen that all clients have left: the next run begins with none."""
    ends_s = time.monotonic() + MOST_LATE_S
    while bench.source.stats().streams_open and time.monotonic() < ends_s:
        time.sleep(POLL_S)


def wait_until_open(bench: Setup[Any], running: Running, streams: int) -> int:
    """Wait for all streams, for a bounded time; return how many are open. Raises RuntimeError if the reader died."""
    now_open: int
    ends_s = time.monotonic() + streams / STARTS_PER_S + MOST_LATE_S
    while (now_open := bench.source.stats().streams_open) < streams and time.monotonic() < ends_s:
        if not running.is_running():
            running.finish()
            raise RuntimeError(f"it ended after it had opened {now_open:,} streams")
        time.sleep(POLL_S)
    return min(now_open, streams)


@dataclass(frozen=True, slots=True)
class Used:
    """Clocks that run while a process does: the wall's, the process's, and that of its core."""

    time_s: float
    cpu_s: float
    core_s: float

    @classmethod
    def by(cls, bench: Setup[Any], running: Running) -> Self:
        """Read those of a reader."""
        return cls.of(running.pid, bench.reader_core)

    @classmethod
    def of(cls, pid: int, core: int | None) -> Self:
        """Read them."""
        core_s = core_busy_s(core) if core is not None else 0.0
        return cls(time.monotonic(), cpu_s(pid), core_s)

    def __sub__(self, start: Self) -> Used:
        return Used(self.time_s - start.time_s, self.cpu_s - start.cpu_s, self.core_s - start.core_s)

"""The CPU time of a worker of `sse bench`, by function.

    .venv/bin/python -m benchmarks.functions [WORKLOAD ...]

Runs a worker in this process, on one core, against the C source on another one, and samples its stack every 1 to 10 ms
of its CPU time (SIGPROF, at the ticks of the kernel). Prints the share of each module and function, without the
functions that it calls. The time of a system call is that of the function that makes it. Default: each event alone, the
broadcast, full blast, opening.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import sseclient_cli
from benchmarks.building import build
from benchmarks.event_source import EventSource
from benchmarks.processes import cores, raise_open_files
from benchmarks.workloads import WORKLOADS, Kind, Workload
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

DEFAULT = ("4000x10", "broadcast", "blast-event-id-data", "opening")
SAMPLE_EVERY_S = 0.001
"""CPU time between two samples. Linux rounds it up to the kernel's tick, 1 to 10 ms."""

RAMP_S, SETTLE_S, WINDOW_S = 2.0, 2.0, 20.0
OPENING_S = 1.0
OPENING_STREAMS = 12_000
"""More than the workload has, so that streams open during the whole time."""

LEAST_PERCENT = 1.0
PACKAGE = str(Path(sseclient_cli.__file__).parent) + "/"


@dataclass(slots=True)
class StackSamples:
    """How often each function was found at the top of the stack."""

    begins_s: float
    ends_s: float
    found: Counter[str] = field(default_factory=Counter)

    def sample(self, _signal: int, frame: FrameType | None) -> None:
        """Count the function that runs now, within the window."""
        if frame is not None and self.begins_s <= time.monotonic() < self.ends_s:
            code = frame.f_code
            name = code.co_filename.removeprefix(PACKAGE) if code.co_filename.startswith(PACKAGE) else "library"
            self.found[f"{name} {code.co_qualname}"] += 1

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample while the block runs."""
        before = signal.signal(signal.SIGPROF, self.sample)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_EVERY_S, SAMPLE_EVERY_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


def profiled(workload: Workload, source: EventSource) -> tuple[Counter[str], Totals]:
    """Run a worker, and return its functions in the steady window (for the opening, while streams open)."""
    is_opening = workload.kind is Kind.OPENING
    target = Target(url=f"http://127.0.0.1:{source.port}{workload.path}")
    address = Address(socket.AF_INET, ("127.0.0.1", source.port))
    duration_s = OPENING_S if is_opening else RAMP_S + SETTLE_S + WINDOW_S
    streams = OPENING_STREAMS if is_opening else workload.streams
    plan = Plan(connections=streams, duration_s=duration_s, ramp_up_s=0.0 if is_opening else RAMP_S)
    worker = Worker(Shard(chain=(ResolvedTarget(target, address),), plan=plan))
    start_s = time.monotonic()
    samples = StackSamples(start_s + (0 if is_opening else RAMP_S + SETTLE_S), start_s + duration_s)
    with samples.sampling():
        totals = worker.run()
    return samples.found, totals


def main() -> None:
    parser = argparse.ArgumentParser(description="The CPU time of a worker of sse bench, by function.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"default: {' '.join(DEFAULT)}")
    names = parser.parse_args().workloads or DEFAULT
    named = {workload.name: workload for workload in WORKLOADS}
    if unknown := set(names) - set(named):
        parser.error(f"no workload has the name {' '.join(sorted(unknown))}; there are {' '.join(named)}")
    chosen = [named[name] for name in names]
    build()
    raise_open_files()
    source_core, worker_core = cores()[:2]
    os.sched_setaffinity(0, {worker_core})
    for workload in chosen:
        with EventSource(source_core) as source:
            found, totals = profiled(workload, source)
        print(f"\n{workload.name}: {totals.opened:,} streams, {totals.events:,} events, {found.total():,} samples")
        modules: Counter[str] = Counter()
        for name, count in found.items():
            modules[name.partition(" ")[0]] += count
        for counts in (modules, found):
            print(*_rows(counts), sep="\n", end="\n\n")


def _rows(counts: Counter[str]) -> Iterator[str]:
    """Yield a row for each name with a share worth a row, the largest first, and one for the rest."""
    whole = counts.total()
    rows = {name: count for name, count in counts.most_common() if count * 100 >= LEAST_PERCENT * whole}
    for name, count in (rows | {"others": whole - sum(rows.values())}).items():
        yield f"{100 * count / whole:5.1f} %  {name}"


if __name__ == "__main__":
    main()

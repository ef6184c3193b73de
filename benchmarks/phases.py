"""The CPU time of a reader's process in parts: its start, its reading and its end, seen from outside.

A reader that runs for some seconds pays for its start and its report once. A cost per event that contains them depends
on the duration, so they are told apart.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.event_source import Stats
from benchmarks.processes import cpu_s
from benchmarks.readers import Report
from benchmarks.running import POLL_S, Bench, Running


@dataclass(frozen=True, slots=True)
class Phases:
    """CPU times in seconds; accurate to the interval of the looks, 10 ms."""

    start_s: float
    """Until the source has seen the first hundredth of its streams; `sse bench` tries one before all others."""
    reading_s: float
    """From there until its first stream closes."""
    end_s: float
    """From there until the process has ended: closing, and its report."""

    @property
    def whole_s(self) -> float:
        return self.start_s + self.reading_s + self.end_s


def follow(bench: Bench, running: Running, streams: int, before: Stats) -> tuple[Phases, Report]:
    """Wait for the end of a reader that ends by itself. `before`: the counters of the source before its start."""
    at_first_s: float | None = None
    at_last_s = 0.0
    most_open = 0
    while running.is_running():
        stats = bench.source.stats()
        most_open = max(most_open, stats.streams_open)
        if stats.streams_opened - before.streams_opened > streams // 100 and at_first_s is None:
            at_first_s = cpu_s(running.pid)
        if stats.streams_open == most_open:
            at_last_s = cpu_s(running.pid)
        time.sleep(POLL_S)
    report = running.finish()
    if at_first_s is None:
        raise RuntimeError("it opened no stream")
    whole_s = running.total_cpu_s()
    # The C reader closes by its end: then the last look is at the end, and the other clock may be behind it.
    return Phases(at_first_s, at_last_s - at_first_s, max(whole_s - at_last_s, 0)), report

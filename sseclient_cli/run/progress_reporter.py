"""Reports the progress of a worker while it runs: figures of the last second, recent values, totals so far."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sseclient_cli.measure.request_totals import RequestLatency
from sseclient_cli.measure.rounding import rounded
from sseclient_cli.measure.samples import Latency
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.progress import Delay, Progress, Recent, WorkerProgress, merged
from sseclient_cli.run.side import Side
from sseclient_cli.units import NS_PER_S

PROGRESS_NS = NS_PER_S // 4
"""Interval of progress: fast enough for the eye."""

LEAST_CPU_WINDOW_NS = NS_PER_S // 2
"""Minimum duration for a CPU percentage. In a shorter run it would show only the opening of the first streams."""

OnProgress = Callable[[Progress], object]
"""Passes progress on. It returns False if it could not."""


class _Mark(NamedTuple):
    """CPU time and counters at a moment (monotonic)."""

    at_ns: int
    cpu_ns: int
    events: int
    bytes: int


class ProgressReporter:
    """The progress of one worker."""

    def __init__(self, on_progress: OnProgress, sides: Sequence[Side], plan: Plan) -> None:
        self._on_progress = on_progress
        self._sides = sides
        self._duration_s = plan.duration_s
        self._planned_requests = len(plan.request_numbers) if plan.requests else 0
        self._start = _Mark(0, 0, 0, 0)
        self._last_second: deque[_Mark] = deque(maxlen=NS_PER_S // PROGRESS_NS)
        self._due_ns = 0
        self._recent = Recent()

    def begin(self, started_ns: int, cpu_ns: int) -> None:
        """Set the start of the run (monotonic), and the CPU time of this process at that moment."""
        self._start = _Mark(started_ns, cpu_ns, 0, 0)
        self._last_second.append(self._start)
        self._due_ns = started_ns + PROGRESS_NS

    def note(self, delay: Delay, counts: Mapping[int, int]) -> None:
        """Add values of the load generator itself, with their counts."""
        if counts:
            self._recent.delays.setdefault(delay, Counter()).update(rounded(counts))

    def note_folded(self, folded: Mapping[str, Counter[int]], *, is_warm: bool) -> None:
        """Add the values of a tick, by name."""
        latencies = self._recent.latencies if is_warm else self._recent.warm_up
        for latency in Latency:
            if counts := folded[latency.value]:
                latencies.setdefault(latency, Counter()).update(rounded(counts))
        for of_requests in RequestLatency:
            if of_requests.value in folded:
                # Requests of the warm-up have no values.
                values = rounded(folded[of_requests.value])
                self._recent.latencies.setdefault(of_requests, Counter()).update(values)
        for delay in (Delay.READ, Delay.START):
            self.note(delay, folded[delay.value])

    def tick(self, now_ns: int) -> None:
        """Look at the next streams, and report progress if it is due."""
        for side in self._sides:
            side.survey.step()
        if now_ns < self._due_ns:
            return
        self._due_ns = max(self._due_ns + PROGRESS_NS, now_ns)
        events, total_bytes = (sum(getattr(side.totals, name) for side in self._sides) for name in ("events", "bytes"))
        now = _Mark(now_ns, time.process_time_ns(), events, total_bytes)
        progress = self._progress(now)
        self._last_second.append(now)
        if self._on_progress(progress) is not False:
            self._recent = Recent()

    def _progress(self, now: _Mark) -> Progress:
        progress = merged(
            Progress.of(
                side.totals,
                elapsed_s=(now.at_ns - self._start.at_ns) / NS_PER_S,
                duration_s=self._duration_s,
                opening=side.pool.opening,
                reconnecting=side.pool.reconnecting,
                silent=side.survey.silent,
                planned_requests=self._planned_requests,
                audits=side.survey.audits,
            )
            for side in self._sides
        )
        return replace(progress, workers=[self._worker(now, self._last_second[0])], recent=self._recent)

    def _worker(self, now: _Mark, then: _Mark) -> WorkerProgress:
        passed_s = (now.at_ns - then.at_ns) / NS_PER_S
        return WorkerProgress(
            open_now=sum(side.totals.open_now for side in self._sides),
            events_per_s=(now.events - then.events) / passed_s,
            bytes_per_s=(now.bytes - then.bytes) / passed_s,
            cpu_percent=cpu_percent(now.cpu_ns - self._start.cpu_ns, now.at_ns - self._start.at_ns),
            recent_cpu_percent=cpu_percent(now.cpu_ns - then.cpu_ns, now.at_ns - then.at_ns),
        )


def cpu_percent(cpu_ns: int, window_ns: int) -> float | None:
    """Return a CPU time in percent of one core; None if the window is too short."""
    return 100 * cpu_ns / window_ns if window_ns >= LEAST_CPU_WINDOW_NS else None

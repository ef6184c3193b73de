"""Take samples of the target in threads of this process, once a second, before, during and after a run.

Each source has a thread, so that a slow endpoint does not delay the samples of a process. A failed sample is counted
and never ends the run. Samples during the run are taken at whole seconds of its time axis.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from sseclient_cli.target_metrics.samples import (
    FILES,
    RSS,
    Reading,
    SampleError,
    SourceKind,
    SourceSamples,
    TargetSamples,
)
from sseclient_cli.units import NS_PER_S

FIRST_WITHIN_S = 3.0
"""The time limit for the first sample of each source, which the run waits for."""

IDLE_S = 0.2
"""The wait before the first sample, in which the server closes the connection of a preflight."""

SETTLING_INTERVAL_S = 0.5

STEADY_SAMPLES = 4
"""After the run, memory counts as steady when this many samples in a row differ by at most STEADY_SHARE."""

STEADY_SHARE = 0.01
"""Also: memory is back if it exceeds the value before the run by at most this share."""

JOIN_S = 0.5
"""The wait for a sample that is being taken at the end."""


class Source(Protocol):
    """Where samples come from."""

    name: str
    kind: SourceKind
    missing: dict[str, str]

    def read(self) -> Reading:
        """Return the values of now. Raises SampleError."""

    def close(self) -> None:
        """Release connections."""


def next_due_ns(after_ns: int, anchor_ns: int, interval_ns: int) -> int:
    """Return the first time of a grid through ``anchor_ns`` that is later than ``after_ns``."""
    return anchor_ns + ((after_ns - anchor_ns) // interval_ns + 1) * interval_ns


class Sampler:
    """The threads that sample the sources of a run."""

    def __init__(self, sources: Sequence[Source], interval_s: float = 1.0) -> None:
        self._threads = [_Thread(source, round(interval_s * NS_PER_S)) for source in sources]
        self._start_ns: int | None = None

    def start(self) -> None:
        """Start sampling, and wait for the first sample of each source, for a limited time."""
        time.sleep(IDLE_S)
        for thread in self._threads:
            thread.start()
        ends_s = time.monotonic() + FIRST_WITHIN_S
        for thread in self._threads:
            thread.has_sampled.wait(max(ends_s - time.monotonic(), 0))

    @property
    def problems(self) -> dict[str, str]:
        """The reasons of failed samples and of missing series so far, by source."""
        found = {}
        for samples in (thread.samples for thread in self._threads):
            reasons = [samples.error] if samples.error else []
            reasons += [f"{series} is missing: {reason}" for series, reason in samples.missing.items()]
            if reasons or not samples.times_ns:
                found[samples.source] = "; ".join(reasons) or "no sample yet"
        return found

    def begin(self, start_ns: int) -> None:
        """Align samples to the start of the run."""
        self._start_ns = start_ns
        for thread in self._threads:
            thread.set_grid(start_ns)

    def finish(self, duration_ns: int, settle_s: float) -> TargetSamples:
        """Sample until memory and files are back or steady, or ``settle_s`` is over; then stop, and return the samples.

        Ctrl-C ends the wait.
        """
        start_ns = time.monotonic_ns() if self._start_ns is None else self._start_ns
        try:
            is_settled = settle_s > 0 and self._settle(settle_s)
        except KeyboardInterrupt:
            is_settled = False
        self.stop()
        sources = tuple(thread.samples for thread in self._threads)
        return TargetSamples(start_ns=start_ns, end_ns=start_ns + duration_ns, settled=is_settled, sources=sources)

    def stop(self) -> None:
        """Stop sampling. A sample that takes longer than a moment is abandoned."""
        for thread in self._threads:
            thread.ask_to_stop()
        for thread in self._threads:
            thread.join(JOIN_S)

    def _settle(self, settle_s: float) -> bool:
        now_ns = time.monotonic_ns()
        ends_s = time.monotonic() + settle_s
        for thread in self._threads:
            thread.set_grid(now_ns, round(SETTLING_INTERVAL_S * NS_PER_S))
        while (left_s := ends_s - time.monotonic()) > 0:
            time.sleep(min(left_s, SETTLING_INTERVAL_S / 5))
            if all(is_settled(thread.samples, self._start_ns or now_ns, now_ns) for thread in self._threads):
                break
        return True


def is_settled(samples: SourceSamples, start_ns: int, ended_ns: int) -> bool:
    """Return whether files are back, and memory is back or steady, in the samples after ``ended_ns``."""
    times = list(zip(samples.times_ns, samples.readings, strict=False))
    before = next((each for time_ns, each in reversed(times) if time_ns < start_ns and each is not None), None)
    after = [each for time_ns, each in times if time_ns > ended_ns and each is not None]
    if before is None:
        return True  # there is nothing to return to
    if not after:
        return bool(samples.failed and samples.readings[-1] is None)
    if FILES in before and after[-1].get(FILES, 0) > before[FILES]:
        return False
    if RSS not in before or after[-1].get(RSS, 0) <= before[RSS] * (1 + STEADY_SHARE):
        return True
    last = [each[RSS] for each in after[-STEADY_SAMPLES:] if RSS in each]
    return len(last) == STEADY_SAMPLES and max(last) <= min(last) * (1 + STEADY_SHARE)


class _Thread(threading.Thread):
    """Samples one source. A daemon: a scrape that hangs must not keep the process from exiting."""

    def __init__(self, source: Source, interval_ns: int) -> None:
        super().__init__(name=f"samples of {source.name}", daemon=True)
        self.samples = SourceSamples(source=source.name, kind=source.kind)
        self.has_sampled = threading.Event()
        self._source = source
        self._anchor_ns = time.monotonic_ns()
        self._interval_ns = interval_ns
        self._is_stopping = False
        self._has_news = threading.Event()

    def set_grid(self, anchor_ns: int, interval_ns: int | None = None) -> None:
        """Take the next samples on a grid through ``anchor_ns``."""
        self._anchor_ns = anchor_ns
        self._interval_ns = interval_ns or self._interval_ns
        self._has_news.set()

    def ask_to_stop(self) -> None:
        self._is_stopping = True
        self._has_news.set()

    def run(self) -> None:
        while not self._is_stopping:
            self._sample()
            self.has_sampled.set()
            self._wait()

    def _sample(self) -> None:
        time_ns = time.monotonic_ns()
        try:
            reading = self._source.read()
        except SampleError as exc:
            if not self._is_stopping:
                self.samples.add_failure(time_ns, str(exc))
        except Exception as exc:  # noqa: BLE001 - a bug here must not cost the run
            self.samples.add_failure(time_ns, f"{type(exc).__name__}: {exc}")
        else:
            self.samples.add(time_ns, reading)
        self.samples.missing = dict(self._source.missing)

    def _wait(self) -> None:
        sampled_ns = time.monotonic_ns()
        while not self._is_stopping:
            left_ns = next_due_ns(sampled_ns, self._anchor_ns, self._interval_ns) - time.monotonic_ns()
            if left_ns <= 0:
                return
            if self._has_news.wait(left_ns / NS_PER_S):
                self._has_news.clear()

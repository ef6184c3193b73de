"""One reader on one workload, once: the source on one core, the reader on another, both watched from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.event_source import EventSource, Stats
from benchmarks.processes import cpu_s, family, pinned_to, rss_bytes
from benchmarks.readers import Order, Reader, Report
from benchmarks.workloads import IDLE_FRACTION, Kind, Workload

SETTLE_S = 2.0
"""From the last stream's opening to the window: the crowd's leftovers are read, and fields are chosen, by then."""

STARTS_PER_S = 2000
POLL_S = 0.01
MOST_LATE_S = 20.0
"""Streams that are not open so long after the ramp count as streams that this reader cannot open."""

KEEPS_UP_SHARE = 0.98
"""Of the events sent up to a run's end, how many a reader has then read if it keeps up."""

PUNCTUAL_MS = 100.0
"""A source that is later than this did not get its core to itself: what else runs on the machine shapes the figures."""

LEAST_SHARE = 0.1
"""A reader that opens fewer of the streams than this is not measured: it would be another workload."""

PATIENCE_S = 60.0
"""How much longer than its window a reader is told to read. It is interrupted when enough is measured."""

Figures = dict[str, float]
"""By name, units in the name; what was not measured is not in it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where things run, and for how long. A core that is None means: anywhere."""

    source: EventSource
    reader_core: int | None
    window_s: float


@dataclass(slots=True)
class Outcome:
    """What one run gave."""

    figures: Figures = field(default_factory=dict)
    note: str | None = None
    """Why figures are missing, if any are."""


class Running:
    """A reader at work."""

    def __init__(self, bench: Bench, reader: Reader, order: Order) -> None:
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
            env={**os.environ, **dict(reader.variables), "NO_COLOR": "1"},
            preexec_fn=pinned_to(bench.reader_core),
            start_new_session=True,  # a group of its own, to interrupt it as a terminal does
        )
        self.pid = self._process.pid

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


@contextmanager
def reading(bench: Bench, reader: Reader, workload: Workload, duration_s: float, workers: int = 1) -> Iterator[Running]:
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
        )
        running = Running(bench, reader, order)
        try:
            yield running
        finally:
            running.stop()
            _wait_until_closed(bench)


def _wait_until_closed(bench: Bench) -> None:
    """Wait until the source has seen that all clients have left: the next run begins with none."""
    ends_s = time.monotonic() + MOST_LATE_S
    while bench.source.stats().streams_open and time.monotonic() < ends_s:
        time.sleep(POLL_S)


def _wait_until_open(bench: Bench, running: Running, streams: int) -> int:
    """Wait for all streams, for a bounded time; return how many are open. Raises RuntimeError if the reader died."""
    ends_s = time.monotonic() + streams / STARTS_PER_S + MOST_LATE_S
    while (now_open := bench.source.stats().streams_open) < streams and time.monotonic() < ends_s:
        if not running.is_running():
            running.finish()
            raise RuntimeError(f"it ended after it had opened {now_open:,} streams")
        time.sleep(POLL_S)
    return min(now_open, streams)


def measure(bench: Bench, reader: Reader, workload: Workload) -> Outcome:
    """Run a reader on a workload, and return what can be said of it."""
    capped = workload.with_streams(min(workload.streams, reader.most_streams or workload.streams))
    if capped.streams < workload.streams * LEAST_SHARE:
        return Outcome({}, f"not measured: it opens {capped.streams:,} streams at most")
    measures = {Kind.PACED: _paced, Kind.BLAST: blast, Kind.IDLE: _idle, Kind.OPENING: _opening}
    try:
        figures = measures[workload.kind](bench, reader, capped)
    except (RuntimeError, OSError) as exc:
        return Outcome({}, str(exc))
    return Outcome(figures, _note(figures, capped, workload))


def _note(figures: Figures, capped: Workload, workload: Workload) -> str | None:
    if figures.get("open", capped.streams) < capped.streams:
        return f"opened {figures['open']:,.0f} streams in {capped.streams / STARTS_PER_S + MOST_LATE_S:.0f} s"
    if capped != workload:
        return f"{capped.streams:,} streams: it does not get further"
    if figures.get("source_late_ms", 0) > PUNCTUAL_MS:
        return f"the source was {figures['source_late_ms']:,.0f} ms late: the machine was busy"
    return "does not keep up" if figures.get("read_share", 1) < KEEPS_UP_SHARE else None


def _paced(bench: Bench, reader: Reader, workload: Workload) -> Figures:
    """Measure CPU per event over a window in which nothing opens or closes."""
    before = bench.source.stats()
    with reading(bench, reader, workload, PATIENCE_S) as running:
        now_open = _wait_until_open(bench, running, workload.streams)
        time.sleep(SETTLE_S)
        first, cpu_start_s, start_s = bench.source.stats(), cpu_s(running.pid), time.monotonic()
        time.sleep(bench.window_s)
        cpu_used_s, taken_s, last = cpu_s(running.pid) - cpu_start_s, time.monotonic() - start_s, bench.source.stats()
        memory_bytes = rss_bytes(running.pid)
        if last.streams_open < now_open or not running.is_running():
            raise RuntimeError("streams closed before the window was over")
        # What is sent from here on comes while the reader says goodbye.
        sent = bench.source.stats().events_sent - before.events_sent
        report = running.interrupt()
    read_share = min(report.events / sent, 1)
    events: float = last.events_sent - first.events_sent
    if read_share < KEEPS_UP_SHARE:
        events *= read_share  # of what was sent meanwhile, the rest lies in the sockets' buffers
    return {
        "open": now_open,
        "cpu_us_per_event": cpu_used_s * 1e6 / events,
        "cpu_percent": 100 * cpu_used_s / taken_s,
        "rss_mib": memory_bytes / 2**20,
        "read_share": read_share,
        **_source_figures(first, last, taken_s),
        **_claims(report),
    }


def blast(bench: Bench, reader: Reader, workload: Workload, workers: int = 1) -> Figures:
    """Measure how many events a reader takes. It counts itself: what the source counts may still lie in a buffer."""
    first, start_s = bench.source.stats(), time.monotonic()
    with reading(bench, reader, workload, SETTLE_S + bench.window_s, workers) as running:
        report = running.finish()
        taken_s = time.monotonic() - start_s
        last = bench.source.stats()
    if not report.events:
        raise RuntimeError("it counted no event")
    return {
        "events_per_s": report.events / report.duration_s,
        **_source_figures(first, last, taken_s),
        **_claims(report),
    }


def _idle(bench: Bench, reader: Reader, workload: Workload) -> Figures:
    """Measure memory with one stream (the empty process), with a part of the streams, and with all."""
    counts = (1, workload.streams // IDLE_FRACTION, workload.streams)
    one, part, whole = (_memory_bytes(bench, reader, workload.with_streams(count)) for count in counts)
    return {
        "empty_rss_mib": one / 2**20,
        "rss_bytes_per_stream": (whole - one) / (counts[2] - counts[0]),
        "rss_slope_bytes_per_stream": (whole - part) / (counts[2] - counts[1]),
    }


def _memory_bytes(bench: Bench, reader: Reader, workload: Workload) -> int:
    with reading(bench, reader, workload, PATIENCE_S) as running:
        now_open = _wait_until_open(bench, running, workload.streams)
        if now_open < workload.streams:
            raise RuntimeError(f"opened {now_open:,} of {workload.streams:,} streams")
        time.sleep(SETTLE_S)
        return rss_bytes(running.pid)


def _opening(bench: Bench, reader: Reader, workload: Workload) -> Figures:
    """Measure the time from the first hundredth of the streams to the last, as the source sees them come.

    Not from the start of the process: what that takes is no cost of a stream.
    """
    base = bench.source.stats().streams_opened
    few = workload.streams // 100
    seen: list[tuple[float, int]] = []
    with reading(bench, reader, workload, PATIENCE_S) as running:
        ends_s = time.monotonic() + MOST_LATE_S
        while not seen or seen[-1][1] < workload.streams:
            if not running.is_running() or time.monotonic() > ends_s:
                raise RuntimeError(f"opened {seen[-1][1]:,} of {workload.streams:,} streams")
            seen.append((time.monotonic(), bench.source.stats().streams_opened - base))
            time.sleep(POLL_S)
    # The last look before there were more than a few, or else the whole of it may lie between two looks.
    start_s, at_start = next(((at_s, n) for at_s, n in reversed(seen) if n <= few), seen[0])
    return {"opened_per_s": (workload.streams - at_start) / (seen[-1][0] - start_s)}


def _source_figures(first: Stats, last: Stats, taken_s: float) -> Figures:
    return {
        "source_cpu_percent": (last.cpu_us - first.cpu_us) / taken_s / 1e4,
        "source_late_ms": last.most_late_us / 1000,
        "source_events_per_s": (last.events_sent - first.events_sent) / taken_s,
    }


def _claims(report: Report) -> Figures:
    claims = {
        "delivery_p50_ms": report.delivery_p50_ms,
        "delivery_p99_ms": report.delivery_p99_ms,
        "saturated": report.saturated,
        "lost_or_duplicated": report.lost,
    }
    return {name: float(value) for name, value in claims.items() if value is not None}

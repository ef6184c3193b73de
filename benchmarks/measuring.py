"""One reader on one workload, once: the source on one core, the reader on another, both watched from outside."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from benchmarks.event_source import Stats
from benchmarks.phases import follow
from benchmarks.processes import cpu_s, rss_bytes
from benchmarks.readers import Reader, Report
from benchmarks.running import MOST_LATE_S, POLL_S, STARTS_PER_S, Bench, Used, reading, wait_until_open
from benchmarks.workloads import IDLE_FRACTION, Kind, Workload

SETTLE_S = 2.0
"""From the last stream's opening to the window: the crowd's leftovers are read, and fields are chosen, by then."""

KEEPS_UP_SHARE = 0.98
"""A reader that is fast enough has read at least this share of the events sent by the end of the run."""

PUNCTUAL_MS = 100.0
"""A source that is later than this did not get its core to itself, or has more to send than a core can."""

WHOLE_S = 10.0
"""The duration of the run whose whole process is measured, with its ramp."""

CANNOT = "cannot be measured"
"""A reader that is not tried again, on no workload."""

DISTURBED = "disturbed"
DISTURBED_PERCENT = 10.0
"""The limit for other load on the reader's core. A reader that waits for its core finds more in each read, which makes
its events look cheap."""

LEAST_SHARE = 0.1
"""A reader that opens fewer of the streams than this is not measured: it would be another workload."""

PATIENCE_S = 60.0
"""Added to the duration that a reader is started with. It is interrupted when the window has been measured."""

Figures = dict[str, float]
"""By name, units in the name; a figure that was not measured is missing."""


@dataclass(slots=True)
class Outcome:
    """The result of one run."""

    figures: Figures = field(default_factory=dict)
    note: str | None = None
    """Why figures are missing, if any are."""


def measure(bench: Bench, reader: Reader, workload: Workload) -> Outcome:
    """Run a reader on a workload, and return its figures or the reason why there are none."""
    capped = workload.with_streams(min(workload.streams, reader.most_streams or workload.streams))
    if capped.streams < workload.streams * LEAST_SHARE:
        return Outcome({}, f"not measured: it opens {capped.streams:,} streams at most")
    measures = {
        Kind.PACED: _paced,
        Kind.WHOLE: _whole,
        Kind.BLAST: blast,
        Kind.IDLE: _idle,
        Kind.OPENING: _opening,
    }
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
    if figures.get("others_cpu_percent", 0) > DISTURBED_PERCENT:
        return f"{DISTURBED}: others used {figures['others_cpu_percent']:.0f} % of its core"
    if figures.get("source_late_ms", 0) > PUNCTUAL_MS:
        return f"{DISTURBED}: the source was {figures['source_late_ms']:,.0f} ms late"
    return "does not keep up" if figures.get("read_share", 1) < KEEPS_UP_SHARE else None


def _paced(bench: Bench, reader: Reader, workload: Workload) -> Figures:
    """Measure CPU per event over a window in which nothing opens or closes."""
    before = bench.source.stats()
    with reading(bench, reader, workload, PATIENCE_S) as running:
        now_open = wait_until_open(bench, running, workload.streams)
        time.sleep(SETTLE_S)
        first, start = bench.source.stats(), Used.by(bench, running)
        time.sleep(bench.window_s)
        used, last = Used.by(bench, running) - start, bench.source.stats()
        memory_bytes = rss_bytes(running.pid)
        if last.streams_open < now_open or not running.is_running():
            raise RuntimeError("streams closed before the window was over")
        # Events sent from here on arrive while the reader shuts down.
        sent = bench.source.stats().events_sent - before.events_sent
        report = running.interrupt()
    if not report.events:
        raise RuntimeError(f"{CANNOT}: it read {sent:,} events from {now_open:,} streams, and counted none")
    read_share = min(report.events / sent, 1)
    events: float = last.events_sent - first.events_sent
    if read_share < KEEPS_UP_SHARE:
        events *= read_share  # the rest of the events sent in the window is still in the sockets' buffers
    return {
        "open": now_open,
        "cpu_us_per_event": used.cpu_s * 1e6 / events,
        "cpu_percent": 100 * used.cpu_s / used.time_s,
        "others_cpu_percent": 100 * max(used.core_s - used.cpu_s, 0) / used.time_s,
        "rss_mib": memory_bytes / 2**20,
        "read_share": read_share,
        **_source_figures(first, last, used.time_s),
        **_claims(report),
    }


def _whole(bench: Bench, reader: Reader, workload: Workload) -> Figures:
    """Measure the CPU of a process from its start to its end, per event, and that of its start and its end."""
    before = bench.source.stats()
    with reading(bench, reader, workload, WHOLE_S - workload.streams / STARTS_PER_S) as running:
        phases, report = follow(bench, running, workload.streams, before)
    if not report.events:
        raise RuntimeError("it counted no event")
    return {
        "cpu_us_per_event": phases.whole_s * 1e6 / report.events,
        "start_cpu_ms": phases.start_s * 1e3,
        "end_cpu_ms": phases.end_s * 1e3,
        "read_share": min(report.events / (bench.source.stats().events_sent - before.events_sent), 1),
    }


def blast(bench: Bench, reader: Reader, workload: Workload, workers: int = 1) -> Figures:
    """Measure how many events a reader takes: per CPU second in a window as above, and per second as it counts them.

    The source is faster than the readers: the buffers of all sockets are full when the window starts and when it ends,
    so the events sent in it are as many as were read. The buffers of a slow reader still grow in it: then the events
    that it has counted in all are an upper bound.
    """
    with reading(bench, reader, workload, PATIENCE_S, workers) as running:
        wait_until_open(bench, running, workload.streams)
        time.sleep(SETTLE_S)
        first, start = bench.source.stats(), Used.by(bench, running)
        time.sleep(bench.window_s)
        used, last = Used.by(bench, running) - start, bench.source.stats()
        report = running.interrupt()
    if not report.events:
        raise RuntimeError("it counted no event")
    return {
        "events_per_s_and_core": min(last.events_sent - first.events_sent, report.events) / used.cpu_s,
        "events_per_s": report.events / report.duration_s,
        "cpu_percent": 100 * used.cpu_s / used.time_s,
        "others_cpu_percent": 100 * max(used.core_s - used.cpu_s, 0) / used.time_s,
        **_source_figures(first, last, used.time_s),
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
        now_open = wait_until_open(bench, running, workload.streams)
        if now_open < workload.streams:
            raise RuntimeError(f"opened {now_open:,} of {workload.streams:,} streams")
        time.sleep(SETTLE_S)
        return rss_bytes(running.pid)


def _opening(bench: Bench, reader: Reader, workload: Workload) -> Figures:
    """Measure time and CPU from the first hundredth of the streams to the last, as the source sees them come.

    Not from the start of the process, which is not a cost of a stream.
    """
    base = bench.source.stats().streams_opened
    few = workload.streams // 100
    seen: list[tuple[int, float, float]] = []
    with reading(bench, reader, workload, PATIENCE_S) as running:
        ends_s = time.monotonic() + MOST_LATE_S
        while not seen or seen[-1][0] < workload.streams:
            if not running.is_running() or time.monotonic() > ends_s:
                raise RuntimeError(f"opened {seen[-1][0]:,} of {workload.streams:,} streams")
            seen.append((bench.source.stats().streams_opened - base, time.monotonic(), cpu_s(running.pid)))
            time.sleep(POLL_S)
    # The last look before there were more than a few, or else the whole of it may lie between two looks.
    at_start, start_s, start_cpu_s = next((look for look in reversed(seen) if look[0] <= few), seen[0])
    at_end, end_s, end_cpu_s = seen[-1]
    opened = at_end - at_start
    return {
        "opened_per_s": opened / (end_s - start_s),
        "wall_us_per_stream": (end_s - start_s) * 1e6 / opened,
        "cpu_us_per_stream": (end_cpu_s - start_cpu_s) * 1e6 / opened,
    }


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

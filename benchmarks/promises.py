"""Two promises that no bar states: latencies stay true when saturated, and two workers do twice as much."""

from __future__ import annotations

from benchmarks.event_source import EventSource
from benchmarks.measuring import Figures, Outcome, blast, measure
from benchmarks.readers import READERS, SSE_BENCH, has_workers
from benchmarks.running import Bench
from benchmarks.workloads import Kind, Workload, named

QUIET_CPU_PERCENT = 30
QUIET_STREAMS = 1500
"""Where to begin to look for the number of streams that keeps a core busy for that share."""
CLOSE_ENOUGH = 5

_SSE_BENCH = next(reader for reader in READERS if reader.name == SSE_BENCH)


def truthfulness(bench: Bench) -> Outcome:
    """Compare the delivery latency that `sse bench` reports on a saturated core with that of a quiet run."""
    busy_workload = named("12000x10")
    quiet_workload = busy_workload.with_streams(QUIET_STREAMS)
    quiet = measure(bench, _SSE_BENCH, quiet_workload)
    cpu_percent = quiet.figures.get("cpu_percent", QUIET_CPU_PERCENT)
    if abs(cpu_percent - QUIET_CPU_PERCENT) > CLOSE_ENOUGH:
        streams = min(int(QUIET_STREAMS * QUIET_CPU_PERCENT / cpu_percent), busy_workload.streams)
        quiet_workload = busy_workload.with_streams(streams)
        quiet = measure(bench, _SSE_BENCH, quiet_workload)
    busy = measure(bench, _SSE_BENCH, busy_workload)
    if "delivery_p50_ms" not in quiet.figures or "delivery_p50_ms" not in busy.figures:
        return Outcome({}, quiet.note or busy.note or "no delivery was reported")
    figures: Figures = {"quiet_streams": quiet_workload.streams, "busy_streams": busy_workload.streams}
    for name in ("cpu_percent", "delivery_p50_ms", "delivery_p99_ms", "saturated"):
        figures[f"quiet_{name}"] = quiet.figures[name]
        figures[f"busy_{name}"] = busy.figures[name]
    figures["p50_difference_ms"] = busy.figures["delivery_p50_ms"] - quiet.figures["delivery_p50_ms"]
    return Outcome(figures)


def scaling(window_s: float) -> Outcome:
    """Compare two workers to one at full blast, on all cores, with a source that needs but a part of one."""
    if not has_workers():
        return Outcome({}, "this sse bench has no --workers")
    workload = Workload(
        "scaling", "100 streams at full blast, not pinned", Kind.BLAST, 100, "/events?rate=0&chunk=write"
    )
    figures: Figures = {}
    with EventSource(core=None) as source:
        bench = Bench(source, reader_core=None, window_s=window_s)
        for workers in (1, 2):
            try:
                measured = blast(bench, _SSE_BENCH, workload, workers)
            except RuntimeError as exc:
                return Outcome({}, str(exc))
            figures[f"events_per_s_{workers}"] = measured["events_per_s"]
            figures[f"source_cpu_percent_{workers}"] = measured["source_cpu_percent"]
    figures["speed_up"] = figures["events_per_s_2"] / figures["events_per_s_1"]
    return Outcome(figures)

"""Build the report's part about the target's own metrics from its samples and the timeline. Pure.

Figures are those of the processes; without a process, those of the endpoints. Both at once would count memory twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import mean, median

from sseclient_cli.report.findings import findings
from sseclient_cli.report.model import Report
from sseclient_cli.report.target_model import (
    TargetCpu,
    TargetFiles,
    TargetMemory,
    TargetMetrics,
    TargetSeries,
    TargetSource,
)
from sseclient_cli.target_metrics.samples import CPU, FILES, RSS, Reading, SourceKind, SourceSamples, TargetSamples
from sseclient_cli.units import NS_PER_S

STEADY_SHARE = 0.95
"""The steady part of a run: at least this share of its most streams is open."""

Points = list[tuple[float, float]]
"""Times in seconds of the run, with values."""

_UNITS = {"bytes": "bytes", "seconds": "s", "milliseconds": "ms", "ratio": "ratio", "percent": "%"}


def with_target_metrics(report: Report, samples: TargetSamples) -> Report:
    """Return the report with the target's metrics, and the findings that follow from them."""
    made = report.model_copy(update={"target_metrics": target_metrics(report, samples)})
    return made.model_copy(update={"findings": findings(made)})


def target_metrics(report: Report, samples: TargetSamples) -> TargetMetrics:
    """Return the target's metrics. The open streams of the report's timeline give the memory per stream."""
    sources = [_source(each, samples.start_ns) for each in samples.sources]
    end_s = (samples.end_ns - samples.start_ns) / NS_PER_S
    after_s = end_s if samples.settled else None
    last_s = max((t_s for each in sources for t_s in each.t_s), default=0.0)
    return TargetMetrics(
        memory=_memory(_points(sources, RSS), after_s, _steady(_points(sources, RSS), report, end_s)),
        files=_files(_points(sources, FILES), after_s),
        cpu=_cpu(_points(sources, CPU), end_s),
        sampled_after_s=round(max(last_s - end_s, 0), 1) if samples.settled else None,
        sources=sources,
    )


def unit_of(name: str) -> str:
    """Return the unit of a series by the end of its name, as Prometheus writes it; empty without one."""
    words = name.partition("{")[0].removesuffix("_total").split("_")
    return _UNITS.get(words[-1], "")


def _source(samples: SourceSamples, start_ns: int) -> TargetSource:
    times = list(zip(samples.times_ns, samples.readings, strict=False))
    names = list(dict.fromkeys(name for _, reading in times if reading is not None for name in reading))
    return TargetSource(
        source=samples.source,
        kind=samples.kind,
        t_s=[round((time_ns - start_ns) / NS_PER_S, 3) for time_ns, _ in times],
        series=[
            TargetSeries(
                name=name,
                unit=unit_of(name),
                values=[_value(reading, name) for _, reading in times],
            )
            for name in names
        ],
        failed=samples.failed,
        error=samples.error or None,
        missing=dict(samples.missing),
    )


def _value(reading: Reading | None, name: str) -> float | None:
    value = None if reading is None else reading.get(name)
    return None if value is None else round(value, 6)


def _points(sources: Sequence[TargetSource], name: str) -> Points:
    """Return the values of a series, added up over the sources of the figures."""
    chosen = [each for each in sources if each.kind is SourceKind.PROCESS] or sources
    each_points = [points for source in chosen if (points := _of_source(source, name))]
    return _added(each_points)


def _of_source(source: TargetSource, name: str) -> Points:
    """Return a series of a source, added up over its labels."""
    columns = [each.values for each in source.series if each.name.partition("{")[0] == name]
    rows = zip(source.t_s, zip(*columns, strict=True), strict=True) if columns else ()
    return [(t_s, sum(value for value in row if value is not None)) for t_s, row in rows if None not in row]


def _added(series: list[Points]) -> Points:
    """Add series, each with its latest value, at the times of the first one."""
    if len(series) < 2:
        return series[0] if series else []
    first, *others = series
    total: Points = []
    for t_s, value in first:
        latest = [found for points in others if (found := _latest(points, t_s)) is not None]
        if len(latest) == len(others):
            total.append((t_s, value + sum(latest)))
    return total


def _latest(points: Points, t_s: float) -> float | None:
    # Threads take the samples of one time within a fraction of a second.
    return next((value for each_s, value in reversed(points) if each_s <= t_s + 0.25), None)


def _memory(points: Points, after_s: float | None, steady: list[tuple[float, int]]) -> TargetMemory | None:
    before = _before(points)
    if before is None:
        return None
    after = _after(points, after_s)
    steady_bytes = median(value for value, _ in steady) if steady else None
    return TargetMemory(
        before_bytes=round(before),
        steady_bytes=None if steady_bytes is None else round(steady_bytes),
        peak_bytes=round(max(value for _, value in points)),
        after_bytes=None if after is None else round(after),
        kept_bytes=None if after is None else round(after - before),
        per_stream_bytes=None
        if steady_bytes is None
        else round((steady_bytes - before) / mean(count for _, count in steady), 1),
    )


def _files(points: Points, after_s: float | None) -> TargetFiles | None:
    before = _before(points)
    if before is None:
        return None
    after = _after(points, after_s)
    return TargetFiles(
        before=round(before),
        peak=round(max(value for _, value in points)),
        after=None if after is None else round(after),
        kept=None if after is None else round(after - before),
    )


def _cpu(points: Points, end_s: float) -> TargetCpu | None:
    during = [(t_s, value) for t_s, value in points if -0.05 <= t_s <= end_s + 0.05]
    if len(during) < 2:
        return None
    # A counter that falls was restarted, with its process.
    used = [(t_s - earlier_s, max(value - earlier, 0)) for (earlier_s, earlier), (t_s, value) in pairwise(during)]
    return TargetCpu(
        mean_percent=round(100 * sum(cpu_s for _, cpu_s in used) / sum(wall_s for wall_s, _ in used), 1),
        peak_percent=round(100 * max(cpu_s / wall_s for wall_s, cpu_s in used), 1),
    )


def _before(points: Points) -> float | None:
    return _last(points, lambda t_s: t_s < 0)


def _after(points: Points, after_s: float | None) -> float | None:
    return None if after_s is None else _last(points, lambda t_s: t_s > after_s)


def _last(points: Iterable[tuple[float, float]], is_wanted: Callable[[float], bool]) -> float | None:
    return next((value for t_s, value in reversed(list(points)) if is_wanted(t_s)), None)


def _steady(points: Points, report: Report, end_s: float) -> list[tuple[float, int]]:
    """Return the values while most streams were open, with the number of open streams."""
    timeline = report.timeline
    most = max((row.open for row in timeline), default=0)
    found = []
    for t_s, value in points:
        row = round(t_s / report.run.interval_s) - 1  # `open` is the number at the end of a row
        # At the end of the run, the streams are being closed.
        if most and 0 <= row < len(timeline) and t_s < end_s and timeline[row].open >= STEADY_SHARE * most:
            found.append((value, timeline[row].open))
    return found

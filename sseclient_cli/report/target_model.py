"""The part of the report about the target's own metrics: samples of its process and of its Prometheus endpoint."""

from __future__ import annotations

from sseclient_cli.report.figure import Better, Part, figure
from sseclient_cli.target_metrics.samples import CPU, FILES, RSS, SourceKind

_NOT_AFTER = "sampling ended with the run"
_NOT_STEADY = "no sample fell into the steady part of the run"


class TargetSeries(Part):
    """A series: one value for each time of its source."""

    name: str = figure("The name of the series, with labels.")
    unit: str = figure("Its unit, from the end of its name: bytes, s, or empty for a count.")
    values: list[float | None] = figure("A value for each time of `t_s`; null where the sample failed or lacks it.")


class TargetSource(Part):
    """A source of samples: a process with its children, or a Prometheus endpoint."""

    source: str = figure("The process, or the URL without credentials.")
    kind: SourceKind = figure("What it is: process or endpoint.")
    t_s: list[float] = figure("When each sample was taken, from the start of the run; negative before it.", unit="s")
    series: list[TargetSeries] = figure("The series that at least one sample had.")
    failed: int = figure("Samples that failed.", better=Better.LOWER, ge=0)
    error: str | None = figure("Why the first of them failed; null without one.")
    missing: dict[str, str] = figure("Series that no sample had, with the reason.")


class TargetMemory(Part):
    """Resident memory of the target: of the processes, or else by `process_resident_memory_bytes`."""

    before_bytes: int = figure("The last sample before the run.", unit="bytes", ge=0)
    steady_bytes: int | None = figure(
        "The median while at least 95 % of the most streams were open; null without a sample then.",
        unit="bytes",
        absent=_NOT_STEADY,
        ge=0,
    )
    peak_bytes: int = figure("The largest sample.", unit="bytes", better=Better.LOWER, ge=0)
    after_bytes: int | None = figure(
        "The last sample after the run; null if sampling ended with the run.", unit="bytes", absent=_NOT_AFTER, ge=0
    )
    kept_bytes: int | None = figure(
        "The rise from before to after the run.", unit="bytes", absent=_NOT_AFTER, better=Better.LOWER
    )
    per_stream_bytes: float | None = figure(
        "The rise from before_bytes to steady_bytes by open stream. Restart the target before the run: it uses freed "
        "memory again.",
        unit="bytes",
        absent=_NOT_STEADY,
        better=Better.LOWER,
    )


class TargetFiles(Part):
    """Open files of the target: of the processes, or else by `process_open_fds`. Each connection is one."""

    before: int = figure("The last sample before the run.", ge=0)
    peak: int = figure("The largest sample.", ge=0)
    after: int | None = figure(
        "The last sample after the run; null if sampling ended with the run.", absent=_NOT_AFTER, ge=0
    )
    kept: int | None = figure("The rise from before to after the run.", absent=_NOT_AFTER, better=Better.LOWER)


class TargetCpu(Part):
    """CPU of the target during the run: of the processes, or else by `process_cpu_seconds_total`."""

    mean_percent: float = figure("The mean, in percent of a core.", unit="%", better=Better.LOWER, ge=0)
    peak_percent: float = figure("Between two samples, at most.", unit="%", better=Better.LOWER, ge=0)


class TargetMetrics(Part):
    """The target's own metrics during the run. A merged report has none: they belong to the clock of one run."""

    memory: TargetMemory | None = figure(
        "Resident memory; null if it was not sampled.", absent=f"no sample before the run had {RSS}"
    )
    files: TargetFiles | None = figure(
        "Open files; null if they were not sampled.", absent=f"no sample before the run had {FILES}"
    )
    cpu: TargetCpu | None = figure("CPU; null if it was not sampled.", absent=f"fewer than two samples had {CPU}")
    sampled_after_s: float | None = figure(
        "How long sampling went on after the run; null if it ended with the run.", unit="s", absent=_NOT_AFTER, ge=0
    )
    sources: list[TargetSource] = figure("The samples, by source.")

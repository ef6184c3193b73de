"""The rows of the timeline, and the histograms in them as text."""

from __future__ import annotations

from collections.abc import Mapping

from sseclient_cli.report.figure import Better, Part, figure


class Row(Part):
    """A row of the timeline: one second, or more in a run of over 15 minutes."""

    t_s: int = figure("The start of the row.", unit="s", ge=0)
    open: int = figure("Streams that were open at the end of the row.", ge=0)
    events: int = figure("Events received.", ge=0)
    bytes: int = figure("Bytes received.", unit="bytes", ge=0)
    errors: int = figure("Errors.", better=Better.LOWER, ge=0)
    delivery_p50_ms: float | None = figure("The median of delivery, within 1 %.", unit="ms", better=Better.LOWER)
    delivery_p99_ms: float | None = figure(
        "The 99th percentile of delivery, within 1 %.", unit="ms", better=Better.LOWER
    )
    delivery_us: str = figure(
        "All delivery latencies, as value:count with spaces between, rounded down by at most 1 %.", unit="us"
    )
    opened: int | None = figure("Streams that opened.", better=Better.HIGHER, default=None, ge=0)
    failed: int | None = figure("Streams that could not be opened.", better=Better.LOWER, default=None, ge=0)
    reconnected: int | None = figure("Reconnections.", default=None, ge=0)
    gap_p50_ms: float | None = figure("The median of gap, within 1 %.", unit="ms", better=Better.LOWER, default=None)
    gap_p99_ms: float | None = figure(
        "The 99th percentile of gap, within 1 %.", unit="ms", better=Better.LOWER, default=None
    )
    gap_us: str = figure("All gaps, in the form of delivery_us.", unit="us", default="")
    cpu_percent: float | None = figure(
        "CPU of the load generator in percent of a core, the mean of the workers.",
        unit="%",
        better=Better.LOWER,
        default=None,
        ge=0,
    )
    cpu_ns: int = figure("CPU time of all workers.", unit="ns", default=0, ge=0)
    worker_ns: int = figure("Time that all workers spent in the row.", unit="ns", default=0, ge=0)
    read_delay_max_ms: float | None = figure(
        "The largest read delay; null without a read that has a kernel timestamp.",
        unit="ms",
        better=Better.LOWER,
        default=None,
        ge=0,
    )
    loop_lag_max_ms: float | None = figure(
        "The largest lag of the worker's timer.", unit="ms", better=Better.LOWER, default=None, ge=0
    )
    requests: int | None = figure(
        "Successful requests whose answers ended, without those of the warm-up; null for other streams.",
        better=Better.HIGHER,
        default=None,
        ge=0,
    )

    def delivery_counts(self) -> dict[int, int]:
        """Return the delivery latencies in us, with their counts."""
        return counts_in(self.delivery_us)

    def gap_counts(self) -> dict[int, int]:
        """Return the gaps in us, with their counts."""
        return counts_in(self.gap_us)


def text_of_counts(counts: Mapping[int, int]) -> str:
    """Return values with their counts as a row has them: ``value:count``, with spaces between."""
    return " ".join(f"{value}:{times}" for value, times in sorted(counts.items()))


def counts_in(text: str) -> dict[int, int]:
    """Return the values in a text of ``text_of_counts``, with their counts."""
    pairs = (pair.split(":") for pair in text.split())
    return {int(value): int(times) for value, times in pairs}

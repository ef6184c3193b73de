"""The figures of a sweep: those of its table, and the two of its curve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sseclient_cli.report.figures import Figure, figure_named
from sseclient_cli.report.model import Report
from sseclient_cli.report.sweep_model import Column, SweepStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The figures of a kind of run, the most important ones first."""

    throughput: str
    latencies: tuple[str, ...]
    """The first of these distributions that was measured is the latency of the curve; the table has it alone."""
    others: tuple[str, ...] = ()

    def figures(self) -> Iterator[Figure]:
        """Yield all figures that may become a column."""
        yield figure_named(self.throughput)
        for path in self.latencies:
            yield from map(figure_named, of_latency(path))
        yield from map(figure_named, self.others)

    def values(self, report: Report) -> dict[str, float | None]:
        """Return the figures of a run by path."""
        return {figure.path: figure.value(report) for figure in self.figures()}

    def throughput_of(self, steps: Sequence[SweepStep]) -> str | None:
        """Return the throughput of the curve; None if no step has one."""
        return self.throughput if _is_measured(self.throughput, steps) else None

    def latency_of(self, steps: Sequence[SweepStep]) -> str | None:
        """Return the latency of the curve; None if no step has one."""
        return next((path for path in self.latencies if _is_measured(of_latency(path)[0], steps)), None)

    def measured(self, steps: Sequence[SweepStep]) -> list[Column]:
        """Return the columns that a step has a value for, with one of the latencies."""
        chosen = self.latency_of(steps)
        left_out = {path for other in self.latencies if other != chosen for path in of_latency(other)}
        return [
            Column(path=each.path, name=each.name, unit=each.unit, doc=each.doc)
            for each in self.figures()
            if each.path not in left_out and _is_measured(each.path, steps)
        ]


OF_STREAMS = Columns(
    throughput="events.per_s",
    latencies=("latency.delivery", "latency.gap"),
)
"""Steps that hold their streams: they exclude the ramp-up, and with it most first events."""

OF_A_RATE = Columns(
    throughput="events.per_s",
    latencies=("latency.delivery", "latency.gap"),
    others=("latency.first_event.p50_ms", "latency.first_event.p99_ms"),
)


def of_latency(path: str) -> tuple[str, str]:
    """Return the paths of the median and the 99th percentile of a latency."""
    return f"{path}.p50_ms", f"{path}.p99_ms"


def only(columns: Iterable[Column], steps: Iterable[SweepStep]) -> list[SweepStep]:
    """Return the steps with the values of these columns."""
    paths = [column.path for column in columns]
    return [step.model_copy(update={"values": {path: step.values[path] for path in paths}}) for step in steps]


def _is_measured(path: str, steps: Iterable[SweepStep]) -> bool:
    return any(step.values[path] is not None for step in steps)

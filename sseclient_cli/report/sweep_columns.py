"""The figures of a sweep: those of its table, and the two of its curve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sseclient_cli.report.figures import Figure, figure_named
from sseclient_cli.report.model import Report
from sseclient_cli.report.step_model import Varied
from sseclient_cli.report.sweep_model import Column, SweepStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The figures of a kind of run, the most important ones first."""

    throughputs: tuple[str, ...]
    """The first of these that was measured is the throughput of the curve."""
    latencies: tuple[str, ...]
    """The first of these distributions that was measured is the latency of the curve; the others are left out."""
    others: tuple[str, ...] = ()

    def figures(self) -> Iterator[Figure]:
        """Yield all figures that may become a column."""
        latencies = (path for each in self.latencies for path in of_latency(each))
        first, *other_throughputs = self.throughputs
        return map(figure_named, (first, *latencies, *other_throughputs, *self.others))

    def values(self, report: Report) -> dict[str, float | None]:
        """Return the figures of a run by path."""
        return {figure.path: figure.value(report) for figure in self.figures()}

    def throughput_of(self, steps: Sequence[SweepStep]) -> str | None:
        """Return the throughput of the curve; None if no step has one."""
        return next((path for path in self.throughputs if _is_measured(path, steps)), None)

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


OF_STREAMS = Columns(throughputs=("events.per_s",), latencies=("latency.delivery", "latency.gap"))
"""Steps that hold their streams exclude the ramp-up, and with it most first events."""

OF_A_RATE = replace(OF_STREAMS, others=("latency.first_event.p50_ms", "latency.first_event.p99_ms"))

OF_REQUESTS = Columns(
    throughputs=("requests.per_s",),
    latencies=("requests.duration",),
    others=("requests.first_chunk.p50_ms", "requests.first_chunk.p99_ms"),
)

OF_AN_LLM = Columns(
    throughputs=("llm.tokens_per_s", "requests.per_s"),
    latencies=("llm.first_token", "requests.duration"),
    others=(
        "llm.goodput.share",
        "llm.tpot.p50_ms",
        "llm.tpot.p99_ms",
        "llm.goodput.per_s",
        "llm.token_gap.p50_ms",
        "llm.token_gap.p99_ms",
    ),
)


def columns_of(report: Report, varied: Varied) -> Columns:
    """Return the figures of the steps like this one."""
    if report.requests is not None:
        return OF_REQUESTS if report.llm is None else OF_AN_LLM
    return OF_STREAMS if varied is Varied.CONNECTIONS else OF_A_RATE


def of_latency(path: str) -> tuple[str, str]:
    """Return the paths of the median and the 99th percentile of a latency."""
    return f"{path}.p50_ms", f"{path}.p99_ms"


def only(columns: Iterable[Column], steps: Iterable[SweepStep]) -> list[SweepStep]:
    """Return the steps with the values of these columns."""
    paths = [column.path for column in columns]
    return [step.model_copy(update={"values": {path: step.values[path] for path in paths}}) for step in steps]


def _is_measured(path: str, steps: Iterable[SweepStep]) -> bool:
    return any(step.values[path] is not None for step in steps)

"""The part of a run that a comparison uses: the rows of its timeline after ramp-up and warm-up. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sseclient_cli.report.model import Report
from sseclient_cli.report.timeline_model import Row, counts_in


@dataclass(frozen=True, slots=True)
class Steady:
    """The steady rows of a run: the values of each latency that has rows, and the events."""

    latencies: Mapping[str, Sequence[Mapping[int, int]]]
    events_per_s: Sequence[float]
    rows_with_connects: int
    """Rows of the whole run in which streams were opened, also during ramp-up."""

    @classmethod
    def of(cls, report: Report) -> Steady:
        """Return the steady rows of a report."""
        rows = list(steady_rows(report))
        latencies: dict[str, Sequence[Mapping[int, int]]] = {
            "delivery": [counts for row in rows if (counts := row.delivery_counts())],
            "gap": [counts for row in rows if (counts := row.gap_counts())],
            "delay": list(_delays(report, {row.t_s for row in rows})),
        }
        connects = sum(bool((row.opened or 0) + (row.reconnected or 0)) for row in report.timeline)
        return cls(latencies, [row.events / report.run.interval_s for row in rows], connects)


def _delays(report: Report, steady_s: Collection[int]) -> Iterator[Mapping[int, int]]:
    """Yield the delays of published events in each of these rows that has some."""
    rows = [] if report.fanout is None else report.fanout.timeline
    yield from (counts for row in rows if row.t_s in steady_s and (counts := counts_in(row.delay_us)))


def steady_rows(report: Report) -> Iterator[Row]:
    """Yield the rows after ramp-up and warm-up."""
    run = report.run
    start_s, end_s = max(run.plan.ramp_up_s, run.plan.warmup_s), min(run.duration_s, run.plan.duration_s)
    for row in report.timeline:
        if row.t_s >= start_s and row.t_s + run.interval_s <= end_s:
            yield row

"""Builds the part of the report about bad clients, from the totals and from the timeline of the good streams. Pure.

The good streams before and after the moment are compared with the test of ``judging.py``. Both are parts of one run, so
no noise among runs is assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from sseclient_cli.measure.bad_clients import BadTotals
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.rounding import percentile_us
from sseclient_cli.report.bad_clients_model import BadClients, BadClientsOfKind, LatencyEffect, RateEffect
from sseclient_cli.report.comparison_model import Change, Method, Verdict
from sseclient_cli.report.distributions import Durations
from sseclient_cli.report.figures import figure_named
from sseclient_cli.report.judging import Values, by_interval, unclear
from sseclient_cli.report.model import Report
from sseclient_cli.report.resampling import Estimate, mean_of_rows, percentile_of_rows
from sseclient_cli.report.steady import steady_rows
from sseclient_cli.report.timeline_model import Row

FAMILY_ERROR = 0.05
"""The probability that noise alone makes any of the four effects better or worse."""

EFFECTS = 4

LEAST_EMPTY_ROWS = 3
"""Events have stopped if half of the rows are empty, and at least this many."""

_CONFIDENCE = 1 - FAMILY_ERROR / EFFECTS

_CLOSED_BY_CLIENT = frozenset({BadKind.ABRUPT})

Rows = Sequence[Row]


def bad_clients(report: Report, totals: dict[BadKind, BadTotals]) -> BadClients | None:
    """Return the part about the bad clients of a report; None without any."""
    plan = report.run.plan.bad_clients
    if plan is None:
        return None
    before, after = _sides(report, plan.at_s)
    dropped_after = Histogram()
    for each in totals.values():
        dropped_after.merge(each.dropped_after)
    return BadClients(
        at_s=plan.at_s,
        planned=sum(each.planned for each in totals.values()),
        turned=sum(each.turned for each in totals.values()),
        dropped=sum(each.dropped for each in totals.values()),
        held_at_end=sum(each.held for each in totals.values()),
        dropped_after=Durations.of(dropped_after),
        **{kind.value: _of_kind(kind, totals.get(kind)) for kind in BadKind},
        delivery_p50=_latency("delivery", 50, before, after, report),
        delivery_p99=_latency("delivery", 99, before, after, report),
        gap_p99=_latency("gap", 99, before, after, report),
        event_rate=_events(before, after, report),
    )


def bad_totals_of(found: BadClients | None) -> dict[BadKind, BadTotals]:
    """Return the totals that the part about bad clients holds, for a merge."""
    if found is None:
        return {}
    parts = {kind: getattr(found, kind.value) for kind in BadKind}
    return {kind: _totals(part) for kind, part in parts.items() if part is not None}


def _totals(part: BadClientsOfKind) -> BadTotals:
    return BadTotals(
        planned=part.planned,
        turned=part.turned,
        dropped=part.dropped or 0,
        held=part.held_at_end or 0,
        unknown=part.unknown_at_end or 0,
        dropped_after=Histogram() if part.dropped_after is None else part.dropped_after.histogram(),
    )


def _of_kind(kind: BadKind, totals: BadTotals | None) -> BadClientsOfKind | None:
    if totals is None:
        return None
    is_seen = kind not in _CLOSED_BY_CLIENT
    return BadClientsOfKind(
        planned=totals.planned,
        turned=totals.turned,
        dropped=totals.dropped if is_seen else None,
        held_at_end=totals.held if is_seen else None,
        unknown_at_end=totals.unknown if is_seen else None,
        dropped_after=Durations.of(totals.dropped_after),
    )


def _sides(report: Report, at_s: float) -> tuple[Rows, Rows]:
    """Return the steady rows before and after a moment, without the one that contains it."""
    rows, interval_s = list(steady_rows(report)), report.run.interval_s
    return [row for row in rows if row.t_s + interval_s <= at_s], [row for row in rows if row.t_s >= at_s]


def _latency(name: str, percentile: int, before: Rows, after: Rows, report: Report) -> LatencyEffect:
    sides = [[getattr(row, f"{name}_counts")() for row in rows] for rows in (before, after)]
    values = (_percentile_ms(sides[0], percentile), _percentile_ms(sides[1], percentile))
    estimates = [percentile_of_rows([row for row in rows if row], percentile) for rows in sides]
    judged = _judged(f"latency.{name}.p{percentile}_ms", values, (estimates[0], estimates[1]), report)
    return LatencyEffect(before_ms=values[0], after_ms=values[1], **judged)


def _events(before: Rows, after: Rows, report: Report) -> RateEffect:
    sides = [[row.events / report.run.interval_s for row in rows] for rows in (before, after)]
    values = (_mean(sides[0]), _mean(sides[1]))
    estimates = (mean_of_rows(sides[0]), mean_of_rows(sides[1]))
    judged = _judged("events.per_s", values, estimates, report)
    if _stopped(before, after):
        judged |= {"verdict": Verdict.WORSE.value, "reason": ""}
    return RateEffect(before_per_s=values[0], after_per_s=values[1], **judged)


def _stopped(before: Rows, after: Rows) -> bool:
    """Return whether the events stopped. The test of the noise cannot judge a rate of 0, which has no logarithm."""
    empty = sum(not row.events for row in after)
    return bool(before) and all(row.events for row in before) and empty >= max(LEAST_EMPTY_ROWS, len(after) / 2)


def _judged(
    path: str, values: Values, estimates: tuple[Estimate | None, Estimate | None], report: Report
) -> dict[str, Any]:
    """Return the fields of an effect, except its values."""
    change = _change(path, values, estimates, report)
    interval = change.interval
    return {
        "change": change.change,
        "noise_low": None if interval is None else interval.low,
        "noise_high": None if interval is None else interval.high,
        "verdict": change.verdict.value,
        "reason": change.reason,
    }


def _change(path: str, values: Values, estimates: tuple[Estimate | None, Estimate | None], report: Report) -> Change:
    first, second = estimates
    if None in values:
        return unclear(values, "the good streams have no such value on both sides of that moment")
    if report.generator.saturated:
        return unclear(values, "the load generator was the bottleneck")
    if first is None or second is None:
        return unclear(values, "too few seconds or values on both sides of that moment to know the noise")
    return by_interval(figure_named(path), values, (first, second), _CONFIDENCE, Method.BOOTSTRAP)


def _percentile_ms(rows: Sequence[dict[int, int]], percentile: int) -> float | None:
    counts: Counter[int] = Counter()
    for row in rows:
        counts.update(row)
    return percentile_us(counts, percentile) / 1000 if counts else None


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 1) if values else None

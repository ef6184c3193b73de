"""Compare reports: the figures side by side, and which of them differ by more than the noise. Pure.

``docs/explanation/comparison.md`` says which test each figure has, and how often it errs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sseclient_cli.report.comparison_model import Change, Comparison, Difference, Method, Verdict
from sseclient_cli.report.comparison_notes import notes_on
from sseclient_cli.report.figure import Better
from sseclient_cli.report.figures import Figure, figure_named, figures
from sseclient_cli.report.judging import by_fisher, by_interval, by_rule, noise_between_runs, unclear
from sseclient_cli.report.model import Report
from sseclient_cli.report.resampling import Estimate, mean_of_rows, percentile_of_rows, percentile_of_values, rate_of
from sseclient_cli.report.steady import Steady

FAMILY_ERROR = 0.05
"""The probability that noise alone makes any figure better or worse: Bonferroni's correction shares it out."""

_WITH_ROWS = re.compile(r"(?:latency|fanout)\.(gap|delivery|delay)\.p(50|90|99|999)_ms")

_WITHOUT_ROWS = re.compile(
    r"((?:latency\.(?:connect|tls|headers|first_event))|requests\.duration|llm\.(?:first_token|token_gap|tpot))"
    r"\.p(50|99)_ms"
)

_EVENTS_PER_S = "events.per_s"

_RATES = ("requests.per_s", "llm.tokens_per_s")
"""Rates of requests."""

_SHARES = ("requests.failed", "llm.goodput.good")
"""Shares of requests."""

_OF_STREAMS = ("latency.gap.", "latency.first_event.", "streams.", "events.")
"""The figures that runs with requests have better ones for."""

_EVENT_COUNTS = (
    *("events.error_events", "audit.lost", "audit.duplicated", "audit.out_of_order"),
    *("fanout.missed", "fanout.duplicated", "fanout.out_of_order"),
)

_CHECKED = "audit.checked"
"""The whole of the counts of the audit."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """A figure with its value in each report, and the estimates for its test."""

    figure: Figure
    values: list[float | None]
    wholes: list[float | None]
    estimates: list[Estimate | None]
    method: Method


def comparison_of(reports: Sequence[Report], names: Sequence[str] = ()) -> Comparison:
    """Compare reports with the first of them. ``names`` are shown instead of A, B, ..."""
    names = list(names) or [chr(ord("A") + place) for place in range(len(reports))]
    steady = [Steady.of(report) for report in reports]
    compared = [found for each in _figures(reports) if (found := _measured(each, reports, steady)) is not None]
    level = FAMILY_ERROR / max(sum(map(_tests, compared)), 1)
    return Comparison(
        tool=reports[0].tool,
        names=names,
        reports=list(reports),
        confidence=1 - level,
        differences=[_difference(each, reports, names, level) for each in compared],
        notes=notes_on(reports, names, steady),
    )


def worse_than(comparison: Comparison, share: float) -> Iterator[tuple[Difference, int]]:
    """Yield the figures that are worse by more than this share, beyond the noise, with the place of the report."""
    for difference in comparison.differences:
        for place, change in enumerate(difference.changes, 1):
            if change.verdict is Verdict.WORSE and (change.change is None or abs(change.change) > share):
                yield difference, place


def _figures(reports: Sequence[Report]) -> Iterator[tuple[Figure, Method]]:
    """Yield the compared figures: not each of the catalogue, because each test makes the others less sensitive."""
    have_requests = all(report.requests is not None for report in reports)
    for figure, method in _candidates():
        is_of_requests = figure.path.startswith(("requests.", "llm."))
        if is_of_requests == have_requests or not (is_of_requests or figure.path.startswith(_OF_STREAMS)):
            yield figure, method


def _candidates() -> Iterator[tuple[Figure, Method]]:
    for figure in figures():
        if figure.path == _EVENTS_PER_S or _WITH_ROWS.fullmatch(figure.path):
            yield figure, Method.BOOTSTRAP
        elif figure.path in _RATES or _WITHOUT_ROWS.fullmatch(figure.path):
            yield figure, Method.ORDER_STATISTICS
        elif figure.path in _EVENT_COUNTS:
            yield figure, Method.RULE
        elif figure.path in _SHARES or _is_share_of_streams(figure):
            yield figure, Method.FISHER


def _is_share_of_streams(figure: Figure) -> bool:
    return figure.path.startswith("streams.") and bool(figure.share_of) and figure.better == Better.LOWER


def _measured(chosen: tuple[Figure, Method], reports: Sequence[Report], steady: Sequence[Steady]) -> _Compared | None:
    """Return the figure in all reports; None if no report has it."""
    figure, method = chosen
    values = [figure.value(report) for report in reports]
    if all(value is None for value in values):
        return None
    whole = figure_named(figure.share_of or _CHECKED) if method in (Method.FISHER, Method.RULE) else None
    wholes = [None if whole is None else whole.value(report) for report in reports]
    estimates = [_estimate(figure, method, *each) for each in zip(reports, steady, strict=True)]
    return _Compared(figure, values, wholes, estimates, method)


def _estimate(figure: Figure, method: Method, report: Report, steady: Steady) -> Estimate | None:
    if figure.path == _EVENTS_PER_S:
        return mean_of_rows(steady.events_per_s)
    if figure.path in _RATES:
        return None if report.requests is None else rate_of(figure.value(report), report.requests.succeeded)
    match = _WITH_ROWS.fullmatch(figure.path) or _WITHOUT_ROWS.fullmatch(figure.path)
    if match is None:
        return None
    percentile = float(f"{match[2][:2]}.{match[2][2:] or 0}")
    if method is Method.BOOTSTRAP:
        return percentile_of_rows(steady.latencies[match[1]], percentile)
    part, name = match[1].split(".")
    latency = getattr(getattr(report, part), name, None)
    if latency is None:
        return None
    return percentile_of_values(latency.histogram().counts_us(), percentile, steady.rows_with_connects)


def _tests(compared: _Compared) -> int:
    """Return how many tests the figure needs: with each further test, one of them errs more likely."""
    if compared.method is Method.FISHER:
        return sum(value != compared.values[0] for value in compared.values[1:])
    first, *others = compared.estimates
    return 0 if first is None else sum(other is not None for other in others)


def _difference(compared: _Compared, reports: Sequence[Report], names: Sequence[str], level: float) -> Difference:
    figure = compared.figure
    return Difference(
        name=figure.name,
        path=figure.path,
        unit=figure.unit,
        better=Better(figure.better),
        values=compared.values,
        changes=[_change(compared, place, reports, names, level) for place in range(1, len(reports))],
    )


def _change(compared: _Compared, place: int, reports: Sequence[Report], names: Sequence[str], level: float) -> Change:
    figure, values = compared.figure, (compared.values[0], compared.values[place])
    wholes = (compared.wholes[0], compared.wholes[place])
    if compared.method is Method.FISHER:
        return by_fisher(figure, values, wholes, level)
    if compared.method is Method.RULE:
        return by_rule(figure, values, wholes)
    for each in (0, place):
        if compared.values[each] is None:
            return unclear(values, f"not measured in {names[each]}")
        if reports[each].generator.saturated:
            return unclear(values, f"the load generator was the bottleneck in {names[each]}")
    first, second = compared.estimates[0], compared.estimates[place]
    if first is None or second is None:
        what = "rows" if compared.method is Method.BOOTSTRAP else "seconds with new streams"
        return unclear(values, f"too few {what} or values in {names[0 if first is None else place]} to know the noise")
    noise = noise_between_runs(figure)
    return by_interval(figure, values, (first, second), 1 - level, compared.method, between_runs=noise)

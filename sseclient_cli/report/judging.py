"""Judge one figure of two reports: better, worse, the same, or unclear. Pure."""

from __future__ import annotations

from math import exp

from sseclient_cli.report.comparison_model import Change, Interval, Method, Verdict
from sseclient_cli.report.figure import Better
from sseclient_cli.report.figures import Figure
from sseclient_cli.report.quantities import format_value
from sseclient_cli.report.resampling import Estimate
from sseclient_cli.report.significance import fisher_p_value, margin_of

MIN_CHANGE = 0.05
"""A smaller change is the same: two runs on one machine differ by as much."""

MIN_CHANGE_MS = 0.1
"""The same for a latency: the scheduler of the machine adds as much."""

BETWEEN_RUNS = 0.1
"""The assumed standard deviation of a latency's logarithm among runs of one plan: one run does not show it."""

MIN_COUNT = 10
"""Fewer missing events than this say nothing by their number, only by their presence."""

_GAPS = "latency.gap."
"""The server's own intervals: they differ less among runs."""

Values = tuple[float | None, float | None]


def noise_between_runs(figure: Figure) -> float:
    """Return the assumed standard deviation of a figure's logarithm among runs of one plan."""
    return BETWEEN_RUNS if figure.unit == "ms" and not figure.path.startswith(_GAPS) else 0.0


def by_interval(
    figure: Figure,
    values: Values,
    estimates: tuple[Estimate, Estimate],
    confidence: float,
    method: Method,
    *,
    between_runs: float = 0.0,
) -> Change:
    """Judge by the confidence interval of the ratio of two estimates.

    ``between_runs`` is the assumed standard deviation of the logarithm among runs: 0 for two parts of one run.
    """
    before, after = estimates
    margin, ratio = margin_of(before, after, confidence, between_runs), after.log - before.log
    interval = Interval(low=exp(ratio - margin) - 1, high=exp(min(ratio + margin, 50)) - 1)
    change = relative(values)
    verdict = _of_interval(figure, values, interval)
    reason = f"the noise allows {signed(interval.low)} to {signed(interval.high)}" if verdict is _UNCLEAR else ""
    return Change(change=change, interval=interval, p_value=None, method=method, verdict=verdict, reason=reason)


def by_fisher(figure: Figure, values: Values, wholes: Values, level: float) -> Change:
    """Judge two shares by Fisher's exact test at a level of significance."""
    if None in values or not all(wholes):
        return unclear(values, "the share was not measured")
    part, other_part = (int(value or 0) for value in values)
    whole, other_whole = (max(int(whole or 0), count) for whole, count in zip(wholes, (part, other_part), strict=True))
    p_value = fisher_p_value(part, whole, other_part, other_whole)
    grew = other_part / other_whole - part / whole
    verdict = Verdict.SAME if not grew else directed(figure, grew) if p_value <= level else _UNCLEAR
    return Change(
        change=relative((part / whole, other_part / other_whole)),
        interval=None,
        p_value=p_value,
        method=Method.FISHER,
        verdict=verdict,
        reason=f"chance alone may explain it (p = {p_value:.2g})" if verdict is _UNCLEAR else "",
    )


def by_rule(figure: Figure, values: Values, wholes: Values) -> Change:
    """Judge a count of missing or wrong events: any where there were none, twice as many, or half as many."""
    if None in values or not all(wholes):
        return unclear(values, "the share was not measured")
    before, after = (float(value or 0) for value in values)
    shares = before / float(wholes[0] or 1), after / float(wholes[1] or 1)
    verdict, reason = _UNCLEAR, "such events come in bursts, and the share neither doubled nor halved"
    if shares[0] == shares[1]:
        verdict, reason = Verdict.SAME, ""
    elif not before:
        verdict, reason = directed(figure, after), ""
    elif max(before, after) < MIN_COUNT:
        reason = "there are too few such events to tell"
    elif shares[1] >= 2 * shares[0] or shares[0] >= 2 * shares[1]:
        verdict, reason = directed(figure, shares[1] - shares[0]), ""
    return Change(
        change=relative(shares), interval=None, p_value=None, method=Method.RULE, verdict=verdict, reason=reason
    )


def unclear(values: Values, reason: str) -> Change:
    """Return a change that cannot be judged."""
    return Change(
        change=relative(values), interval=None, p_value=None, method=None, verdict=Verdict.UNCLEAR, reason=reason
    )


def relative(values: Values) -> float | None:
    """Return the change as a share of the first value; None if there is no such share."""
    before, after = values
    if before is None or after is None or before <= 0:
        return None
    return after / before - 1


def directed(figure: Figure, change: float) -> Verdict:
    """Return whether a change is for the better or the worse."""
    return Verdict.BETTER if (change < 0) == (figure.better == Better.LOWER) else Verdict.WORSE


def signed(change: float) -> str:
    """Return a change in percent: ``+12 %``, ``-3.4 %``."""
    shown = format_value(abs(change), "ratio", 2)
    return f"{'-' if change < 0 else '+'}{shown}"


_UNCLEAR = Verdict.UNCLEAR


def _of_interval(figure: Figure, values: Values, interval: Interval) -> Verdict:
    change, before = relative(values), values[0]
    if change is None or before is None:
        return _UNCLEAR
    is_real = (interval.low > 0 and change > 0) or (interval.high < 0 and change < 0)
    if is_real and _matters(figure, before, change):
        return directed(figure, change)
    ends = (change,) if is_real else (interval.low, interval.high)
    return _UNCLEAR if any(_matters(figure, before, end) for end in ends) else Verdict.SAME


def _matters(figure: Figure, before: float, change: float) -> bool:
    return abs(change) >= MIN_CHANGE and (figure.unit != "ms" or abs(change * before) >= MIN_CHANGE_MS)

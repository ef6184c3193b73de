"""Whether two figures differ by more than chance. Pure; checked against published tables in the tests."""

from __future__ import annotations

from math import exp, lgamma, sqrt
from statistics import NormalDist

from sseclient_cli.report.resampling import Estimate


def margin_of(first: Estimate, second: Estimate, confidence: float, between_runs: float = 0.0) -> float:
    """Return the half width of the confidence interval of ``second.log - first.log`` (Welch's t interval).

    ``between_runs`` is the known standard deviation of the figure among runs.
    """
    variances = [(each.error**2, each.freedom) for each in (first, second)]
    total = sum(variance for variance, _ in variances) + 2 * between_runs**2
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in variances)
    return t_quantile((1 + confidence) / 2, freedom) * sqrt(total)


def t_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t distribution (Abramowitz and Stegun 26.7.5); 4 % low at 4 degrees."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def fisher_p_value(part: int, whole: int, other_part: int, other_whole: int) -> float:
    """Return the two-sided p-value of Fisher's exact test for two shares."""
    parts = part + other_part
    low, high = max(0, parts - other_whole), min(parts, whole)

    def log_chance(count: int) -> float:
        return _log_choose(whole, count) + _log_choose(other_whole, parts - count)

    observed = log_chance(part)
    scale = _log_choose(whole + other_whole, parts)
    # As likely counts differ in the last digits.
    chances = (chance for chance in map(log_chance, range(low, high + 1)) if chance <= observed + 1e-7)
    return min(sum(exp(chance - scale) for chance in chances), 1.0)


def _log_choose(whole: int, part: int) -> float:
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)

"""Assertions on the figures of a report: ``delivery.p99 < 50ms``, ``audit.lost == 0``, ``streams.failed < 1%``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from sseclient_cli.errors import UsageError
from sseclient_cli.report.assertion_model import AssertionStatus, Outcome
from sseclient_cli.report.figure import Better
from sseclient_cli.report.figures import Figure, figure_named
from sseclient_cli.report.model import Report
from sseclient_cli.report.quantities import format_value, parse_quantity

_COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<=": operator.le,
        ">=": operator.ge,
        "<": operator.lt,
        ">": operator.gt,
    }
)

_FORM = re.compile(r"\s*([A-Za-z_][\w.]*)\s*([^\w\s.+-]+)\s*(\S.*?)\s*", re.DOTALL)

_LATENCIES = "latency."

_OF_REQUESTS = ("requests.", "llm.")


@dataclass(frozen=True, slots=True)
class Assertion:
    """A condition on one figure."""

    expression: str
    figure: Figure
    operator: str
    limit: float
    unit: str
    """The unit of ``limit`` and of the observed value: that of the figure, or ``RATIO`` for a share of its whole."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an assertion. Raises UsageError that shows near names, or how to write it."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{text!r} is not an assertion: write it like 'delivery.p99 < 50ms', 'audit.lost == 0' or "
                "'streams.failed < 1%'"
            )
        name, sign, value = match.groups()
        figure = figure_named(name)
        if sign not in _COMPARE:
            raise UsageError(f"{sign!r} in {text!r} is not a comparison: use one of {', '.join(_COMPARE)}")
        limit = parse_quantity(value, figure)
        return cls(" ".join(text.split()), figure, sign, limit.value, limit.unit)

    @property
    def is_share(self) -> bool:
        """Whether the limit is a share of the figure's whole, as in ``streams.failed < 1%``."""
        return self.unit != self.figure.unit

    @property
    def bounds_the_worse_side(self) -> bool:
        """Whether the condition fails once the figure is bad enough: an upper limit if lower is better."""
        signs = {Better.LOWER: ("<", "<=", "=="), Better.HIGHER: (">", ">=", "==")}
        return bool(self.figure.better) and self.operator in signs[Better(self.figure.better)]

    def observed(self, report: Report) -> float | None:
        """Return the value to compare with the limit; None if it was not measured."""
        value = self.figure.value(report)
        if value is None or not self.is_share:
            return value
        whole = self._whole().value(report)
        return value / whole if whole else None

    def holds(self, observed: float) -> bool:
        """Return whether a value meets the condition."""
        return _COMPARE[self.operator](observed, self.limit)

    def absence(self, report: Report) -> str:
        """Return why there is no value to compare."""
        if self.figure.value(report) is None:
            return self.figure.absence(report)
        return self._whole().absence(report) or f"{self.figure.share_of} is 0"

    def _whole(self) -> Figure:
        return figure_named(self.figure.share_of)


def judged(report: Report, assertions: Iterable[Assertion], *, allow_saturated: bool = False) -> list[Outcome]:
    """Return the outcome of each assertion.

    A latency of a saturated load generator is not trustworthy, unless ``allow_saturated``: the assertion then fails.
    """
    return [_judged(report, assertion, allow_saturated=allow_saturated) for assertion in assertions]


def _judged(report: Report, assertion: Assertion, *, allow_saturated: bool) -> Outcome:
    observed = assertion.observed(report)
    status, reasons = AssertionStatus.PASSED, list(_limits_of(report))
    if observed is None:
        status = AssertionStatus.NOT_MEASURED
        reasons.insert(0, f"not measured because {assertion.absence(report)}")
    elif _depends_on_generator(assertion.figure) and report.generator.saturated and not allow_saturated:
        status = AssertionStatus.NOT_TRUSTWORTHY
        reasons.insert(0, "not trustworthy because the load generator was the bottleneck")
    elif not assertion.holds(observed):
        status = AssertionStatus.FAILED
    return Outcome(
        expression=assertion.expression,
        path=assertion.figure.path,
        unit=assertion.unit,
        limit=assertion.limit,
        observed=observed,
        status=status,
        passed=status is AssertionStatus.PASSED,
        reason="; ".join(reasons),
    )


def _depends_on_generator(figure: Figure) -> bool:
    """Return whether a saturated load generator can falsify a figure."""
    is_time = figure.unit in ("ms", "1/s") or figure.path.startswith("llm.goodput.")
    return figure.path.startswith(_LATENCIES) or (figure.path.startswith(_OF_REQUESTS) and is_time)


def _limits_of(report: Report) -> Iterator[str]:
    """Yield the parts of the run that its figures do not cover."""
    run, streams = report.run, report.streams
    if run.interrupted or run.aborted_by:
        ended = "was interrupted" if run.interrupted else "ended early,"
        yield f"the run {ended} after {format_value(run.duration_s, 's')} of {format_value(run.plan.duration_s, 's')}"
    if run.incomplete:
        yield f"{run.workers_lost:,} of {run.workers:,} workers were lost, with {streams.lost:,} streams"

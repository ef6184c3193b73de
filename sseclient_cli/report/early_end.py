"""Decides during a run whether an assertion can no longer pass, from the totals so far.

Counts only grow, so one that is above its limit stays there: this is certain. A latency over the whole run could still
recover, so it must fail for ``FAILING_S`` in a row. All other figures are known only at the end of the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.samples import Latency as Kind
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report import model
from sseclient_cli.report.assertions import Assertion
from sseclient_cli.report.counters import counters_of
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.model import Report
from sseclient_cli.report.streams_model import Events, Streams
from sseclient_cli.units import NS_PER_S

FAILING_S = 5
"""A latency that has failed for this time ends the run. It could recover, but the time so far weighs against it."""

LEAST_VALUES = 100
"""With fewer values, a latency ends no run: a p99 is then the largest value."""

_UPPER_LIMITS = frozenset({"<", "<=", "=="})
"""The comparisons that a growing count cannot meet again once it is too large."""

_PLANNED = "streams.planned"
"""The only whole that is constant during a run."""


class EarlyEnd:
    """Judges the assertions about once per second. Raises UsageError if none of them can be decided during a run."""

    def __init__(self, assertions: Iterable[Assertion], *, allow_saturated: bool) -> None:
        every = list(assertions)
        self._counts = [each for each in every if _is_count(each)]
        self._latencies = [each for each in every if _kind_of(each)]
        self._allow_saturated = allow_saturated
        self._failing_since_ns: dict[Assertion, int] = {}
        if not self._counts and not self._latencies:
            words = " and ".join(repr(each.expression) for each in every)
            raise UsageError(
                f"{words} can be judged only at the end of a run: assert a latency or a count below a limit"
            )

    def __call__(self, totals: Totals) -> str:
        """Return the expression of an assertion that ends the run; empty if it goes on."""
        so_far = self._report(totals)
        for each in self._counts:
            observed = each.observed(so_far)
            if observed is not None and observed >= each.limit and not each.holds(observed):
                return each.expression
        is_judged = self._allow_saturated or not so_far.generator.saturated
        for each in self._latencies:
            if not (is_judged and self._fails(each, so_far)):
                self._failing_since_ns.pop(each, None)
            elif (
                totals.duration_ns - self._failing_since_ns.setdefault(each, totals.duration_ns) >= FAILING_S * NS_PER_S
            ):
                return each.expression
        return ""

    def _fails(self, assertion: Assertion, so_far: Report) -> bool:
        latency = getattr(so_far.latency, assertion.figure.path.split(".")[1])
        observed = assertion.observed(so_far)
        return observed is not None and latency.count >= LEAST_VALUES and not assertion.holds(observed)

    def _report(self, totals: Totals) -> Report:
        """Return a report with only the figures that are judged: a whole one takes 40 ms."""
        kinds = {kind for each in self._latencies if (kind := _kind_of(each))}
        latencies: dict[str, Any] = {kind.value: Latency.of(totals.latencies[kind], "user") for kind in kinds}
        return Report.model_construct(
            streams=Streams.model_construct(**counters_of(Streams, totals)),
            events=Events.model_construct(**counters_of(Events, totals), received=totals.events),
            latency=model.Latencies.model_construct(**latencies),
            generator=model.Generator.model_construct(saturated=bool(kinds) and bool(saturation_reasons(totals))),
        )


def _is_count(assertion: Assertion) -> bool:
    """Return whether a count that only grows has an upper limit, as itself or as a share of the planned streams."""
    counts = {f"streams.{name}" for name in counters_of(Streams, Totals())}
    counts |= {f"events.{name}" for name in counters_of(Events, Totals())} | {"events.received"}
    is_constant_whole = not assertion.is_share or assertion.figure.share_of == _PLANNED
    return assertion.figure.path in counts and assertion.operator in _UPPER_LIMITS and is_constant_whole


def _kind_of(assertion: Assertion) -> Kind | None:
    """Return the latency that the assertion is about; None if it is no latency, or one that only the end shows."""
    part, *names = assertion.figure.path.split(".")
    return {kind.value: kind for kind in Kind}.get(names[0]) if part == "latency" else None

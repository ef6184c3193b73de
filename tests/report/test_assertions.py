"""Assertions: how they are written, and their outcome for a report."""

import socket

import pytest
from report_json import built, json_of

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.saturation import MAX_CPU_PERCENT
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.assertion_model import AssertionStatus, Outcome
from sseclient_cli.report.assertions import Assertion, judged
from sseclient_cli.report.model import Report
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


def _report(totals: Totals) -> Report:
    resolved = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    return built(Plan(connections=1, duration_s=10, ramp_up_s=0), (resolved,), totals)


def _delivered(*, saturated: bool = False) -> Totals:
    """Return totals with deliveries of 1 to 100 ms."""
    totals = Totals(planned=1, opened=1, cpu_percent=[MAX_CPU_PERCENT + 5 if saturated else 5.0])
    totals.latencies[Latency.DELIVERY].record(dict.fromkeys(range(1000, 101_000, 1000), 1))
    return totals


def _outcome(text: str, totals: Totals, *, allow_saturated: bool = False) -> Outcome:
    [outcome] = judged(_report(totals), [Assertion.parse(text)], allow_saturated=allow_saturated)
    return outcome


@pytest.mark.parametrize("text", ["failed<1%", " streams.failed  <  1 % ", "streams.failed <1%"])
def test_spaces_do_not_matter(text: str) -> None:
    assertion = Assertion.parse(text)
    assert (assertion.figure.path, assertion.operator, assertion.limit) == ("streams.failed", "<", 0.01)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("delivry.p99 < 50ms", "near names are delivery.p99"),
        ("lost == 0", "streams.lost or audit.lost"),
        ("streams.failed = 0", "'=' in 'streams.failed = 0' is not a comparison: use one of ==, !=, <=, >=, <, >"),
        ("streams.failed => 0", "is not a comparison"),
        ("streams.failed", "write it like 'delivery.p99 < 50ms'"),
        ("streams.failed <", "write it like 'delivery.p99 < 50ms'"),
        ("< 5", "write it like 'delivery.p99 < 50ms'"),
        ("", "write it like 'delivery.p99 < 50ms'"),
        ("delivery.p99 < soon", "write it like 50ms"),
        ("delivery.p99 < 5kB", "a time in ms"),
        ("audit.lost < 1%", "a count"),
    ],
)
def test_wrong_assertion_shows_how_to_write_it(text: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        Assertion.parse(text)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("sign", "limits"),
    [
        ("==", {9: False, 10: True, 11: False}),
        ("!=", {9: True, 10: False, 11: True}),
        ("<", {9: False, 10: False, 11: True}),
        ("<=", {9: False, 10: True, 11: True}),
        (">", {9: True, 10: False, 11: False}),
        (">=", {9: True, 10: True, 11: False}),
    ],
)
def test_observed_value_is_compared_with_the_limit(sign: str, limits: dict[int, bool]) -> None:
    for limit, holds in limits.items():
        outcome = _outcome(f"events.received {sign} {limit}", Totals(planned=1, events=10))
        assert outcome.passed == holds
        assert outcome.status is (AssertionStatus.PASSED if holds else AssertionStatus.FAILED)
        assert (outcome.observed, outcome.limit, outcome.reason) == (10, limit, "")


def test_any_percentile_can_be_asserted() -> None:
    outcome = _outcome("delivery.p75 < 76ms", _delivered())
    assert outcome.passed
    assert outcome.observed == pytest.approx(75, rel=0.002)
    assert outcome.unit == "ms"


def test_percentage_is_compared_with_the_share_of_the_whole() -> None:
    totals = Totals(planned=1000, opened=990, failed=10)
    assert _outcome("streams.failed <= 1%", totals).passed
    outcome = _outcome("streams.failed < 1%", totals)
    assert not outcome.passed
    assert (outcome.observed, outcome.limit, outcome.unit) == (0.01, 0.01, "ratio")
    assert _outcome("streams.failed < 11", totals).passed


def test_share_of_nothing_is_not_measured() -> None:
    outcome = _outcome("streams.without_event < 1%", Totals(planned=5, failed=5))
    assert (outcome.status, outcome.observed) == (AssertionStatus.NOT_MEASURED, None)
    assert outcome.reason == "not measured because streams.opened is 0"


@pytest.mark.parametrize(
    ("text", "why"),
    [("delivery.p99 < 50ms", "no event has a timestamp"), ("audit.lost == 0", "no sequence number was found")],
)
def test_absent_figure_fails_with_the_reason(text: str, why: str) -> None:
    outcome = _outcome(text, Totals(planned=1, opened=1, events=1))
    assert not outcome.passed
    assert outcome.observed is None
    assert outcome.reason.startswith(f"not measured because {why}")


@pytest.mark.parametrize(("opened", "why"), [(0, "no stream opened"), (1, "no event arrived")])
def test_reason_names_the_first_thing_that_is_missing(opened: int, why: str) -> None:
    for text in ("delivery.p99 < 50ms", "audit.lost == 0", "first_event.p50 < 1s"):
        assert _outcome(text, Totals(planned=1, opened=opened)).reason == f"not measured because {why}"


@pytest.mark.parametrize(
    ("text", "is_bound"),
    [
        ("delivery.p99 < 100ms", True),
        ("audit.lost == 0", True),
        ("events.per_s >= 100/s", True),
        ("delivery.p99 > 5ms", False),
        ("streams.opened < 10", False),
        ("plan.connections < 50", False),
    ],
)
def test_bound_of_the_worse_side(text: str, is_bound: bool) -> None:
    assert Assertion.parse(text).bounds_the_worse_side == is_bound


def test_latency_of_a_saturated_run_is_not_trustworthy() -> None:
    outcome = _outcome("delivery.p99 < 1s", _delivered(saturated=True))
    assert (outcome.passed, outcome.status) == (False, AssertionStatus.NOT_TRUSTWORTHY)
    assert outcome.observed == pytest.approx(99, rel=0.002)
    assert "the load generator was the bottleneck" in outcome.reason


def test_latency_of_a_saturated_run_is_judged_if_allowed() -> None:
    assert _outcome("delivery.p99 < 1s", _delivered(saturated=True), allow_saturated=True).passed
    failed = _outcome("delivery.p99 < 50ms", _delivered(saturated=True), allow_saturated=True)
    assert failed.status is AssertionStatus.FAILED


def test_count_of_a_saturated_run_is_judged() -> None:
    assert _outcome("streams.failed == 0", _delivered(saturated=True)).passed


def test_partial_run_is_said_with_the_outcome() -> None:
    outcome = _outcome("streams.failed == 0", Totals(planned=1, interrupted=True, duration_ns=2_500_000_000))
    assert outcome.reason == "the run was interrupted after 2.5 s of 10 s"
    lost = Totals(planned=4, lost=2, workers_lost=1, cpu_percent=[None, 5.0])
    assert _outcome("streams.failed == 0", lost).reason == "1 of 2 workers were lost, with 2 streams"


def test_outcome_survives_the_json_report() -> None:
    report = _report(_delivered())
    outcomes = judged(report, [Assertion.parse("delivery.p99 < 50ms")])
    saved = json_of(report.model_copy(update={"assertions": outcomes}))
    assert Report.model_validate(saved).assertions == outcomes
    assert saved["assertions"][0]["status"] == "failed"


def test_negative_percentile_says_why_it_is_absent() -> None:
    totals = Totals(planned=1)
    totals.latencies[Latency.DELIVERY].record({-5000: 10})
    for name in ("delivery.p99", "delivery.p75"):
        assert _outcome(f"{name} < 5ms", totals).reason == "not measured because its value is below zero"

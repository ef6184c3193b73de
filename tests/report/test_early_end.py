"""When an assertion ends a run early: certain for counts, after some time for latencies."""

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.saturation import MAX_CPU_PERCENT
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.assertions import Assertion
from sseclient_cli.report.early_end import FAILING_S, LEAST_VALUES, EarlyEnd


def _early_end(*texts: str, allow_saturated: bool = False) -> EarlyEnd:
    return EarlyEnd([Assertion.parse(text) for text in texts], allow_saturated=allow_saturated)


def _at(second: float, *, slow_ms: int = 100, count: int = LEAST_VALUES, cpu_percent: float = 5.0) -> Totals:
    totals = Totals(planned=10, duration_ns=round(second * 1e9), cpu_percent=[cpu_percent])
    if count:
        totals.latencies[Latency.DELIVERY].record({1000 * slow_ms: count})
    return totals


@pytest.mark.parametrize(
    ("text", "ends_at"),
    [
        ("streams.failed < 3", 3),
        ("streams.failed <= 3", 4),
        ("streams.failed == 3", 4),
        ("streams.failed == 0", 1),
        ("streams.failed < 30%", 3),
        ("streams.failed <= 30%", 4),
    ],
)
def test_count_ends_the_run_when_it_cannot_pass_again(text: str, ends_at: int) -> None:
    early_end = _early_end(text)
    for failed in range(6):
        expected = text if failed >= ends_at else ""
        assert early_end(Totals(planned=10, failed=failed)) == expected


def test_events_have_a_limit_too() -> None:
    early_end = _early_end("events.received < 100")
    assert not early_end(Totals(events=99))
    assert early_end(Totals(events=100))


def test_latency_ends_the_run_after_failing_for_some_time() -> None:
    early_end = _early_end("delivery.p99 < 50ms")
    for second in range(1, FAILING_S + 1):
        assert not early_end(_at(second))
    assert early_end(_at(FAILING_S + 1)) == "delivery.p99 < 50ms"


def test_latency_that_recovers_begins_again() -> None:
    early_end = _early_end("delivery.p99 < 50ms")
    for second in range(1, FAILING_S + 1):
        early_end(_at(second))
    assert not early_end(_at(FAILING_S + 1, slow_ms=10))
    for second in range(FAILING_S + 2, 2 * FAILING_S + 2):
        assert not early_end(_at(second))
    assert early_end(_at(2 * FAILING_S + 2))


@pytest.mark.parametrize("count", [0, LEAST_VALUES - 1])
def test_few_values_end_no_run(count: int) -> None:
    early_end = _early_end("delivery.p99 < 50ms")
    for second in range(3 * FAILING_S):
        assert not early_end(_at(second, count=count))


def test_latency_of_a_saturated_run_ends_it_only_if_allowed() -> None:
    for is_allowed in (False, True):
        early_end = _early_end("delivery.p99 < 50ms", allow_saturated=is_allowed)
        ended = [early_end(_at(second, cpu_percent=MAX_CPU_PERCENT + 5)) for second in range(3 * FAILING_S)]
        assert any(ended) == is_allowed


@pytest.mark.parametrize(
    "text",
    [
        "audit.lost == 0",
        "events.received > 100",
        "streams.without_event < 1%",
        "open_gap.max < 1s",
        "events.per_s > 5",
    ],
)
def test_figure_that_only_the_end_shows_is_a_usage_error_if_alone(text: str) -> None:
    with pytest.raises(UsageError, match="can be judged only at the end of a run"):
        _early_end(text)
    assert not _early_end(text, "streams.failed == 0")(Totals(planned=10, opened=3))

"""The search for the largest load that passes, against servers with a known limit."""

import random
from itertools import count

import pytest

from sseclient_cli.report.limit_model import LimitStep
from sseclient_cli.report.limit_search import PRECISION, bracket, next_load
from sseclient_cli.report.step_model import StepStatus, Varied


def _step(load: float, *, passed: bool) -> LimitStep:
    return LimitStep(
        load=load,
        status=StepStatus.PASSED if passed else StepStatus.FAILED,
        reason="",
        assertions=[],
        opened=1,
        failed=0,
        events_per_s=None,
        p50_ms=None,
        p99_ms=1.0,
        cpu_percent=None,
    )


def _searched(limit: float, start: float, varied: Varied = Varied.CONNECTIONS) -> list[LimitStep]:
    steps: list[LimitStep] = []
    for _ in range(100):
        load = next_load(steps, start, varied)
        if load is None:
            return steps
        steps.append(_step(load, passed=load <= limit))
    raise AssertionError("the search does not end")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 99, 100, 101, 1_000, 12_345, 10**6])
@pytest.mark.parametrize("start", [1, 100, 5_000])
def test_limit_lies_between_last_passing_and_first_failing_load(limit: int, start: int) -> None:
    found = bracket(_searched(limit, start))
    assert found.passed is not None
    assert found.failed is not None
    assert found.passed <= limit < found.failed
    assert found.failed <= max(PRECISION * found.passed, found.passed + 1)


def test_rate_may_be_a_fraction() -> None:
    found = bracket(_searched(0.3, 10, Varied.RATE))
    assert found.passed is not None
    assert found.failed is not None
    assert found.passed <= 0.3 < found.failed <= 1.11 * found.passed


def test_no_load_passes() -> None:
    steps = _searched(0, 8)
    assert bracket(steps).passed is None
    assert {step.load for step in steps} == {8, 4, 2, 1}


def test_failed_step_is_repeated_once() -> None:
    steps = [_step(100, passed=True), _step(200, passed=False)]
    assert next_load(steps, 100, Varied.CONNECTIONS) == 200
    assert next_load([*steps, _step(200, passed=True)], 100, Varied.CONNECTIONS) == 400
    assert next_load([*steps, _step(200, passed=False)], 100, Varied.CONNECTIONS) == 141


def test_search_ends_even_if_steps_pass_at_random() -> None:
    for seed in range(50):
        chance, steps = random.Random(seed), list[LimitStep]()
        for turn in count():
            load = next_load(steps, 100, Varied.CONNECTIONS)
            if load is None or load > 10**6:
                break
            steps.append(_step(load, passed=chance.random() < 0.6))
            assert turn < 200

"""Tests of the clocks of a run."""

import time

import pytest

from sseclient_cli.engine import clock as clock_module
from sseclient_cli.engine.clock import MAX_STEPS, RunClock


def test_setting_the_wall_clock_forward_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = RunClock()
    clock.ends_ns = time.monotonic_ns() + 10**12
    clock.synchronize()
    assert time.time_ns() < clock.ends_wall_ns
    later_ns = time.time_ns() + 3600 * 10**9
    monkeypatch.setattr(clock_module, "time_ns", lambda: later_ns)
    assert later_ns > clock.ends_wall_ns
    assert not clock.is_over()
    assert later_ns < clock.ends_wall_ns
    (step_ns,) = clock.steps.values()
    assert step_ns == pytest.approx(3600 * 10**9, rel=0.01)


def test_number_of_recorded_clock_steps_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = RunClock()
    for number in range(MAX_STEPS + 10):
        monkeypatch.setattr(clock_module, "time_ns", lambda at_ns=number * 3600 * 10**9: at_ns)
        clock.synchronize()
    assert len(clock.steps) == MAX_STEPS


def test_a_correction_changes_no_step_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = RunClock(), RunClock(correction_ns=250_000_000)
    for clock in clocks:
        clock.ends_ns = time.monotonic_ns() + 10**12
        clock.synchronize()
    first, corrected = clocks
    assert corrected.offset_ns == pytest.approx(first.offset_ns, abs=100_000)
    monkeypatch.setattr(clock_module, "time_ns", lambda: time.time_ns() - 10**9)
    corrected.notice_step()
    assert list(corrected.steps.values()) == [pytest.approx(-(10**9), abs=10**8)]
    assert corrected.trusted_since_wall_ns == 0

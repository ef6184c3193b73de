"""The start of `sse` against its bars."""

from __future__ import annotations

import sys

import pytest

if sys.platform != "linux":
    pytest.skip("the yardstick needs epoll", allow_module_level=True)

from benchmarks.measuring import Outcome
from benchmarks.start_up import COMMANDS, measure_commands, start_up_lines


def test_each_command_has_its_time() -> None:
    measured = measure_commands(0)
    assert set(measured) == set(COMMANDS)
    assert all(each["cpu_s"] > 0 and each["took_s"] > 0 for each in measured.values())


def test_a_bar_is_judged_by_the_median_of_the_rounds() -> None:
    def times(took_s: float) -> dict[str, dict[str, float]]:
        return {command: {"took_s": took_s, "cpu_s": 0.1} for command in COMMANDS}

    rounds = {
        "curl -N": [Outcome({"first_event_s": 0.02}), Outcome({}, "it failed")],
        "sse watch": [Outcome({"first_event_s": 0.5})],
    }
    text = "\n".join(start_up_lines([times(0.1), times(0.14), times(9.0)], rounds))
    assert "| sse --help | 0.140 s | 0.100 s | 0.15 s: holds |" in text
    assert "| sse watch, first event later than curl -N | 0.480 s | | 0.35 s: does not hold |" in text

"""The comparison of load generators for LLMs: its figures come from a real tool and the log of a real server."""

from __future__ import annotations

import statistics
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("processes are measured with /proc", allow_module_level=True)

from benchmarks.llm_measuring import measure
from benchmarks.llm_tables import Form, markdown
from benchmarks.llm_task import Load
from benchmarks.llm_tools import NAMES, Tool, tools
from benchmarks.llm_truth import interpolated
from benchmarks.measuring import Figures, Outcome
from benchmarks.push_measuring import Cores

ANYWHERE = Cores(None, None)
SHORT = Load(2, 4, "ttft=0.05&rate=100&tokens=8")


def test_our_figures_and_those_of_the_server_are_of_the_same_requests() -> None:
    outcome = measure(next(tools()), SHORT, ANYWHERE)
    figures = outcome.figures
    assert figures["requests"] == figures["true_requests"] == 4, outcome.note
    assert figures["true_failed"] == 0
    for name in NAMES:
        assert figures[f"{name}_p50_ms"] == pytest.approx(figures[f"true_{name}_p50_ms"], rel=0.5)
    assert figures["cpu_us_per_token"] > 0
    assert figures["command_cpu_s"] > 0
    assert figures["command_wall_s"] > figures["requests_wall_s"] > 0.1


def failing(command: list[str]) -> Tool:
    def claims(_: object) -> Figures:
        raise AssertionError("it has no report")

    return Tool("failing", lambda _: command, claims, {})


@pytest.mark.parametrize(
    ("command", "note"),
    [
        ([sys.executable, "-c", "raise SystemExit('no tokenizer')"], "not measured: it ended with 1: no tokenizer"),
        (["/none/of/these"], "not measured: [Errno 2] No such file or directory: '/none/of/these'"),
    ],
)
def test_a_tool_that_fails_has_its_reason_instead_of_figures(command: list[str], note: str) -> None:
    assert measure(failing(command), SHORT, ANYWHERE) == Outcome({}, note)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_quantiles_are_interpolated_as_in_the_standard_library(share: float) -> None:
    values = [1.0, 2.0, 4.0, 8.0, 16.0]
    expected = statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
    assert interpolated(values, share) == pytest.approx(expected)


def test_the_table_shows_the_median_error_of_each_figure_and_a_dash_for_a_missing_one() -> None:
    rounds = [
        Outcome({"first_token_p50_ms": 300.0 + error, "true_first_token_p50_ms": 300.0, "cpu_us_per_token": 20.0})
        for error in (0.5, 1.5, 9.5)
    ]
    absent = [Outcome({}, "not installed")]
    text = markdown(
        [failing([])], {Load(50, 300): {"one": rounds, "two": absent}}, {Form("role early", ""): {"one": rounds}}, {}
    )
    assert "## 50 at a time" in text
    assert "| one | 301.50 (+1.50) | – | – | – | – | – |" in text
    assert "| one | 20 us (spread 0% of 3) | – | – | – | – | – |" in text
    assert "- two: not installed" in text
    assert "| one | 302 / – / – |" in text

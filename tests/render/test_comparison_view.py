"""A comparison on a terminal."""

from io import StringIO

import pytest
from comparisons import changed, run_of
from golden import Golden
from rich.console import Console

from sseclient_cli.render.terminal.comparison import comparison_view, letter
from sseclient_cli.report.comparison import comparison_of
from sseclient_cli.report.comparison_model import Comparison


def _text(comparison: Comparison, width: int = 80) -> str:
    console = Console(width=width, file=StringIO(), highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(comparison_view(comparison))
    return captured.get()


def _comparison() -> Comparison:
    after = changed(run_of(2, slower=1.9, silent=9), run={"interrupted": True})
    return comparison_of([run_of(1), after], ["before.json", "results/of/a/branch/with/a/long/name/after.json"])


@pytest.mark.parametrize("width", [60, 80, 120])
def test_comparison_at_a_width(golden: Golden, width: int) -> None:
    text = _text(_comparison(), width)
    golden(f"comparison_{width}", text)
    assert max(map(len, text.splitlines())) <= width


def test_three_reports_have_two_tables() -> None:
    text = _text(comparison_of([run_of(1), run_of(2), run_of(3)]))
    assert "B against A: 0 worse" in text
    assert "C against A: 0 worse" in text


def test_names_and_urls_are_escaped() -> None:
    target = run_of(1).run.target.model_copy(update={"url": "http://h/\x1b[31m"}).model_dump(mode="json")
    text = _text(comparison_of([run_of(1), changed(run_of(2), run={"target": target})], ["a", "b\x1b[2J\n"]))
    assert "\x1b" not in text
    assert "[2J" in text


def test_reports_after_the_alphabet_have_numbers() -> None:
    assert [letter(place) for place in (0, 25, 26)] == ["A", "Z", "#27"]

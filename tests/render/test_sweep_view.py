"""The result of a sweep on a terminal."""

from io import StringIO
from typing import Any

import pytest
from golden import Golden
from rich.console import Console
from sweeps import sweep, sweep_step

from sseclient_cli.render.sweep_words import phrase, title, value_text
from sseclient_cli.render.terminal.sweep_view import progress_line, sweep_summary
from sseclient_cli.report.step_model import Varied
from sseclient_cli.report.sweep_model import Column, Sweep


def _text(found: Sweep, width: int = 80) -> str:
    console = Console(width=width, file=StringIO(), highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(sweep_summary(found))
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_curve_at_a_width(golden: Golden, width: int) -> None:
    text = _text(sweep("delivery.p99 < 100ms: 480 ms\x1b[31m", url="http://h/x\x1b[31m"), width)
    golden(f"sweep_{width}", text)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


def test_a_file_of_others_does_not_reach_the_terminal_unescaped() -> None:
    hostile = Column(path="a", name="a\x1b[31m.b", unit="\x1b[2J", doc="\x1b[2J")
    found = sweep()
    steps = [step.model_copy(update={"values": {"a": 1.0} if step.load > 1 else {}}) for step in found.steps]
    changes = {"columns": [hostile], "steps": steps, "expressions": ["\x1b[31m"]}
    text = _text(found.model_copy(update=changes))
    assert "\\x1b[31m" in text
    assert "\x1b" not in text


def test_columns_without_room_are_named() -> None:
    text = _text(sweep(), 45)
    assert "not shown at this width: delivery p50 ms, delivery p99 ms" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 45


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loads": [1, 8, 64, 512, 4096, 512, 9000], "interrupted": True, "reason": "interrupted"},
         "Not run: 9,000 streams (interrupted)."),
        ({"varied": Varied.RATE}, "new streams/s"),
        ({"arrivals": "poisson", "seed": 0}, "Poisson arrivals, --seed 0"),
        ({"expressions": []}, "10 s each\nKnee: above 64 streams"),
    ],
)  # fmt: skip
def test_what_is_special_is_said(changes: dict[str, Any], words: str) -> None:
    assert words in "\n".join(line.rstrip() for line in _text(sweep(**changes), 200).splitlines())


def test_each_step_has_a_line_with_the_figures_of_the_curve() -> None:
    found = sweep()
    line = progress_line(found.steps[3], found).plain
    assert line == "512 streams: failed, 1,250 events/s, delivery p99 480 ms (delivery.p99 < 100ms: 480 ms)"
    assert progress_line(found.steps[4], found).plain.startswith(
        "4,096 streams: saturated, 1,100 events/s, delivery p99 -"
    )


def test_a_sweep_without_events_has_loads_only() -> None:
    found = sweep(steps=[sweep_step(1, None, None)], knee=None)
    assert found.columns == []
    assert "passed" in _text(found, 60)


@pytest.mark.parametrize(
    ("name", "unit", "value", "expected"),
    [
        ("events.per_s", "1/s", 0.25, ("events/s", "0.25", "0.25 events/s")),
        ("llm.tokens_per_s", "1/s", 1234.5, ("tokens/s", "1,234", "1,234 tokens/s")),
        ("first_token.p50", "ms", 12.0, ("first token p50 ms", "12.0", "first token p50 12.0 ms")),
        ("goodput.share", "ratio", 0.5, ("goodput", "50 %", "goodput 50 %")),
        ("streams.opened", "", 12_000, ("streams opened", "12,000", "streams opened 12,000")),
        ("first_token.p50", "ms", None, ("first token p50 ms", "-", "first token p50 -")),
    ],
)
def test_titles_and_values(name: str, unit: str, value: float | None, expected: tuple[str, str, str]) -> None:
    column = Column(path=name, name=name, unit=unit, doc="")
    assert (title(column), value_text(value, column), phrase(value, column)) == expected

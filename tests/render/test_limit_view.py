"""The result of a limit search on a terminal."""

from io import StringIO
from typing import Any

import pytest
from golden import Golden
from limit_searches import limit_search
from rich.console import Console

from sseclient_cli.render.terminal.limit_view import limit_summary
from sseclient_cli.report.limit_model import LimitSearch, StoppedBy
from sseclient_cli.report.step_model import Varied


def _text(search: LimitSearch, width: int = 80) -> str:
    console = Console(width=width, file=StringIO(), highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(limit_summary(search))
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_cut_if_the_latency_has_a_longer_name(width: int) -> None:
    text = _text(limit_search(latency="first_token", cpu_percent=12.3), width)
    assert "first token p50  p99 ms" in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 120])
def test_curve_at_a_width(golden: Golden, width: int) -> None:
    text = _text(limit_search(url="http://h/x\x1b[31m", cpu_percent=12.3), width)
    golden(f"limit_{width}", text)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"limit": None}, "No load passed: delivery.p99 < 100ms: 480 ms."),
        ({"stopped_by": StoppedBy.SATURATION}, "Limit: at least 2,000 streams; the load generator is the bottleneck"),
        ({"stopped_by": StoppedBy.INTERRUPT}, "at least 2,000 streams; the search was interrupted"),
        ({"stopped_by": StoppedBy.RESOURCE_LIMIT}, "at least 2,000 streams; this machine cannot open more"),
        ({"varied": Varied.RATE, "limit": 0.35}, "Limit: 0.35 new streams/s (4,000 failed"),
    ],
)
def test_conclusion(changes: dict[str, Any], words: str) -> None:
    assert words in _text(limit_search(**changes), 200)

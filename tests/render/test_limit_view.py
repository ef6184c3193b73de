"""The result of a limit search on a terminal."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from golden import Golden
from rich.console import Console

from sseclient_cli.render.terminal.limit_view import limit_summary
from sseclient_cli.report.limit_model import LimitSearch, Step, StepStatus, StoppedBy, Varied
from sseclient_cli.report.model import Tool


def _step(load: float, p99_ms: float | None, status: StepStatus, reason: str = "") -> Step:
    return Step(
        load=load,
        status=status,
        reason=reason,
        assertions=[],
        opened=round(load),
        failed=0,
        events_per_s=10 * load,
        p50_ms=None if p99_ms is None else p99_ms / 3,
        p99_ms=p99_ms,
        cpu_percent=12.3,
    )


def _search(**changes: Any) -> LimitSearch:
    fields: dict[str, Any] = {
        "tool": Tool(name="sseclient-cli", version="1"),
        "url": "http://h/x\x1b[31m",
        "started_at": datetime(2026, 11, 28, tzinfo=UTC),
        "step_s": 10,
        "varied": Varied.CONNECTIONS,
        "expressions": ["delivery.p99 < 100ms"],
        "latency": "delivery",
        "steps": [
            _step(1000, 9.5, StepStatus.PASSED),
            _step(2000, 12.25, StepStatus.PASSED),
            _step(4000, 480, StepStatus.FAILED, "delivery.p99 < 100ms: 480 ms"),
            _step(2828, None, StepStatus.SATURATED, "worker 0 used 99 % of its core"),
        ],
        "limit": 2000,
        "first_failing": 4000,
        "knee": 2000,
        "stopped_by": StoppedBy.ASSERTION,
        "reason": "delivery.p99 < 100ms: 480 ms",
    }
    return LimitSearch(**{**fields, **changes})


def _text(search: LimitSearch, width: int = 80) -> str:
    console = Console(width=width, file=StringIO(), highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(limit_summary(search))
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_curve_at_a_width(golden: Golden, width: int) -> None:
    text = _text(_search(), width)
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
    assert words in _text(_search(**changes), 200)

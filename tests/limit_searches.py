"""A limit search with five steps, for tests of its renderings."""

from datetime import UTC, datetime
from typing import Any

from sseclient_cli.report.limit_model import LimitSearch, LimitStep, StoppedBy
from sseclient_cli.report.model import Tool
from sseclient_cli.report.step_model import StepStatus, Varied


def step(
    load: float, p99_ms: float | None, status: StepStatus, reason: str = "", cpu_percent: float | None = None
) -> LimitStep:
    return LimitStep(
        load=load,
        status=status,
        reason=reason,
        assertions=[],
        opened=round(load),
        failed=0,
        events_per_s=10 * load,
        p50_ms=None if p99_ms is None else p99_ms / 3,
        p99_ms=p99_ms,
        cpu_percent=cpu_percent,
    )


def limit_search(
    text: str = "delivery.p99 < 100ms: 480 ms", cpu_percent: float | None = None, **changes: Any
) -> LimitSearch:
    fields: dict[str, Any] = {
        "tool": Tool(name="sseclient-cli", version="1"),
        "url": "http://h/x",
        "started_at": datetime(2026, 11, 28, tzinfo=UTC),
        "step_s": 10,
        "varied": Varied.CONNECTIONS,
        "expressions": ["delivery.p99 < 100ms"],
        "latency": "delivery",
        "steps": [
            step(1000, 9.5, StepStatus.PASSED, "", cpu_percent),
            step(2000, 12.25, StepStatus.PASSED, "", cpu_percent),
            step(4000, 480, StepStatus.FAILED, text, cpu_percent),
            step(4000, 520, StepStatus.FAILED, text, cpu_percent),
            step(2828, None, StepStatus.SATURATED, "worker 0 used 99 % of its core", cpu_percent),
        ],
        "limit": 2000,
        "first_failing": 4000,
        "knee": 2828,
        "stopped_by": StoppedBy.ASSERTION,
        "reason": text,
    }
    return LimitSearch(**{**fields, **changes})

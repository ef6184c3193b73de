"""A sweep with five loads, for tests of its renderings."""

from datetime import UTC, datetime
from typing import Any

from sseclient_cli.report.assertion_model import AssertionStatus, Outcome
from sseclient_cli.report.model import Tool
from sseclient_cli.report.step_model import StepStatus, Varied
from sseclient_cli.report.sweep_columns import OF_STREAMS
from sseclient_cli.report.sweep_model import Sweep, SweepStep


def outcome(*, passed: bool) -> Outcome:
    return Outcome(
        expression="delivery.p99 < 100ms",
        path="latency.delivery.p99_ms",
        unit="ms",
        limit=100,
        observed=10 if passed else 480,
        status=AssertionStatus.PASSED if passed else AssertionStatus.FAILED,
        passed=passed,
        reason="",
    )


def sweep_step(
    load: float,
    events_per_s: float | None,
    p99_ms: float | None,
    status: StepStatus = StepStatus.PASSED,
    reason: str = "",
) -> SweepStep:
    return SweepStep(
        load=load,
        status=status,
        reason=reason,
        assertions=[outcome(passed=status is not StepStatus.FAILED)],
        opened=round(load),
        failed=0,
        cpu_percent=12.3,
        duration_s=10,
        values={
            "events.per_s": events_per_s,
            "latency.delivery.p50_ms": None if p99_ms is None else p99_ms / 3,
            "latency.delivery.p99_ms": p99_ms,
            "latency.gap.p50_ms": None,
            "latency.gap.p99_ms": None,
        },
    )


def sweep(text: str = "delivery.p99 < 100ms: 480 ms", **changes: Any) -> Sweep:
    steps = changes.pop("steps", None) or [
        sweep_step(1, 10, 9.5),
        sweep_step(8, 80, 9.75),
        sweep_step(64, 640, 12.25),
        sweep_step(512, 1_250, 480, StepStatus.FAILED, text),
        sweep_step(4_096, 1_100, None, StepStatus.SATURATED, "worker 0 used 99 % of its core"),
        sweep_step(512, 1_260, 520, StepStatus.FAILED, text),
    ]
    fields: dict[str, Any] = {
        "tool": Tool(name="sseclient-cli", version="1"),
        "url": "http://h/x",
        "started_at": datetime(2026, 11, 28, tzinfo=UTC),
        "step_s": 10,
        "varied": Varied.CONNECTIONS,
        "loads": [step.load for step in steps],
        "expressions": ["delivery.p99 < 100ms"],
        "columns": OF_STREAMS.measured(steps),
        "throughput": OF_STREAMS.throughput_of(steps),
        "latency": OF_STREAMS.latency_of(steps),
        "steps": steps,
        "knee": 64,
    }
    return Sweep(**{**fields, **changes})

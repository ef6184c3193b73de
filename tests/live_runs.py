"""Made-up progress for the tests of the live view."""

from __future__ import annotations

from collections import Counter

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import ErrorCount
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.run.progress import AnyLatency, Delay, Progress, Recent, WorkerProgress

STREAMS = 4_000


def audit(
    checked: int, *, missing: int = 0, streams: int = STREAMS, trust: Trust | None = Trust.EVENT_ID
) -> FieldAudit:
    """The audit of streams that span 1 to 1000; the first of them lacks the numbers from 500 on."""
    received = (
        Counter({1: streams, 500: -1, 500 + missing: 1, 1001: -streams})
        if missing
        else Counter({1: streams, 1001: -streams})
    )
    return FieldAudit(
        trust, streams=streams, checked=checked, spanned=Counter({1: streams, 1001: -streams}), received=received
    )


def progress_at(
    at_s: float,
    *,
    workers: int = 1,
    errors: dict[str, int] | None = None,
    delivery: bool = True,
    missing: int = 0,
    cpu_percent: float = 61.0,
    read_delay_us: int = 90,
    warm: bool = True,
) -> Progress:
    share = min(at_s / 2, 1)
    open_now = round(STREAMS * share)
    events_per_s = 10.0 * open_now * (0.9 + 0.1 * (at_s % 3))
    latencies: dict[AnyLatency, Counter[int]] = {
        Latency.GAP: Counter({100_000: 95, 101_000: 5}),
        Latency.CONNECT: Counter({1_200: 3}),
    }
    if delivery:
        latencies[Latency.DELIVERY] = Counter({70: 98, 1_500: 2})
    one = WorkerProgress(
        open_now=open_now // workers,
        events_per_s=events_per_s / workers,
        bytes_per_s=100 * events_per_s / workers,
        cpu_percent=cpu_percent,
        recent_cpu_percent=cpu_percent,
    )
    return Progress(
        elapsed_s=at_s,
        duration_s=60,
        planned=STREAMS,
        opened=open_now + 10,
        opening=8 if share < 1 else 0,
        open_now=open_now,
        reconnecting=10,
        failed=sum((errors or {}).values()),
        reconnected=12,
        silent=0,
        events=round(39_000 * at_s),
        bytes=round(3_900_000 * at_s),
        errors={
            kind: ErrorCount(count, f"{kind}: the server\x1b[31m says so") for kind, count in (errors or {}).items()
        },
        audits={"id": audit(round(40_000 * at_s) + 100_000, missing=missing)},
        workers=[one] * workers,
        recent=Recent(
            latencies if warm else {},
            {} if warm else latencies,
            {
                Delay.READ: Counter({read_delay_us: 100}),
                Delay.LOOP: Counter({1_300: 3}),
                Delay.START: Counter({200: 10}),
                Delay.QUEUE: Counter({0: 16}),
            },
        ),
    )


def run_until(at_s: float, **settings: object) -> RunHistory:
    """The history of a run until then, with progress four times per second."""
    history = RunHistory()
    for quarter in range(1, round(at_s * 4) + 1):
        history.add(progress_at(quarter / 4, **settings))  # type: ignore[arg-type]
    return history

"""Reports of made-up runs, for tests of comparisons."""

from __future__ import annotations

import random
import socket
from collections import Counter
from math import exp, sqrt
from typing import Any

from report_json import ReportJson, built, json_of, report_of

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.rounding import percentile_us, rounded
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report import distributions
from sseclient_cli.report.model import Report
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan

MEDIAN_US = 10_000
VALUES_PER_ROW = 300


def run_of(seed: int, slower: float = 1.0, seconds: int = 20, likeness: float = 0.0, **streams: int) -> Report:
    """Return a run of 100 streams whose deliveries have a median of ``slower`` times 10 ms.

    ``likeness`` is the correlation of neighbouring rows. ``streams`` replace figures of the report's streams.
    """
    chance = random.Random(seed)
    rows = [_values(chance, slower * exp(level)) for level in _levels(chance, seconds, likeness)]
    totals = Totals(planned=100, opened=100, duration_ns=seconds * 1_000_000_000, cpu_percent=[20.0])
    totals.events = VALUES_PER_ROW * seconds
    for values in rows:
        totals.latencies[Latency.DELIVERY].record(values)
    resolved = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    fields = json_of(built(Plan(connections=100, duration_s=seconds, ramp_up_s=0), (resolved,), totals))
    fields["timeline"] = [_row(place, values) for place, values in enumerate(rows)]
    fields["streams"] |= streams
    return report_of(fields)


def changed(report: Report, **changes: ReportJson) -> Report:
    """Return the report with other figures: ``changed(report, generator={"saturated": True})``."""
    fields = json_of(report)
    for name, part in changes.items():
        fields[name] |= part
    return report_of(fields)


def with_connects(report: Report, values_us: dict[int, int], rows: int) -> Report:
    """Return the report with these connect latencies, of streams that opened in this many rows."""
    histogram = Histogram()
    histogram.record(values_us)
    made = distributions.Latency.of(histogram, "user")
    fields = json_of(report)
    fields["latency"]["connect"] = None if made is None else made.model_dump(mode="json")
    for row in fields["timeline"][:rows]:
        row["opened"] = 1
    return report_of(fields)


def _levels(chance: random.Random, seconds: int, likeness: float) -> list[float]:
    """Return the logarithm of each row's slowness."""
    levels = [chance.gauss(0, 0.1)]
    while len(levels) < seconds:
        levels.append(likeness * levels[-1] + sqrt(1 - likeness**2) * chance.gauss(0, 0.1))
    return levels


def _values(chance: random.Random, slower: float) -> Counter[int]:
    return Counter(int(slower * MEDIAN_US * exp(chance.gauss(0, 0.5))) for _ in range(VALUES_PER_ROW))


def _row(place: int, values: Counter[int]) -> dict[str, Any]:
    return {
        "t_s": place,
        "open": 100,
        "events": VALUES_PER_ROW,
        "bytes": 0,
        "errors": 0,
        "delivery_p50_ms": percentile_us(values, 50) / 1000,
        "delivery_p99_ms": percentile_us(values, 99) / 1000,
        "delivery_us": " ".join(f"{value}:{count}" for value, count in sorted(rounded(values).items())),
    }

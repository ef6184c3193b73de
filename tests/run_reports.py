"""Reports for the tests of the page: of usual runs, and changed ones."""

from __future__ import annotations

import random
import socket
from collections import Counter
from typing import Any

from lost_streams import LostStreams
from report_json import ReportJson, built, json_of

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.bad_clients import BadTotals
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.measure.fanout_totals import FanoutTotals
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.recovery import RecoveryTotals
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan


def usual_run(
    rows: int = 10,
    types: int = 1,
    values_per_row: int = 20,
    recovery: RecoveryTotals | None = None,
    fanout: FanoutTotals | None = None,
    bad: dict[BadKind, BadTotals] | None = None,
    hosts: dict[str, HostTotals] | None = None,
    **plan: Any,
) -> ReportJson:
    """Return the report of a good run with a row for each second."""
    rng = random.Random(7)
    totals = Totals(planned=500, opened=500, peak_open=500, duration_ns=rows * 10**9, cpu_percent=[21.0])
    totals.recovery, totals.fanout = recovery, fanout
    totals.bad.update(bad or {})
    totals.events, totals.bytes, totals.reads, totals.stamped_reads = 4_800 * rows, 240_000 * rows, 100, 100
    totals.types.update({"message" if types == 1 else f"type-{number}": 4_800 for number in range(types)})
    if hosts:
        totals.hosts = hosts
        totals.cpu_percent = [cpu for host in hosts.values() for cpu in host.cpu_percent]
        for name in ("workers_lost", "planned", "lost", "opened", "events"):
            setattr(totals, name, sum(getattr(host, name) for host in hosts.values()))
    totals.timestamp_fields = {"data.ts"}
    totals.audits["id"] = FieldAudit(Trust.EVENT_ID, streams=500, checked=4_800 * rows)
    for kind, value_us in zip(Latency, (300, 400, 700, 1_500, 100_000, 7), strict=True):
        totals.latencies[kind].record({value_us + 13 * step: 500 for step in range(20)})
    totals.read_delay.record({90: 48_000})
    for second in range(rows):
        totals.timeline[second] = Interval(
            open_change=0 if second else 500,
            opened=0 if second else 500,
            events=4_800,
            bytes=240_000,
            delivery=_values(rng, values_per_row),
            gap=_values(rng, values_per_row),
            cpu_ns=210_000_000,
            worker_ns=10**9,
            read_delay_max_us=90,
            loop_lag_max_us=150,
        )
    chain = (ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80))),)
    planned = Plan(connections=500, duration_s=rows, ramp_up_s=1, **plan)
    return json_of(built(planned, chain, totals, 0))


def host(*, number: int = 1, offset_us: float = 20, lost: int = 0, **others: Any) -> HostTotals:
    """Return the share of a machine with two workers and 500 streams, those of ``lost`` workers missing."""
    planned, missing = 500, 250 * lost
    facts: dict[str, Any] = {
        "workers": 2,
        "workers_lost": lost,
        "planned": planned,
        "lost": missing,
        "opened": planned - missing,
        "events": 96 * (planned - missing),
        "bytes": 4_800 * (planned - missing),
        "address": f"10.0.0.{number}",
        "system": "Linux 6.18",
        "machine": "x86_64",
        "python": "3.13.1",
        "cpus": 8,
        "clock_offset_ns": round(1000 * offset_us),
        "clock_bound_ns": 85_000,
        "cpu_percent": [None] * lost + [40.0 + number % 7] * (2 - lost),
    }
    made = HostTotals(**(facts | others))
    if lost < 2:
        made.read_delay.record({90: 4_000, 400: 60})
    return made


def run_with_storm() -> ReportJson:
    """Return the report of a run whose streams were dropped at 4.5 s, and open again by 7 s."""
    streams = LostStreams(500)
    streams.dropped(range(500), 4_500)
    for slot in range(500):
        streams.opened(slot, 4_500 + 5 * slot)
    made = usual_run(recovery=streams.totals, storm_s=4.5, on_end=OnEnd.RECONNECT)
    for second, is_open, reconnected, events in ((4, 100, 50, 3_000), (5, 320, 220, 1_500), (6, 500, 230, 4_700)):
        made["timeline"][second] |= {"open": is_open, "reconnected": reconnected, "events": events}
    return made


def failed_run() -> ReportJson:
    """Return the report of a run of 10 s in which no stream opened."""
    totals = Totals(planned=20, failed=20, duration_ns=1_000_000)
    totals.timeline[0] = Interval(failed=20, errors=20)
    chain = (ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80))),)
    made = json_of(built(Plan(connections=20, duration_s=10, ramp_up_s=1), chain, totals, 0))
    made["errors"] = [{"kind": "connect-refused", "count": 20, "example": "cannot connect: connection refused"}]
    return made


def _values(rng: random.Random, number: int) -> Counter[int]:
    return Counter({round(rng.lognormvariate(8, 1)): rng.randrange(1, 100) for _ in range(number)})

"""Reports of runs with LLM requests, for tests of what is rendered from them."""

from __future__ import annotations

import socket
from collections import Counter
from typing import Any

from report_json import built

from sseclient_cli.measure.answer_choice import LlmChoice
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.slo import parse_slo
from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.report.model import Report
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan

SLO = "first_token < 500ms, tpot < 50ms"


def llm_totals(**changes: Any) -> LlmTotals:
    """Return the figures of 100 answers of 64 tokens each."""
    totals = LlmTotals(chunks=6_400, chunks_together=100, counted_answers=100, input_tokens=800, output_tokens=6_400)
    medians_us = {"first_token": 300_000, "first_answer": 300_000, "token_gap": 20_000, "tpot": 20_000}
    for name, median_us in medians_us.items():
        getattr(totals, name).record({median_us: 60, 2 * median_us: 30, 3 * median_us: 9, 5 * median_us: 1})
    totals.apis["OpenAI chat completions"] = 100
    totals.finish_reasons.update({"stop": 98, "length": 2})
    totals.good = 86
    totals.met.update({"first_token < 500ms": 90, "tpot < 50ms": 96})
    totals.missed.update({"first_token < 500ms": 10, "tpot < 50ms": 4})
    for name, value in changes.items():
        setattr(totals, name, value)
    return totals


def request_totals(llm: LlmTotals | None, **changes: Any) -> RequestTotals:
    """Return the totals of 100 requests that succeeded and 5 that failed."""
    totals = RequestTotals(succeeded=100, failed=5, unfinished=10, first_sent_us=10_000, last_ended_us=9_900_000)
    totals.llm = llm
    totals.first_chunk.record({300_000: 60, 600_000: 30, 900_000: 9, 1_500_000: 1})
    totals.duration.record({1_600_000: 60, 3_200_000: 40})
    totals.failed_after.record({4_000: 5})
    for name, value in changes.items():
        setattr(totals, name, value)
    return totals


def llm_report(requests: RequestTotals | None = None, *, slo: str = SLO, **changes: Any) -> Report:
    """Return the report of a run of 10 s with these requests."""
    requests = requests or request_totals(llm_totals())
    totals = Totals(planned=115, opened=110, failed=5, peak_open=10, duration_ns=10 * 10**9, cpu_percent=[21.0])
    totals.requests = requests
    totals.ended_by_server, totals.open_now = 100, 10
    totals.events, totals.bytes, totals.reads, totals.stamped_reads = 7_000, 1_500_000, 7_000, 7_000
    totals.types = Counter({"message": 7_000})
    totals.inner_gaps, totals.coalesced = 5_000, 5_000
    totals.unanswered = totals.without_event = 10
    for kind in (Latency.CONNECT, Latency.HEADERS, Latency.FIRST_EVENT, Latency.GAP):
        totals.latencies[kind].record({1_000: 90, 2_000: 10})
    totals.read_delay.record({90: 7_000})
    totals.timeline = {second: Interval(events=700, bytes=150_000) for second in range(10)}
    for name, value in changes.items():
        setattr(totals, name, value)
    target = Target(url="http://h/v1/chat/completions", method="POST")
    chain = (ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", 80))),)
    choice = LlmChoice(LlmApi.AUTO, parse_slo(slo) if slo else ())
    fields: dict[str, Any] = {"timestamp": Choice.NONE, "sequence": Choice.NONE}
    plan = Plan(connections=10, duration_s=10, ramp_up_s=1, on_end=OnEnd.RESTART, llm=choice, **fields)
    return built(plan, chain, totals)

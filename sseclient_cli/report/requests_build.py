"""Builds the parts of the report about requests from the totals, and the totals from the report. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.request_totals import RequestTotals, per_s
from sseclient_cli.report.distributions import Latency, Sizes, TimestampSource
from sseclient_cli.report.figure import Part
from sseclient_cli.report.requests_model import Goodput, Llm, Mcp, Objective, Requests, Turn
from sseclient_cli.report.run_model import Plan

_US_PER_S = 1_000_000


def requests_of(totals: RequestTotals | None, source: TimestampSource) -> Requests | None:
    """Return the part about requests; None for streams without an end of their own."""
    if totals is None:
        return None
    return Requests(
        **_counters(totals, Requests, RequestTotals),
        **_latencies(Requests, totals, source),
        ended=totals.succeeded + totals.failed,
        first_sent_s=_seconds(totals.first_sent_us),
        last_ended_s=_seconds(totals.last_ended_us),
        per_s=_per_s(totals.succeeded, totals) if totals.succeeded else None,
    )


def llm_of(totals: RequestTotals | None, plan: Plan, source: TimestampSource) -> Llm | None:
    """Return the part about the answers of an LLM; None for other streams."""
    if totals is None or totals.llm is None:
        return None
    llm = totals.llm
    counted, tokens = llm.counted_answers + llm.tokenized_answers, llm.output_tokens
    tpot = Latency.of(llm.tpot, source)
    return Llm(
        **_counters(llm, Llm, LlmTotals),
        **_tokens(llm),
        **{**_latencies(Llm, llm, source), "burst_chunks": Sizes.of(llm.burst_chunks)},
        apis=dict(llm.apis.most_common()),
        tokens_per_chunk=None
        if tokens is None or not llm.chunks or counted < totals.succeeded
        else round(tokens / llm.chunks, 3),
        tokens_per_s=None if tokens is None else _per_s(tokens, totals),
        stream_tokens_per_s=None if tpot is None or not tpot.p50_ms else round(1000 / tpot.p50_ms, 1),
        finish_reasons=dict(llm.finish_reasons.most_common()),
        turns=[
            Turn(turn=turn + 1, succeeded=answers, first_token=_first_token(llm, turn, source))
            for turn, answers in sorted(llm.turns.items())
        ],
        goodput=_goodput(totals, llm, plan),
    )


def _first_token(llm: LlmTotals, turn: int, source: TimestampSource) -> Latency | None:
    histogram = llm.turn_first_token.get(turn)
    return None if histogram is None else Latency.of(histogram, source)


def mcp_of(totals: RequestTotals | None) -> Mcp | None:
    """Return the part about the answers of an MCP server; None for other streams."""
    if totals is None or totals.mcp is None:
        return None
    per_request = round(totals.mcp.notifications / totals.succeeded, 3) if totals.succeeded else None
    return Mcp(**_counters(totals.mcp, Mcp, McpTotals), notifications_per_request=per_request)


def _tokens(source: LlmTotals | Llm) -> dict[str, Any]:
    return {name: getattr(source, name) for name in ("input_tokens", "output_tokens", "reasoning_tokens")}


def _goodput(totals: RequestTotals, llm: LlmTotals, plan: Plan) -> Goodput | None:
    limits = [] if plan.llm is None else plan.llm.slo
    if not limits:
        return None
    judged = totals.succeeded + totals.failed - llm.unjudged
    return Goodput(
        good=llm.good,
        judged=judged,
        share=round(llm.good / judged, 6) if judged else None,
        per_s=_per_s(llm.good, totals) if judged else None,
        objectives=[Objective(limit=limit, met=llm.met[limit], missed=llm.missed[limit]) for limit in limits],
    )


def totals_of_requests(requests: Requests | None, llm: Llm | None, mcp: Mcp | None = None) -> RequestTotals | None:
    """Return the totals that the report holds."""
    if requests is None:
        return None
    return RequestTotals(
        **_counters(requests, Requests, RequestTotals),
        **_histograms(requests),
        first_sent_us=_us(requests.first_sent_s),
        last_ended_us=_us(requests.last_ended_s),
        llm=None if llm is None else _llm_totals(requests, llm),
        mcp=None if mcp is None else McpTotals(**_counters(mcp, Mcp, McpTotals)),
    )


def _llm_totals(requests: Requests, llm: Llm) -> LlmTotals:
    totals = LlmTotals(
        **_counters(llm, Llm, LlmTotals),
        **_tokens(llm),
        **_histograms(llm),
        apis=Counter(llm.apis),
        finish_reasons=Counter(llm.finish_reasons),
        turns=Counter({each.turn - 1: each.succeeded for each in llm.turns}),
        turn_first_token={each.turn - 1: each.first_token.histogram() for each in llm.turns if each.first_token},
    )
    if llm.goodput is not None:
        totals.good = llm.goodput.good
        totals.unjudged = requests.succeeded + requests.failed - llm.goodput.judged
        totals.met = Counter({each.limit: each.met for each in llm.goodput.objectives})
        totals.missed = Counter({each.limit: each.missed for each in llm.goodput.objectives})
    return totals


def _counters(source: Any, part: type[Part], totals: type[RequestTotals | LlmTotals | McpTotals]) -> dict[str, Any]:
    """Return the counters that both a part of the report and its totals have, from one of them."""
    names = [each.name for each in fields(totals) if type(each.default) is int and each.name in part.model_fields]
    return {name: getattr(source, name) or 0 for name in names}


def _latencies(part: type[Part], totals: Any, source: TimestampSource) -> dict[str, Any]:
    names = [each.name for each in fields(totals) if each.name in part.model_fields]
    found = {name: getattr(totals, name) for name in names}
    return {name: Latency.of(each, source) for name, each in found.items() if isinstance(each, Histogram)}


def _histograms(part: Part) -> dict[str, Any]:
    return {name: value.histogram() for name, value in part if isinstance(value, Latency | Sizes)}


def _seconds(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / _US_PER_S


def _us(value_s: float | None) -> int | None:
    return None if value_s is None else round(value_s * _US_PER_S)


def _per_s(count: int, totals: RequestTotals) -> float | None:
    found = per_s(count, totals.first_sent_us, totals.last_ended_us)
    return None if found is None else round(found, 3)

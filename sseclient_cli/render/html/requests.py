"""The section of the page about requests: counts, tokens, and the goodput by objective."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sseclient_cli.render.html.sections import Table, Tile, cut, latency_tile
from sseclient_cli.render.quantities import percent
from sseclient_cli.report.model import Report
from sseclient_cli.report.requests_model import Goodput, Llm, Mcp, Requests

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RequestsSection:
    """The facts on requests and tokens, and a table of objectives; None without any."""

    requests: list[Fact]
    tokens: list[Fact]
    objectives: Table | None


def requests_section(report: Report) -> RequestsSection | None:
    """Return the section; None for streams without an end of their own."""
    if report.requests is None:
        return None
    answers = [] if report.mcp is None else _answers(report.mcp)
    goodput = None if report.llm is None else report.llm.goodput
    return RequestsSection(
        requests=[*_requests(report.requests), *answers],
        tokens=[] if report.llm is None else list(_tokens(report.llm)),
        objectives=None if goodput is None else _objectives(goodput),
    )


def request_tiles(report: Report, requests: Requests) -> Iterator[Tile]:
    """Yield the head figures of a run with requests."""
    rate = "" if requests.per_s is None else f"{requests.per_s:,.2f} per second"
    yield Tile("Requests succeeded", f"{requests.succeeded:,}", rate)
    yield Tile("Failed", f"{requests.failed:,}", "requests", "fault" if requests.failed else "")
    why_not = "no answer succeeded"
    if report.llm is not None:
        goodput = report.llm.goodput
        if goodput is not None and goodput.share is not None:
            yield Tile("Goodput", percent(goodput.share), f"{goodput.good:,} of {goodput.judged:,} requests")
        yield latency_tile("First token p99", report.llm.first_token, why_not)
        yield latency_tile("Token gap p99", report.llm.token_gap, "no answer had two chunks at known times")
        per_s = report.llm.tokens_per_s
        if per_s is not None:
            yield Tile("Output tokens/s", f"{per_s:,.0f}", f"{report.llm.output_tokens:,} tokens")
    else:
        yield latency_tile("Request p99", requests.duration, why_not)


def _requests(requests: Requests) -> Iterator[Fact]:
    yield "succeeded", f"{requests.succeeded:,}"
    yield "failed", f"{requests.failed:,}"
    yield "cut by the end of the run", f"{requests.unfinished:,}"
    if requests.warm_up:
        yield "of the warm-up, in no figure", f"{requests.warm_up:,}"
    if requests.per_s is not None:
        yield "successful per second", f"{requests.per_s:,.2f}"
    if requests.untimed:
        yield "durations that are not known exactly, in no figure", f"{requests.untimed:,}"


def _tokens(llm: Llm) -> Iterator[Fact]:
    if llm.apis:
        yield "API", cut(", ".join(llm.apis))
    for name, number in (
        ("input tokens", llm.input_tokens),
        ("output tokens", llm.output_tokens),
        ("reasoning tokens", llm.reasoning_tokens or None),
    ):
        if number is not None:
            yield name, f"{number:,}"
    if llm.output_tokens is None:
        yield "tokens", "not counted by the server"
    for name, value in (
        ("output tokens per second", llm.tokens_per_s),
        ("per second of the median answer", llm.stream_tokens_per_s),
        ("output tokens per chunk", llm.tokens_per_chunk),
    ):
        if value is not None:
            yield name, f"{value:,.1f}"
    yield "chunks", f"{llm.chunks:,}"
    if llm.chunks_together:
        yield "chunks that arrived with another one", percent(llm.chunks_together / llm.chunks)
    if llm.empty:
        yield "answers without text", f"{llm.empty:,}"
    if llm.finish_reasons:
        yield "finish reasons", cut(", ".join(f"{name} {count:,}" for name, count in llm.finish_reasons.items()))


def _answers(mcp: Mcp) -> list[Fact]:
    return [
        ("answers in event streams", f"{mcp.in_streams:,}"),
        ("answers in one body of JSON", f"{mcp.in_bodies:,}"),
        ("notifications", f"{mcp.notifications:,}"),
        ("sessions", f"{mcp.sessions:,}"),
    ]


def _objectives(goodput: Goodput) -> Table:
    rows: list[tuple[str | None, ...]] = [
        (cut(each.limit), f"{each.met:,}", f"{each.missed:,}", _share(each.met, each.met + each.missed))
        for each in goodput.objectives
    ]
    rows.append(
        (
            "all (failed requests miss them)",
            f"{goodput.good:,}",
            f"{goodput.judged - goodput.good:,}",
            _share(goodput.good, goodput.judged),
        )
    )
    return Table(("objective", "met", "missed", "share"), rows)


def _share(part: int, whole: int) -> str | None:
    return percent(part / whole) if whole else None

"""The rows of the summary about requests: how many succeeded, goodput, tokens, and the answers of an MCP server."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import percent
from sseclient_cli.render.terminal.rows import Facts, Row, fact, if_any
from sseclient_cli.report.model import Report
from sseclient_cli.report.requests_model import Goodput, Llm, Mcp, Requests

REQUESTS_LABEL = "requests"
"""The longest label of these rows."""

LEAST_TOGETHER = 0.01
"""A smaller share of chunks that arrived in one read with another one is not shown."""

MAX_REASONS = 4
"""Finish reasons shown; the JSON report has all."""


def request_rows(report: Report) -> Iterator[Row]:
    """Yield the rows; none for a run without requests."""
    if report.requests is None:
        return
    yield Row(Text(REQUESTS_LABEL, "bold"), Facts(*_requests(report.requests, report.streams.peak_open)))
    if report.llm is not None:
        if report.llm.goodput is not None:
            yield Row(Text("goodput", "bold"), Facts(*_goodput(report.llm.goodput)))
        if report.llm.chunks or report.llm.empty:
            yield Row(Text("tokens", "bold"), Facts(*_tokens(report.llm, report.requests.succeeded)))
    if report.mcp is not None and report.requests.succeeded:
        yield Row(Text("answers", "bold"), Facts(*_answers(report.mcp)))


def _requests(requests: Requests, peak_open: int) -> Iterator[Text]:
    yield fact(requests.succeeded, " succeeded")
    yield fact(requests.failed, " failed", "red" if requests.failed else "")
    yield from if_any(requests.unfinished, " unfinished")
    yield from if_any(requests.warm_up, " warm-up")
    if requests.per_s is not None:
        yield rate(requests.per_s)
    yield fact(peak_open, " at once")


def _goodput(goodput: Goodput) -> Iterator[Text]:
    if goodput.share is None:
        yield Text("unknown: no request was judged", "yellow")
        return
    yield Text(percent(goodput.share), "" if goodput.good == goodput.judged else "yellow")
    if goodput.per_s is not None:
        yield rate(goodput.per_s)
    for each in goodput.objectives:
        if judged := each.met + each.missed:
            words = f"{visible(each.limit, keep_lines=False)}: {percent(each.met / judged)}"
            yield Text(words, "yellow" if each.missed else "")


def _tokens(llm: Llm, succeeded: int) -> Iterator[Text]:
    if llm.output_tokens is None:
        yield Text("not counted by the server", "dim")
        yield fact(llm.chunks, " chunks")
    else:
        yield fact(llm.output_tokens, " output")
        yield from if_any(llm.reasoning_tokens or 0, " of them reasoning")
        counted = llm.counted_answers + llm.tokenized_answers
        if counted < succeeded:
            yield Text(f"of {counted:,} of {succeeded:,} answers: the others have no count", "yellow")
    if llm.tokens_per_s is not None:
        yield rate(llm.tokens_per_s)
    if llm.stream_tokens_per_s is not None:
        yield Text.assemble(rate(llm.stream_tokens_per_s), " per stream")
    if llm.tokens_per_chunk is not None and round(llm.tokens_per_chunk, 1) != 1:
        yield Text(f"{llm.tokens_per_chunk:.1f} per chunk")
    if llm.chunks_together > LEAST_TOGETHER * llm.chunks:
        yield Text(f"{percent(llm.chunks_together / llm.chunks)} of the chunks together")
    if llm.chunks_estimated > LEAST_TOGETHER * llm.chunks:
        yield Text(f"{percent(llm.chunks_estimated / llm.chunks)} at estimated times", "yellow")
    yield from if_any(llm.empty, " empty answers", "yellow")
    if llm.finish_reasons:
        yield Text(f"finish reasons: {_finish_reasons(llm.finish_reasons)}")


def _finish_reasons(reasons: dict[str, int]) -> str:
    shown = [f"{visible(name, keep_lines=False)} {count:,}" for name, count in list(reasons.items())[:MAX_REASONS]]
    if len(reasons) > MAX_REASONS:
        shown.append(f"and {len(reasons) - MAX_REASONS:,} more")
    return ", ".join(shown)


def _answers(mcp: Mcp) -> Iterator[Text]:
    yield from if_any(mcp.in_streams, " in streams")
    yield from if_any(mcp.in_bodies, " in bodies")
    yield from if_any(mcp.notifications, " notifications")
    yield from if_any(mcp.sessions, " sessions")


def rate(per_s: float) -> Text:
    """Return a rate; a low one has two digits."""
    return Text(f"{per_s:.2f}/s" if 0 < per_s < 9.995 else f"{per_s:,.0f}/s")

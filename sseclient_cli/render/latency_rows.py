"""Which latencies of a run are shown, in which order, and which one has the histogram.

A run with requests shows durations of requests: its first token, not its first event, and its token gap, not its gap.
Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.figure import Part, label_of

if TYPE_CHECKING:
    from sseclient_cli.report.model import Latencies, Report
    from sseclient_cli.report.requests_model import Llm, Requests

LEAST_DIFFERENCE = 0.05
"""Two durations of the same requests have one row if their percentiles differ by at most this share ..."""

LEAST_DIFFERENCE_MS = 0.1
"""... or by at most this time."""


class NamedLatency(NamedTuple):
    """A latency with its label."""

    label: str
    latency: Latency


def shown_latencies(report: Report) -> list[NamedLatency]:
    """Return the measured latencies in the order of their rows."""
    times, requests = report.latency, report.requests
    before = _named(times, "connect", "tls", "headers")
    if requests is None:
        last_gap = _named(times, "open_gap") if _tells_more(times) else []
        return [*before, *_named(times, "first_event", "gap"), *last_gap, *_named(times, "delivery")]
    tokens = [] if report.llm is None else _tokens(requests, report.llm)
    whole = _named(requests, "duration", "failed_after")
    return [*before, *(tokens or _named(requests, "first_chunk")), *whole, *_named(times, "delivery")]


def all_latencies(report: Report) -> list[NamedLatency]:
    """Return the measured latencies in the order of their rows, for a page with room for all."""
    if report.requests is None:
        return _named(report.latency, *type(report.latency).model_fields)
    return shown_latencies(report)


def main_latency(report: Report) -> NamedLatency | None:
    """Return the latency that matters most; None if the run has none."""
    if report.requests is None:
        found = _named(report.latency, "delivery", "gap")
    else:
        tokens = [] if report.llm is None else _named(report.llm, "first_token", "token_gap")
        found = [*tokens, *_named(report.requests, "duration")]
    return found[0] if found else None


def _tokens(requests: Requests, llm: Llm) -> list[NamedLatency]:
    """Return the rows about tokens: the first event of an answer, and its first chunk of the answer, if they differ."""
    first = llm.first_token
    names = ["first_token", "first_answer"] if _differ(first, llm.first_answer) else ["first_token"]
    chunk = _named(requests, "first_chunk") if _differ(requests.first_chunk, first) else []
    return [*chunk, *_named(llm, *names, "token_gap", "tpot")]


def _named(part: Part, *names: str) -> list[NamedLatency]:
    """Return the latencies of a part that were measured."""
    found = ((name, getattr(part, name)) for name in names)
    return [NamedLatency(label_of(type(part), name), each) for name, each in found if each is not None]


def _differ(latency: Latency | None, other: Latency | None) -> bool:
    if latency is None or other is None:
        return latency is not other
    pairs = ((latency.p50_ms, other.p50_ms), (latency.p99_ms, other.p99_ms))
    return any(_is_other(value or 0, other_value or 0) for value, other_value in pairs)


def _is_other(value_ms: float, other_ms: float) -> bool:
    difference_ms = abs(value_ms - other_ms)
    return difference_ms > LEAST_DIFFERENCE_MS and difference_ms > LEAST_DIFFERENCE * max(value_ms, other_ms)


def _tells_more(times: Latencies) -> bool:
    """Return whether a gap that was open at the end is longer than every gap between two events."""
    return times.open_gap is not None and (times.gap is None or times.open_gap.max_ms > times.gap.max_ms)

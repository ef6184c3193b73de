"""Findings about bad clients: the server holds them, they cost the good streams something, or they never turned bad."""

from __future__ import annotations

from collections.abc import Iterator

from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.report.bad_clients_model import BadClients
from sseclient_cli.report.model import Finding, Report, Severity, finding

LEAST_HELD_S = 10.0
"""A server that holds a bad client for less may have a longer timeout: then the finding is not a warning."""

_EFFECTS = ("delivery_p99", "delivery_p50", "gap_p99", "event_rate")
"""The effects, the most telling first. One of them is enough for a finding."""


def bad_clients_findings(report: Report) -> Iterator[Finding]:
    """Yield the findings."""
    bad = report.bad
    if bad is None:
        return
    yield from _cost(bad)
    yield from _held(bad, round(report.run.duration_s - bad.at_s, 1))
    yield from _kept_up(report)
    if bad.turned < bad.planned:
        figures = {"planned": bad.planned, "turned": bad.turned, "at_s": bad.at_s}
        yield finding("bad-clients-not-turned", Severity.WARNING, figures)


def _cost(bad: BadClients) -> Iterator[Finding]:
    for name in _EFFECTS:
        effect = getattr(bad, name)
        if effect.verdict == "worse":
            figures = {"figure": name, **effect.model_dump(exclude={"reason", "verdict"})}
            yield finding("bad-clients-cost", Severity.FAULT, figures)
            return


def _held(bad: BadClients, held_s: float) -> Iterator[Finding]:
    for kind in (BadKind.VANISH, BadKind.HALF_REQUEST, BadKind.SLOW):
        part = getattr(bad, kind.value)
        if part is None or not part.held_at_end:
            continue
        figures = {"kind": kind.value, "held": part.held_at_end, "turned": part.turned, "held_s": held_s}
        if kind is BadKind.SLOW or held_s < LEAST_HELD_S:
            # A slow client that is served at its speed, without a cost for others, may be what the owner wants.
            yield finding("bad-clients-held", Severity.INFO, figures)
        else:
            yield finding("bad-clients-held", Severity.WARNING, figures)


def _kept_up(report: Report) -> Iterator[Finding]:
    """Find slow clients that are as fast as the stream: then they are no test."""
    plan, streams, duration_s = report.run.plan.bad_clients, report.streams, report.run.duration_s
    if plan is None or plan.slow_bytes_per_s is None or not streams.opened or not duration_s:
        return
    # Not exact with streams that open and end during the run: then it is too low, and the finding may be wrong by that.
    stream_bytes_per_s = report.events.bytes / duration_s / max(streams.peak_open, 1)
    if stream_bytes_per_s <= plan.slow_bytes_per_s:
        figures = {"stream_bytes_per_s": round(stream_bytes_per_s), "slow_bytes_per_s": plan.slow_bytes_per_s}
        yield finding("slow-clients-keep-up", Severity.WARNING, figures)

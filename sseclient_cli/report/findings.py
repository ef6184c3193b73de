"""Findings: conclusions from the figures of a report, each with a code and the figures that show it.

Pure: they read only the report. ``render/words.py`` makes the sentences. ``generator.saturated`` says whether the load
generator was the bottleneck, so no finding repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sseclient_cli.report.bad_clients_findings import bad_clients_findings
from sseclient_cli.report.fanout_findings import fanout_findings
from sseclient_cli.report.host_findings import host_findings
from sseclient_cli.report.llm_findings import llm_findings
from sseclient_cli.report.model import Audit, Finding, Report, Severity, finding
from sseclient_cli.report.recovery_findings import recovery_findings

COALESCED_SHARE = 0.01
"""Coalesced events above this share of all events are a finding."""

LEAST_CUTS = 3
"""An idle timeout needs at least this many cut connections: a single one may have any cause."""

LEAST_CUT_SILENCE_MS = 5_000
"""Proxies close idle connections after 5 s and more (Node 5 s, HAProxy 50 s, nginx 60 s)."""

SAME_SILENCE_RATIO = 1.2
"""An idle timeout cuts all connections after the same silence: p90 is at most this multiple of p10."""

HELD_BACK_SHARE = 0.5
"""Events are held back if at least this share of them arrives in bursts ..."""

HELD_BACK_MS = 50
"""... and in half of the bursts the first event was sent at least this long before the last one. Nagle's algorithm with
delayed acknowledgements holds events back for 40 ms; buffers hold them back for longer."""

LEAST_BURSTS = 3

BURST_EVENTS = 3
"""Without timestamps, bursts are a finding from this many events per burst ..."""

BURST_GAP_MS = 100
"""... and this much time between bursts."""

GAPS_INSIDE_SHARE = 0.05
"""Above this share of gaps inside bursts, the row of gaps does not represent all gaps."""

COMPLETE_SHARE = 0.95
"""... and the mean of all gaps is known if at least this share of them is either in the row or inside bursts."""

JUMP_MS = 1_000
"""A lasting change of delivery by this much, from one row of the timeline to the next, is a finding."""

STEADY = 0.2
"""Before and after such a jump, delivery varies by at most this share of it; with a growing queue it varies more."""

LEAST_KEPT_FILES = 3
"""Open files that remain after a run are a finding from this number ..."""

KEPT_FILES_SHARE = 0.01
"""... and this share of the rise: a server may open a log file or a database connection at its first request."""

LEAST_KEPT_BYTES = 20 * 1024**2
"""Memory that remains after a run is a finding from this size ..."""

KEPT_BYTES_SHARE = 0.5
"""... and this share of the rise. Allocators keep some freed memory, and a first request loads code."""


def findings(report: Report) -> list[Finding]:
    """Return the findings of a report, the most severe first."""
    found = [
        finding for judge in (*_JUDGES, recovery_findings, fanout_findings, llm_findings) for finding in judge(report)
    ]
    order = list(reversed(Severity))
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _silent_streams(report: Report) -> Iterator[Finding]:
    silence = report.silence.at_end
    if silence is not None:
        figures = {"streams": silence.count, "opened": _opened(report), "longest_ms": silence.max_ms}
        yield finding("silent-streams", Severity.FAULT, figures)


def _streams_without_event(report: Report) -> Iterator[Finding]:
    count = report.streams.without_event
    if count and not _answers_requests(report):
        figures = {"streams": count, "opened": _opened(report), "duration_s": report.run.duration_s}
        yield finding("streams-without-event", Severity.WARNING, figures)


def _bytes_without_event(report: Report) -> Iterator[Finding]:
    found = report.bytes_without_event
    if found is not None:
        yield finding("bytes-without-event", Severity.FAULT, {**found.model_dump(), "opened": _opened(report)})


def _unanswered(report: Report) -> Iterator[Finding]:
    streams = report.streams
    if streams.unanswered and not _answers_requests(report):
        # Streams may send several, when they reconnect and along redirects: each connection carries one.
        sent = sum(address.connections for address in report.run.addresses)
        figures = {"requests": streams.unanswered, "sent": max(sent, streams.unanswered)}
        yield finding("unanswered", Severity.FAULT, figures)


def _idle_cuts(report: Report) -> Iterator[Finding]:
    silence = report.silence.before_cut
    if silence is None or silence.count < LEAST_CUTS or (silence.p50_ms or 0) < LEAST_CUT_SILENCE_MS:
        return
    if (silence.p90_ms or 0) <= SAME_SILENCE_RATIO * (silence.p10_ms or 0):
        figures = {"connections": silence.count, "silence_ms": silence.p50_ms}
        yield finding("idle-cuts", Severity.WARNING, figures)


def _reach(report: Report) -> Iterator[Finding]:
    reach = report.reach
    if reach is not None and reach.reached_all < reach.events:
        yield finding("reach-incomplete", Severity.FAULT, reach.model_dump())


def _audit(report: Report) -> Iterator[Finding]:
    audit, sequence = report.audit, report.run.plan.sequence
    if audit is None:
        for candidate in sequence.candidates:
            yield finding("sequence-uncertain", Severity.INFO, candidate.model_dump())
        return
    yield from _faulty_numbers(audit, report.streams.reconnected)
    if audit.renumbered_streams:
        yield finding("renumbered", Severity.WARNING, {"streams": audit.renumbered_streams})
    if audit.unconfirmed:
        yield finding("unconfirmed-loss", Severity.WARNING, {"numbers": audit.unconfirmed, "source": audit.source})
    if audit.carried:
        yield finding("carried-ids", Severity.INFO, {"events": audit.carried})
    if audit.refuting_streams:
        yield finding("streams-not-audited", Severity.INFO, {"streams": audit.refuting_streams, "source": audit.source})


def _faulty_numbers(audit: Audit, reconnected: int) -> Iterator[Finding]:
    for code, severity, events in (
        ("events-lost", Severity.FAULT, audit.lost_at_least),
        ("events-duplicated", Severity.WARNING, audit.duplicated),
        ("events-out-of-order", Severity.WARNING, audit.out_of_order),
    ):
        if events:
            figures = {"events": events, "source": audit.source, "reconnected": reconnected}
            yield finding(code, severity, figures | ({"is_exact": audit.lost is not None} if "lost" in code else {}))


def _held_back(report: Report) -> Iterator[Finding]:
    bursts, gap = report.bursts, report.latency.gap
    events, held = bursts.events, bursts.held_back
    if events is None or events.count < LEAST_BURSTS or report.llm is not None:
        return  # chunks of an LLM have findings of their own (llm_findings.py)
    share = bursts.events_in_bursts / ((bursts.events_in_bursts + bursts.events_alone) or 1)
    if share < HELD_BACK_SHARE:
        return
    figures = {
        "events": events.p50,
        "every_ms": None if gap is None else gap.p50_ms,
        "share": round(share, 3),
        "content_encodings": list(bursts.content_encodings),
        "heads_with_events": bursts.heads_with_events,
    }
    if held is not None and held.p50_ms is not None and held.p50_ms >= HELD_BACK_MS:
        delivery = report.latency.delivery
        figures |= {"held_back_ms": held.p50_ms, "delivery_max_ms": None if delivery is None else delivery.max_ms}
        yield finding("held-back", Severity.WARNING, figures)
    elif events.p50 >= BURST_EVENTS and gap is not None and (gap.p50_ms or 0) >= BURST_GAP_MS:
        yield finding("bursts", Severity.INFO, figures)


def _gaps_inside(report: Report) -> Iterator[Finding]:
    gap, inside = report.latency.gap, report.bursts.gaps_inside
    if report.requests is not None:
        return  # llm.token_gap has a rule of its own, and llm.chunks_together counts what it leaves out
    if gap is None or inside <= GAPS_INSIDE_SHARE * (inside + gap.count):
        return
    together = inside + gap.count
    # Neither counts gaps with uncertain ends. The mean is that of all gaps only if there are few of these.
    all_gaps = report.events.received - report.streams.opened
    is_complete = together >= COMPLETE_SHARE * all_gaps
    mean_ms = gap.mean_ms * gap.count / together if is_complete else None
    yield finding("gaps-inside-bursts", Severity.INFO, {"share": round(inside / together, 3), "mean_ms": mean_ms})


def _coalesced(report: Report) -> Iterator[Finding]:
    events = report.events
    if report.requests is not None:
        return  # the last events of an answer usually arrive together
    if events.received and events.coalesced > COALESCED_SHARE * events.received:
        share = round(events.coalesced / events.received, 4)
        figures = {"share": share, "shares_connections": report.run.http2 is not None}
        yield finding("coalesced", Severity.INFO, figures)


def _clocks(report: Report) -> Iterator[Finding]:
    for step in report.clocks.steps:
        of_several = {"hosts": len(report.run.hosts)} if len(report.run.hosts) > 1 else {}
        yield finding("clock-step", Severity.WARNING, step.model_dump() | of_several)
    is_in_no_figure = report.requests is not None and report.latency.delivery is None
    if report.clocks.server_ahead_s and not is_in_no_figure:
        figures = {"server_ahead_s": report.clocks.server_ahead_s}
        yield finding("clock-difference", Severity.WARNING, figures)
    delivery = report.latency.delivery
    if delivery is not None and delivery.negative and not report.clocks.steps:
        skew = {"events": delivery.negative, "largest_ms": -delivery.min_ms}
        yield finding("clock-skew", Severity.WARNING, skew)


def _delivery_jump(report: Report) -> Iterator[Finding]:
    """Find the time from which on all events are late, or early, by the same amount: a clock was set."""
    if report.clocks.steps:
        return  # "clock-step" reports it
    rows = [(row.t_s, row.delivery_p50_ms) for row in report.timeline if row.delivery_p50_ms is not None]
    for place in range(1, len(rows)):
        before, after = [ms for _, ms in rows[:place]], [ms for _, ms in rows[place:]]
        jump_ms = min(after) - max(before) if after[0] > before[-1] else max(after) - min(before)
        spread_ms = max(max(before) - min(before), max(after) - min(after))
        if abs(jump_ms) >= JUMP_MS and spread_ms <= STEADY * abs(jump_ms):
            yield finding("delivery-jump", Severity.WARNING, {"t_s": rows[place][0], "jump_ms": jump_ms})
            return


def _timestamp(report: Report) -> Iterator[Finding]:
    timestamp = report.run.plan.timestamp
    if report.latency.delivery is None and report.events.received:
        for place in timestamp.in_the_future:
            yield finding("timestamp-in-the-future", Severity.INFO, {"source": place})


def _target_metrics(report: Report) -> Iterator[Finding]:
    target = report.target_metrics
    if target is None:
        return
    files, memory, waited_s = target.files, target.memory, target.sampled_after_s
    if files is not None and files.kept is not None:
        least = max(LEAST_KEPT_FILES, KEPT_FILES_SHARE * (files.peak - files.before))
        if files.kept >= least:
            yield finding("target-keeps-files", Severity.WARNING, {**files.model_dump(), "waited_s": waited_s})
    if memory is not None and memory.kept_bytes is not None:
        rise_bytes = memory.peak_bytes - memory.before_bytes
        if memory.kept_bytes >= max(LEAST_KEPT_BYTES, KEPT_BYTES_SHARE * rise_bytes):
            figures = {**memory.model_dump(), "rise_bytes": rise_bytes, "waited_s": waited_s}
            yield finding("target-keeps-memory", Severity.WARNING, figures)
    for source in target.sources:
        if source.failed:
            figures = {"samples": len(source.t_s), **source.model_dump(include={"source", "failed", "error"})}
            yield finding("target-samples-failed", Severity.WARNING, figures)
        for series, reason in source.missing.items():
            figures = {"source": source.source, "series": series, "reason": reason}
            yield finding("target-series-missing", Severity.WARNING, figures)


def _forced_merge(report: Report) -> Iterator[Finding]:
    differences = report.run.forced_differences
    if differences:
        figures = {"reports": report.run.reports, "differences": len(differences), "first": differences[0]}
        yield finding("forced-merge", Severity.WARNING, figures)


def _answers_requests(report: Report) -> bool:
    """Return whether requests succeeded: then others without a response or an event failed, or the end cut them."""
    return report.requests is not None and report.requests.succeeded > 0


def _opened(report: Report) -> int:
    return report.streams.opened


_JUDGES: tuple[Callable[[Report], Iterator[Finding]], ...] = (
    bad_clients_findings,  # first: what bad clients cost explains other findings
    _reach,
    _bytes_without_event,
    _silent_streams,
    _unanswered,
    _streams_without_event,
    _idle_cuts,
    _audit,
    _held_back,
    _gaps_inside,
    _coalesced,
    _clocks,
    host_findings,
    _delivery_jump,
    _timestamp,
    _target_metrics,
    _forced_merge,
)

"""The counts of the summary: streams by outcome, events, event types, audit."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import duration, size
from sseclient_cli.render.terminal.bad_clients_view import bad_client_rows
from sseclient_cli.render.terminal.fanout_view import fanout_rows
from sseclient_cli.render.terminal.recovery_view import recovery_rows
from sseclient_cli.render.terminal.requests_view import REQUESTS_LABEL, request_rows
from sseclient_cli.render.terminal.rows import Facts, Row, fact, if_any
from sseclient_cli.render.terminal.target_view import target_facts
from sseclient_cli.report.distributions import Sizes
from sseclient_cli.report.model import Report
from sseclient_cli.report.streams_model import Streams
from sseclient_cli.sse.error_event import ERROR_TYPE

MAX_TYPES = 6
"""Event types shown; the JSON report has all."""

LEAST_SILENCE_MS = 15_000
"""A shorter longest silence is not shown: WHATWG HTML 9.2.7 advises a comment every 15 s or so against proxies."""


def counts(report: Report) -> list[Row]:
    """Return a row for each subject."""
    rows = list(_rows(report))
    return rows if report.requests is None else [row.beside(REQUESTS_LABEL) for row in rows]


def _rows(report: Report) -> Iterator[Row]:
    yield from request_rows(report)
    if report.requests is None or _has_more_than_requests(report.streams):
        yield Row(Text("streams", "bold"), Facts(*_streams(report)))
    yield Row(Text("events", "bold"), Facts(*_events(report)))
    types = None if report.llm else _types(report)
    if types is not None:
        yield Row(Text("types", "bold"), types)
    is_off = report.requests is not None and report.run.plan.sequence.asked == "none"
    if report.audit is not None or (report.events.received and not is_off):
        yield Row(Text("audit", "bold"), _audit(report))
    if report.fanout is not None:
        yield from fanout_rows(report.fanout, report.streams.opened)
    yield from bad_client_rows(report)
    if report.recovery is not None:
        yield from recovery_rows(report.recovery)
    if report.target_metrics is not None:
        yield Row(Text("target", "bold"), target_facts(report.target_metrics))


def _has_more_than_requests(streams: Streams) -> bool:
    """Return whether the streams have facts that the requests do not have."""
    return any((streams.lost, streams.silent, streams.reconnected))


def _streams(report: Report) -> Iterator[Text]:
    streams = report.streams
    is_end_usual = report.requests is not None
    yield fact(streams.opened, " opened")
    yield fact(streams.failed, " failed", "red" if streams.failed else "")
    for number, name, style in (
        (streams.lost, " lost with their worker", "red"),
        (streams.unfinished, " not open yet", "yellow"),
        (streams.broken, " broken by errors", "red"),
        (streams.without_event, " without an event", "yellow"),
        (streams.silent, " silent", "red"),
        (streams.ended_by_server, " ended by the server", "" if is_end_usual else "yellow"),
        (streams.completed, " completed", ""),
        (streams.reconnected, " reconnected", ""),
    ):
        yield from if_any(number, name, style)
    yield fact(streams.peak_open, " open at peak")
    longest = report.silence.longest
    if longest is not None and longest.max_ms >= LEAST_SILENCE_MS:
        yield Text(f"longest silence {duration(longest.max_ms)}")


def _events(report: Report) -> Iterator[Text]:
    events, duration_s = report.events, report.run.duration_s
    yield fact(events.received, " received")
    if events.per_s is not None:
        yield fact(events.per_s, "/s")
    if report.requests is None:
        yield from _per_stream(events.per_stream)
    yield from if_any(events.comments, f" comments{_interval(report)}")
    yield Text(size(events.bytes))
    if duration_s and events.bytes:
        yield Text(f"{size(events.bytes / duration_s)}/s")
    # Without the option, only the type of an event is looked at.
    yield from if_any(events.error_events or events.by_type.get(ERROR_TYPE, 0), " report an error", "red")


def _interval(report: Report) -> str:
    interval = report.silence.heartbeat_interval
    return "" if interval is None or interval.p50_ms is None else f", one every {duration(interval.p50_ms)} (median)"


def _per_stream(sizes: Sizes | None) -> Iterator[Text]:
    """Yield the events per stream: one number if it is equal for all streams, else the median and the range."""
    if sizes is None:
        return
    spread = "" if sizes.min == sizes.max else f" ({sizes.min:,} to {sizes.max:,})"
    yield Text(f"{sizes.p50:,} per stream{spread}" if spread else f"{sizes.max:,} per stream")


def _types(report: Report) -> Facts | None:
    types = list(report.events.by_type.items())
    if not types or list(report.events.by_type) == ["message"]:
        return None
    facts = [Text(f"{visible(name, keep_lines=False)} {count:,}") for name, count in types[:MAX_TYPES]]
    if len(types) > MAX_TYPES:
        facts.append(Text(f"and {len(types) - MAX_TYPES:,} more", "dim"))
    return Facts(*facts)


def _audit(report: Report) -> Text | Facts:
    audit = report.audit
    asked = report.run.plan.sequence.asked
    if audit is None:
        return Text("off" if asked == "none" else not_found(asked, "sequence"), "dim")
    lost = audit.lost_at_least
    if audit.lost is None:
        facts = [Text(f"at least {lost:,} lost" if lost else "loss unknown", "red" if lost else "yellow")]
    else:
        facts = [fact(lost, " lost", "red" if lost else "")]
    for count, name in ((audit.duplicated, " duplicated"), (audit.out_of_order, " out of order")):
        facts.append(fact(count, name, "red" if count else ""))
    source = visible(audit.source, keep_lines=False) + (" of each type" if audit.by_type else "")
    return Facts(*facts, Text(f"(by {source})", "dim"))


def not_found(asked: str, what: str) -> str:
    """Return why a field with a sequence or a timestamp was not used."""
    if asked == "auto":
        return f"no {what} found in the events (--{what} names one)"
    return f"no event has a {what} in {visible(asked, keep_lines=False)}"

"""The texts and tables of a run's page, from the report alone. The template escapes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sseclient_cli.render.assertion_words import observed_words
from sseclient_cli.render.error_words import advice_on
from sseclient_cli.render.host_rows import COLUMNS, host_row, named_hosts, titles
from sseclient_cli.render.latency_rows import all_latencies
from sseclient_cli.render.quantities import counted, duration, milliseconds, percent
from sseclient_cli.render.verdict import Trust, missing_workers, verdict
from sseclient_cli.render.words import advice, sentence
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.figure import label_of
from sseclient_cli.report.model import Report, Severity

MAX_TEXT = 400
"""Characters of a text from the server; the document has all of it."""

MAX_TYPES = 200
"""Event types in the page; the document has all."""

MAX_HOSTS = 200
"""Machines of a cluster in the page; the document has all."""

LATENCY_COLUMNS = ("min_ms", "mean_ms", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "p9999_ms", "max_ms")


@dataclass(frozen=True, slots=True)
class Statement:
    """A line with a tone: good, warning, fault, or quiet."""

    tone: str
    label: str
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A head figure. Without a value, ``note`` says why."""

    label: str
    value: str | None
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of a row is its name. None was not measured."""

    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]


def cut(text: str) -> str:
    """Return a text of at most MAX_TEXT characters, and how long it was."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text):,} characters)"


def verdict_statement(report: Report) -> Statement:
    """Return the first lines of the page: whether the run is good, and whether its figures can be trusted."""
    found, missing = verdict(report), missing_workers(report)
    tone, label = _conclusion(report, found.trust)
    return Statement(tone, label, f"{missing} {found.sentence}".strip(), found.advice)


def _conclusion(report: Report, trust: Trust) -> tuple[str, str]:
    """Return the tone and the words of the most important conclusion."""
    streams, requests = report.streams, report.requests
    of_requests, ended = (0, 0) if requests is None else (requests.failed, requests.ended)
    failed = sum(not assertion.passed for assertion in report.assertions)
    faults = sum(finding.severity is Severity.FAULT for finding in report.findings)
    conclusions = (
        (failed, "fault", f"{failed:,} of {counted(len(report.assertions), 'assertion')} failed"),
        (not streams.opened, "fault", "No stream opened"),
        (report.run.incomplete, "fault", "Incomplete: workers were lost"),
        (trust is Trust.SATURATED, "fault", "Saturated: the figures are not those of the server alone"),
        (faults, "fault", f"{counted(faults, 'fault')} found"),
        (of_requests, "fault", f"{of_requests:,} of {counted(ended, 'request')} failed"),
        (streams.failed, "fault", f"{streams.failed:,} of {counted(streams.planned, 'stream')} could not be opened"),
        (streams.broken, "fault", f"{counted(streams.broken, 'stream')} broken by errors"),
        (report.run.interrupted, "warning", "Interrupted: the report covers the part that ran"),
        (report.run.aborted_by, "warning", f"Ended early: {report.run.aborted_by} failed"),
        (report.errors, "warning", f"{counted(sum(error.count for error in report.errors), 'error')}"),
        (trust is Trust.UNKNOWN, "warning", "Not known whether the figures can be trusted"),
        (report.assertions, "good", f"{counted(len(report.assertions), 'assertion')} passed"),
    )
    return next(((tone, words) for holds, tone, words in conclusions if holds), ("good", "No fault found"))


def tiles(report: Report) -> Iterator[Tile]:
    """Yield the head figures."""
    streams, events = report.streams, report.events
    yield Tile("Streams opened", f"{streams.opened:,}", f"of {streams.planned:,} planned")
    yield Tile("Failed", f"{streams.failed:,}", "streams", "fault" if streams.failed else "")
    rate = "" if events.per_s is None else f"{events.per_s:,.0f} per second"
    yield Tile("Events received", f"{events.received:,}", rate)
    why_not = "no timestamp in the events" if events.received else "no event arrived"
    yield latency_tile("Delivery p99", report.latency.delivery, why_not)
    if report.latency.delivery is None and events.received:
        yield latency_tile("Gap p99", report.latency.gap, "no stream received two events")
    yield latency_tile("First event p99", report.latency.first_event, "no event arrived")
    yield _lost(report)


def latency_tile(label: str, latency: Latency | None, why_not: str) -> Tile:
    """Return the tile of a latency: its p99, and the median."""
    if latency is None:
        return Tile(label, None, why_not)
    if latency.p99_ms is None:
        return Tile(label, None, "below zero: the clocks differ")
    median = "" if latency.p50_ms is None else f"median {_with_unit(latency.p50_ms)}"
    return Tile(label, _with_unit(latency.p99_ms), median)


def _with_unit(ms: float) -> str:
    """Return a latency with the digits of the table."""
    return f"{milliseconds(ms)} ms" if abs(ms) < 1_000 else duration(ms)


def _lost(report: Report) -> Tile:
    audit = report.audit
    if audit is None:
        return Tile("Lost events", None, "no sequence number used" if report.events.received else "no event arrived")
    if audit.lost is None:
        known = f"at least {audit.lost_at_least:,}: " if audit.lost_at_least else ""
        return Tile("Lost events", None, f"{known}the numbering restarted")
    return Tile("Lost events", f"{audit.lost:,}", f"of {audit.checked + audit.lost:,}", "fault" if audit.lost else "")


_LABELS = {
    Severity.FAULT: ("fault", "Fault"),
    Severity.WARNING: ("warning", "Warning"),
    Severity.INFO: ("quiet", "Note"),
}


def statements(report: Report) -> list[Statement]:
    """Return the findings."""
    return [
        Statement(*_LABELS[finding.severity], cut(sentence(finding)), advice(finding)) for finding in report.findings
    ]


def assertions(report: Report) -> list[Statement]:
    """Return the assertions with their observed values."""
    return [
        Statement(
            "good" if assertion.passed else "fault",
            "passed" if assertion.passed else "failed",
            assertion.expression,
            f"observed: {observed_words(assertion)}",
        )
        for assertion in report.assertions
    ]


def latency_table(report: Report) -> Table:
    """Return the measured latencies in ms."""
    columns = tuple(label_of(Latency, name) for name in LATENCY_COLUMNS)
    rows: list[tuple[str | None, ...]] = [
        (label, f"{latency.count:,}", *(_ms(getattr(latency, column)) for column in LATENCY_COLUMNS))
        for label, latency in all_latencies(report)
    ]
    return Table(("ms", "count", *columns), rows)


def _ms(value: float | None) -> str | None:
    return None if value is None else milliseconds(value)


def error_statements(report: Report) -> list[tuple[str, str, str, str]]:
    """Return each kind of error: number, kind, first message, advice."""
    of_requests = report.requests is not None
    rows = [
        (f"{error.count:,}", error.kind, cut(error.example), advice_on(error.kind, of_requests=of_requests))
        for error in report.errors
    ]
    return [(*row[:3], f"{row[3][0].upper()}{row[3][1:]}." if row[3] else "") for row in rows]


def event_types(report: Report) -> Table | None:
    """Return the events by type; None if all have the default type."""
    by_type = report.events.by_type
    if not by_type or list(by_type) == ["message"]:
        return None
    total = report.events.received or 1
    rows: list[tuple[str | None, ...]] = [
        (cut(name), f"{count:,}", percent(count / total)) for name, count in list(by_type.items())[:MAX_TYPES]
    ]
    if len(by_type) > MAX_TYPES:
        rows.append((f"and {len(by_type) - MAX_TYPES:,} more types, in the document", None, None))
    return Table(("type", "events", "share"), rows)


def generator_table(report: Report) -> Table | None:
    """Return the delays of the load generator in ms; None without any."""
    generator = report.generator
    named = (
        ("read delay", generator.read_delay),
        ("start delay", generator.start_delay),
        ("loop lag", generator.loop_lag),
    )
    rows: list[tuple[str | None, ...]] = [
        (name, *(_ms(getattr(latency, column)) for column in ("p50_ms", "p99_ms", "max_ms")))
        for name, latency in named
        if latency is not None
    ]
    return Table(("ms", "p50", "p99", "max"), rows) if rows else None


def hosts_table(report: Report) -> Table | None:
    """Return the machines of a cluster; None if there are not several."""
    hosts = named_hosts(report.run.hosts)
    rows = [host_row(host) for host in hosts[:MAX_HOSTS]]
    if len(hosts) > MAX_HOSTS:
        rows.append((f"and {len(hosts) - MAX_HOSTS:,} more hosts, in the document", *[None] * (len(COLUMNS) - 1)))
    return Table(titles(hosts), rows) if hosts else None

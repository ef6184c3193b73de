"""The section of the page about published events: facts, tables and charts, from the report alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sseclient_cli.render.html import run_charts
from sseclient_cli.render.html.charts import Chart, Series, Unit, chart_of
from sseclient_cli.render.html.sections import Table, cut
from sseclient_cli.render.quantities import milliseconds, percent
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.fanout_model import Fanout, Publisher
from sseclient_cli.report.figure import label_of
from sseclient_cli.report.model import Report

Fact = tuple[str, str]

MAX_ROWS = 20
"""Streams and events in a table; the document has up to 100 of each."""

_COLUMNS = ("min_ms", "p50_ms", "p90_ms", "p99_ms", "max_ms")


@dataclass(frozen=True, slots=True)
class FanoutSection:
    """The parts of the section. A table without rows is None."""

    facts: list[Fact]
    publisher: list[Fact]
    latencies: Table | None
    slowest: Table | None
    incomplete_streams: Table | None
    incomplete_events: Table | None
    charts: list[Chart]


def fanout_section(report: Report) -> FanoutSection | None:
    """Return the section; None without a publisher."""
    fanout = report.fanout
    if fanout is None:
        return None
    return FanoutSection(
        facts=list(_facts(fanout)),
        publisher=list(_publisher(fanout.publisher)),
        latencies=_latencies(fanout),
        slowest=_table(
            ("stream", "events", "mean ms", "max ms"),
            [
                (f"{each.stream}", f"{each.received:,}", milliseconds(each.mean_ms), milliseconds(each.max_ms))
                for each in fanout.slowest_streams
            ],
        ),
        incomplete_streams=_table(
            ("stream", "expected", "received"),
            [(f"{each.stream}", f"{each.expected:,}", f"{each.received:,}") for each in fanout.incomplete_streams],
        ),
        incomplete_events=_table(
            ("event", "streams expected", "streams reached"),
            [(f"{each.n}", f"{each.expected:,}", f"{each.received:,}") for each in fanout.incomplete_events],
        ),
        charts=_charts(report, fanout),
    )


def _facts(fanout: Fanout) -> Iterator[Fact]:
    if fanout.reach is None:
        yield "reach", "not measured: no stream was expected to receive an event"
    else:
        yield "reach", f"{percent(fanout.reach)} ({fanout.received:,} of {fanout.expected:,} deliveries)"
        yield "events that reached all streams", f"{fanout.reached_all:,} of {fanout.events:,}"
        yield "streams with all events", f"{fanout.complete_streams:,} of {fanout.streams:,}"
    if fanout.least_event_reach is not None and fanout.least_stream_reach is not None:
        least = f"{percent(fanout.least_event_reach)} of an event, {percent(fanout.least_stream_reach)} of a stream"
        yield "lowest reach", least
    if fanout.fairness is not None:
        yield "fairness", percent(fanout.fairness)
    yield "duplicated", f"{fanout.duplicated:,}"
    yield "out of order", f"{fanout.out_of_order:,}"
    for name, count in (
        ("published before the stream opened", fanout.replayed),
        ("of failed publications", fanout.unconfirmed),
        ("without a known delay", fanout.untimed),
        ("streams not followed", fanout.unfollowed),
    ):
        if count:
            yield name, f"{count:,}"


def _publisher(publisher: Publisher) -> Iterator[Fact]:
    yield "published to", cut(publisher.command or f"{publisher.method} {publisher.url}")
    yield "rate", f"{publisher.rate_per_s:g} per second, from {publisher.first_s:g} s on"
    yield "published", f"{publisher.published:,} of {publisher.planned:,} planned"
    yield "failed", f"{publisher.failed:,}"
    yield "late", f"{publisher.late:,}"
    yield from (("error", f"{each.count:,} {each.kind}: {cut(each.example)}") for each in publisher.errors)


def _latencies(fanout: Fanout) -> Table | None:
    named = (
        ("delay", fanout.delay),
        ("spread", fanout.spread),
        ("mean delay of a stream", fanout.stream_delay),
        ("publish request", fanout.publisher.request),
        ("publication late by", fanout.publisher.lateness),
    )
    rows: list[tuple[str | None, ...]] = [
        (name, f"{latency.count:,}", *(milliseconds(getattr(latency, column)) for column in _COLUMNS))
        for name, latency in named
        if latency is not None
    ]
    return _table(("ms", "count", *(label_of(Latency, column) for column in _COLUMNS)), rows)


def _table(columns: tuple[str, ...], rows: list[tuple[str | None, ...]]) -> Table | None:
    if not rows:
        return None
    more: list[tuple[str | None, ...]] = [(f"and {len(rows) - MAX_ROWS:,} more",)] if len(rows) > MAX_ROWS else []
    return Table(columns, [*rows[:MAX_ROWS], *((*row, *[None] * (len(columns) - len(row))) for row in more)])


def _charts(report: Report, fanout: Fanout) -> list[Chart]:
    rows = fanout.timeline
    chart = chart_of(
        [
            Series(label="p50", values=[row.delay_p50_ms for row in rows]),
            Series(label="p99", values=[row.delay_p99_ms for row in rows]),
        ],
        id="fanout-delay",
        title="Delay from publication to arrival",
        unit=Unit.MS,
        x=[row.t_s for row in rows],
        marks=run_charts.marks(report),
    )
    return [chart] if chart else []

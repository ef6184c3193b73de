"""The rows of the summary about published events: publisher, reach, delay, slowest and incomplete streams."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import milliseconds, percent
from sseclient_cli.render.terminal.rows import Facts, Row, fact, if_any
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.fanout_model import Fanout, Publisher

MAX_NAMED = 10
"""Streams that a row names; the JSON report has more."""


def fanout_rows(fanout: Fanout, opened: int) -> Iterator[Row]:
    """Yield the rows; ``opened`` is the number of streams that opened in the run."""
    yield Row(Text("publish", "bold"), Facts(*_publisher(fanout.publisher)))
    yield Row(Text("fan-out", "bold"), Facts(*_reach(fanout, opened)))
    if fanout.delay is not None:
        yield Row(Text("delay", "bold"), Facts(*_delay(fanout)))
    if fanout.slowest_streams:
        yield Row(Text("slowest", "bold"), Facts(*_slowest(fanout)))
    if fanout.incomplete_streams:
        yield Row(Text("missed", "bold"), Facts(*_incomplete(fanout)))


def _publisher(publisher: Publisher) -> Iterator[Text]:
    done = publisher.published
    yield fact(done, " events")
    yield Text(f"{publisher.rate_per_s:g}/s")
    yield from if_any(publisher.failed, " failed", "red")
    yield from if_any(publisher.late, " late", "yellow")
    if publisher.request is not None:
        yield Text(f"request {_percentiles(publisher.request)}")
    where = publisher.command or f"{publisher.method} {publisher.url}"
    yield Text(f"({visible(where, keep_lines=False)})", "dim")


def _reach(fanout: Fanout, opened: int) -> Iterator[Text]:
    if fanout.reach is None:
        yield Text("no stream was expected to receive an event", "yellow")
        return
    yield Text(f"{percent(fanout.reach)} reach", "red" if fanout.missed else "")
    yield Text(f"{fanout.reached_all:,} of {fanout.events:,} events reached all streams")
    yield Text(f"{fanout.complete_streams:,} of {fanout.streams:,} streams complete")
    yield from if_any(max(opened - fanout.streams, 0), " streams left out: not open for a whole event", "yellow")
    yield from if_any(fanout.missed, " missed", "red")
    yield from if_any(fanout.duplicated, " duplicated", "red")
    yield from if_any(fanout.out_of_order, " out of order", "red")
    yield from if_any(fanout.replayed, " published before the stream opened")
    yield from if_any(fanout.unconfirmed, " of failed publications")
    yield from if_any(fanout.untimed, " without a known delay", "yellow")


def _delay(fanout: Fanout) -> Iterator[Text]:
    if fanout.delay is not None:
        yield Text(f"{_percentiles(fanout.delay)}, at most {milliseconds(fanout.delay.max_ms)} ms")
    if fanout.spread is not None:
        yield Text(f"spread {_percentiles(fanout.spread)}")
    if fanout.fairness is not None:
        yield Text(f"fairness {percent(fanout.fairness)}")


def _percentiles(latency: Latency) -> str:
    return f"p50 {milliseconds(latency.p50_ms)} ms p99 {milliseconds(latency.p99_ms)} ms"


def _slowest(fanout: Fanout) -> Iterator[Text]:
    for each in fanout.slowest_streams[:MAX_NAMED]:
        yield Text(f"#{each.stream} {milliseconds(each.mean_ms)} ms")


def _incomplete(fanout: Fanout) -> Iterator[Text]:
    shown = fanout.incomplete_streams[:MAX_NAMED]
    for each in shown:
        yield Text(f"#{each.stream} {each.expected - each.received:,} of {each.expected:,}", "red")
    more = fanout.streams - fanout.complete_streams - len(shown)
    if more > 0:
        yield Text(f"and {more:,} more streams", "dim")

"""Builds the part of the report about published events from the totals, and the totals from the report. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

from sseclient_cli.measure.fanout_totals import FanoutTotals, PublisherFacts, Shortfall, StreamDelay
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.rounding import percentile_us
from sseclient_cli.report import fanout_model as model
from sseclient_cli.report.distributions import Latency, TimestampSource
from sseclient_cli.report.figure import Part
from sseclient_cli.report.timeline_model import counts_in, text_of_counts

_TOTALS = frozenset(each.name for each in fields(FanoutTotals))


def fanout_of(totals: FanoutTotals | None, source: TimestampSource, interval_s: int) -> model.Fanout | None:
    """Return the part of the report; None without a publisher."""
    if totals is None or totals.publisher is None:
        return None
    return model.Fanout(
        **_figures(model.Fanout, totals),
        publisher=_publisher(totals, totals.publisher),
        grace_s=totals.publisher.grace_s,
        missed=totals.expected - totals.received,
        reach=totals.received / totals.expected if totals.expected else None,
        delay=Latency.of(totals.delay, source),
        spread=Latency.of(totals.spread, source),
        stream_delay=Latency.of(totals.stream_delay, source),
        fairness=_fairness(totals.stream_delay),
        slowest_streams=[
            model.SlowStream(
                stream=each.stream, received=each.received, mean_ms=each.mean_us / 1000, max_ms=each.max_us / 1000
            )
            for each in totals.slowest
        ],
        incomplete_streams=[
            model.StreamShortfall(stream=each.number, expected=each.expected, received=each.received)
            for each in totals.missing_streams
        ],
        incomplete_events=[
            model.EventShortfall(n=each.number, expected=each.expected, received=each.received)
            for each in totals.missing_events
        ],
        timeline=[_row(row * interval_s, counts) for row, counts in sorted(totals.rows.items())],
    )


def _publisher(totals: FanoutTotals, facts: PublisherFacts) -> model.Publisher:
    return model.Publisher(
        **_figures(model.Publisher, totals),
        url=facts.url or None,
        method=facts.method or None,
        command=facts.command or None,
        rate_per_s=facts.rate_per_s,
        first_s=facts.first_s,
        last_s=facts.last_s,
        lateness=Latency.of(totals.lateness, "user"),
        request=Latency.of(totals.request, "user"),
        errors=[
            model.PublishError(kind=kind, count=count, example=totals.examples.get(kind, ""))
            for kind, count in sorted(totals.errors.items(), key=lambda item: (-item[1], item[0]))
        ],
    )


def _fairness(stream_delay: Histogram) -> float | None:
    if stream_delay.count < 2 or stream_delay.max_us <= 0:
        return None
    median_us = stream_delay.percentiles_us([50])[50]
    return None if median_us is None else round(min(median_us / stream_delay.max_us, 1), 4)


def _row(t_s: int, counts: Counter[int]) -> model.FanoutRow:
    return model.FanoutRow(
        t_s=t_s,
        delay_p50_ms=percentile_us(counts, 50) / 1000,
        delay_p99_ms=percentile_us(counts, 99) / 1000,
        delay_us=text_of_counts(counts),
    )


def totals_of_fanout(fanout: model.Fanout | None, interval_s: int) -> FanoutTotals | None:
    """Return the totals that the report holds."""
    if fanout is None:
        return None
    publisher = fanout.publisher
    return FanoutTotals(
        PublisherFacts(
            command=publisher.command or "",
            url=publisher.url or "",
            method=publisher.method or "",
            rate_per_s=publisher.rate_per_s,
            first_s=publisher.first_s,
            last_s=publisher.last_s,
            grace_s=fanout.grace_s,
        ),
        **{name: getattr(part, name) for part in (fanout, publisher) for name in _same(type(part))},
        errors=Counter({each.kind: each.count for each in publisher.errors}),
        examples={each.kind: each.example for each in publisher.errors},
        lateness=_histogram(publisher.lateness),
        request=_histogram(publisher.request),
        delay=_histogram(fanout.delay),
        spread=_histogram(fanout.spread),
        stream_delay=_histogram(fanout.stream_delay),
        rows={row.t_s // interval_s: Counter(counts_in(row.delay_us)) for row in fanout.timeline},
        slowest=[
            StreamDelay(each.stream, each.received, round(1000 * each.mean_ms), round(1000 * each.max_ms))
            for each in fanout.slowest_streams
        ],
        missing_streams=[Shortfall(each.stream, each.expected, each.received) for each in fanout.incomplete_streams],
        missing_events=[Shortfall(each.n, each.expected, each.received) for each in fanout.incomplete_events],
    )


def _figures(part: type[Part], totals: FanoutTotals) -> dict[str, Any]:
    return {name: getattr(totals, name) for name in _same(part)}


def _same(part: type[Part]) -> list[str]:
    """Return the numbers of a part of the report that are totals with the same name."""
    numbers = (name for name, each in part.model_fields.items() if each.annotation in (int, float | None))
    return [name for name in numbers if name in _TOTALS]


def _histogram(latency: Latency | None) -> Histogram:
    return Histogram() if latency is None else latency.histogram()

"""A usual fan-out of published events, with a few losses."""

from __future__ import annotations

from sseclient_cli.measure.fanout_totals import FanoutTotals, PublisherFacts, Shortfall, StreamDelay


def usual_fanout(url: str = "http://h/channels/a") -> FanoutTotals:
    """Return the totals of 48 events on 200 streams."""
    facts = PublisherFacts(url=url, method="POST", rate_per_s=5, first_s=1, last_s=9, grace_s=1)
    fanout = FanoutTotals(
        facts, planned=50, published=48, failed=2, late=1, events=48, reached_all=40, streams=200, expected=9_600,
        received=9_500, complete_streams=188, duplicated=3, missing_streams=[Shortfall(7, 48, 40)] * 12,
        slowest=[StreamDelay(200, 48, 33_700, 64_000)],
    )  # fmt: skip
    fanout.delay.record({25_000: 9_000, 53_700: 500})
    fanout.spread.record({10_200: 48})
    fanout.stream_delay.record({20_000: 199, 33_700: 1})
    return fanout

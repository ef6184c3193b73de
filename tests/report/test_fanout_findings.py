"""Findings on published events, from the figures of a report."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from report_json import built, json_of, report_of

from sseclient_cli.measure.fanout_totals import FanoutTotals, PublisherFacts
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan

FACTS = PublisherFacts(url="http://h/p", method="POST", rate_per_s=5, first_s=1, last_s=9, grace_s=1)


def found(
    publisher: dict[str, Any] | None = None, *, requests_differ: bool = False, **figures: Any
) -> dict[str, dict[str, Any]]:
    """Return the findings on 40 streams and 50 events with these figures."""
    totals = Totals(planned=40, opened=40, fanout=FanoutTotals(FACTS, planned=50, published=50, events=50, streams=40))
    chain = (ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80))),)
    made = json_of(built(Plan(connections=40, duration_s=10, ramp_up_s=1), chain, totals))
    made["run"]["target"]["requests_differ"] = requests_differ
    fanout = made["fanout"]
    fanout |= {"expected": 2_000, "received": 2_000, "reach": 1.0, "complete_streams": 40, **figures}
    fanout["missed"] = fanout["expected"] - fanout["received"]
    fanout["publisher"] |= publisher or {}
    return {
        each.code: each.figures
        for each in report_of(made).findings
        if each.code.startswith(("fanout", "publish", "nothing"))
    }


def test_a_complete_fan_out_has_no_finding() -> None:
    assert found() == {}


def test_streams_with_requests_of_their_own_say_nothing_about_processes() -> None:
    half: dict[str, Any] = {
        "received": 1_000,
        "reach": 0.5,
        "least_stream_reach": 0.0,
        "most_stream_reach": 1.0,
        "streams_without": 20,
    }
    assert found(complete_streams=20, **half).keys() == {"fanout-split"}
    missed = found(requests_differ=True, complete_streams=20, **half)
    assert missed.keys() == {"fanout-missed"}
    assert missed["fanout-missed"]["requests_differ"]


@pytest.mark.parametrize(
    ("figures", "processes"),
    [
        ({"reach": 0.5, "least_stream_reach": 0.48, "most_stream_reach": 0.52, "separate_groups": 2}, 2),
        ({"reach": 0.34, "least_stream_reach": 0.3, "most_stream_reach": 0.36, "separate_groups": 3}, 3),
        # Uneven: one process took most publications.
        ({"reach": 0.8, "least_stream_reach": 0.1, "most_stream_reach": 0.9, "separate_groups": 2}, 2),
        # Other losses too.
        ({"reach": 0.47, "least_stream_reach": 0.4, "most_stream_reach": 0.52}, 2),
        # Only one process took publications.
        (
            {
                "reach": 0.5, "least_stream_reach": 0.0, "most_stream_reach": 1.0, "complete_streams": 20,
                "streams_without": 20, "separate_groups": 2,
            },
            2,
        ),
    ],
)  # fmt: skip
def test_a_fan_out_within_each_process_is_noticed(figures: dict[str, Any], processes: int) -> None:
    shown = found(received=round(2_000 * figures["reach"]), **{"complete_streams": 0, **figures})
    assert shown.keys() == {"fanout-split"}
    assert shown["fanout-split"]["processes"] == processes


@pytest.mark.parametrize(
    "figures",
    [
        {"reach": 0.99, "least_stream_reach": 0.9, "most_stream_reach": 1.0, "complete_streams": 30},
        {"reach": 0.5, "least_stream_reach": 0.1, "most_stream_reach": 1.0, "complete_streams": 10},
        # One broken stream among good ones is no process of its own.
        {
            "reach": 0.975, "least_stream_reach": 0.0, "most_stream_reach": 1.0, "complete_streams": 39,
            "streams_without": 1, "separate_groups": 2,
        },
    ],
)  # fmt: skip
def test_other_losses_name_their_streams(figures: dict[str, Any]) -> None:
    streams = [{"stream": 7, "expected": 50, "received": 20}]
    shown = found(received=1_500, incomplete_streams=streams, **figures)
    assert shown.keys() == {"fanout-missed"}
    assert shown["fanout-missed"]["named"] == [7]


def test_no_delivery_at_all_is_a_finding_of_its_own() -> None:
    assert found(received=0, reach=0.0, complete_streams=0, streams_without=40).keys() == {"fanout-nothing"}


def test_a_publisher_that_fails_or_is_late_is_named() -> None:
    error = [{"kind": "http-503", "count": 5, "example": "HTTP 503"}]
    assert found({"published": 45, "failed": 5, "errors": error})["publish-failed"]["example"] == "HTTP 503"
    assert found({"published": 0, "failed": 5, "errors": error}).keys() == {"nothing-published"}
    assert found({"late": 2}) == {}
    assert found({"late": 3})["publish-late"]["late"] == 3


def test_events_that_came_again_or_in_another_order_are_warnings() -> None:
    assert found(duplicated=2, out_of_order=1).keys() == {"fanout-duplicated", "fanout-out-of-order"}

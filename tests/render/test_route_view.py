"""The summary of the route to the server, from the report alone."""

import socket
from typing import Any

import pytest
from report_json import ReportJson, built, json_of, report_of

from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.measure.totals import Totals
from sseclient_cli.render.terminal.route_view import route_notes
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


def document(connections: dict[str, int] | None = None, *, opened: int = 10, **target: Any) -> ReportJson:
    totals = Totals(planned=10, opened=opened, cpu_percent=[1.0])
    totals.connections.update({Endpoint("pool.test", place, 80): count for place, count in (connections or {}).items()})
    hop = ResolvedTarget(Target(url="http://pool.test/x", **target), Address(socket.AF_INET, ("127.0.0.2", 80)))
    return json_of(built(Plan(connections=10, duration_s=10, ramp_up_s=1), (hop,), totals, 0))


def lines(of: ReportJson) -> list[tuple[str, str]]:
    return [(line.plain, str(line.style)) for line in route_notes(report_of(of))]


def test_a_direct_route_to_one_address_has_no_note() -> None:
    assert lines(document({"127.0.0.2": 10})) == []


@pytest.mark.parametrize(
    ("connections", "target", "words"),
    [
        (
            {"127.0.0.2": 1000, "127.0.0.3": 0},
            {},
            "has 2; all 1,000 connections went to 127.0.0.2 (use all with --all-addresses)",
        ),
        ({"127.0.0.2": 1, "::1": 0}, {"all_addresses": True}, "has 2; all 1 connections went to 127.0.0.2"),
        ({"127.0.0.2": 5, "127.0.0.3": 5}, {}, "has 2; connections: 5 to 127.0.0.2, 5 to 127.0.0.3"),
    ],
    ids=str,
)
def test_a_name_with_several_addresses_says_where_the_load_went(
    connections: dict[str, int], target: dict[str, Any], words: str
) -> None:
    assert lines(document(connections, **target)) == [(f"addresses: pool.test {words}", "dim")]


def test_of_many_addresses_the_first_are_listed() -> None:
    ((line, _),) = lines(document({f"127.0.0.{number}": 1 for number in range(1, 200)}))
    assert line.startswith("addresses: pool.test has 199; connections: 1 to 127.0.0.1, 1 to")
    assert line.endswith("1 to 127.0.0.10 ...")


def test_the_only_address_of_a_name_is_shown_when_no_stream_opened() -> None:
    assert lines(document({"127.0.0.2": 10}, opened=0)) == [("addresses: pool.test is 127.0.0.2", "dim")]


@pytest.mark.parametrize(
    ("urls", "words", "style"),
    [
        (["http://evil.test/ok"] * 10, "the load went to http://evil.test/ok", "yellow"),
        (["http://pool.test/other"] * 10, "the load went to http://pool.test/other", "dim"),
        (["http://pool.test:81/x"] * 10, "the load went to http://pool.test:81/x", "yellow"),
        (["http://pool.test/y"] * 3, "3 of 10 connections went to http://pool.test/y", "dim"),
        (
            ["http://pool.test/y"] * 9 + ["http://evil.test/"],
            "9 of 10 connections went to http://pool.test/y, the rest elsewhere (run.redirections in the report)",
            "yellow",
        ),
        (["http://evil.test/\x1b[2J"] * 10, "the load went to http://evil.test/\\x1b[2J", "yellow"),
    ],
    ids=str,
)
def test_a_load_that_was_led_elsewhere_stands_out(urls: list[str], words: str, style: str) -> None:
    shown = document()
    entries = [{"url": url, "streams": urls.count(url)} for url in dict.fromkeys(urls)]
    shown["run"]["redirections"] = entries
    shown["run"]["target"]["redirected_to"] = urls[0]
    assert lines(shown) == [(f"redirected: {words}", style)]


@pytest.mark.parametrize(
    ("requests", "words"), [(1, "1 request before the run"), (3, "3 requests before the run")], ids=str
)
def test_the_preflight_is_named(requests: int, words: str) -> None:
    shown = document()
    shown["run"]["preflight"] = {"requests": requests, "status": 200, "closed": True}
    ((line, style),) = lines(shown)
    assert (line.startswith(f"preflight: {words}, not counted (skip with --no-preflight)"), style) == (
        True,
        "dim",
    )

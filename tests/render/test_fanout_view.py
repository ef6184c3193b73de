"""The rows of the summary about published events."""

from __future__ import annotations

import io
import socket

import pytest
from fanout_totals import usual_fanout
from report_json import built
from rich.console import Console

from sseclient_cli.measure.totals import Totals
from sseclient_cli.render.terminal.fanout_view import fanout_rows
from sseclient_cli.report.model import Report
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


def report(url: str = "http://h/channels/a") -> Report:
    chain = (ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80))),)
    return built(Plan(connections=200, duration_s=10, ramp_up_s=1), chain, Totals(fanout=usual_fanout(url)))


def shown(width: int, opened: int = 200, **arguments: str) -> str:
    fanout = report(**arguments).fanout
    assert fanout is not None
    console = Console(file=io.StringIO(), width=width)
    for row in fanout_rows(fanout, opened):
        console.print(row)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_rows_name_reach_delay_and_streams() -> None:
    assert shown(130) == (
        "publish  48 events  5/s  2 failed  1 late  (POST http://h/channels/a)\n"
        "fan-out  99 % reach  40 of 48 events reached all streams  188 of 200 streams complete  100 missed"
        "  3 duplicated\n"
        "delay    p50 25.0 ms p99 53.7 ms, at most 53.7 ms  spread p50 10.2 ms p99 10.2 ms  fairness 59 %\n"
        "slowest  #200 33.7 ms\n"
        f"missed   {'  '.join(['#7 8 of 48'] * 10)}\n"
        "         and 2 more streams\n"
    )


def test_streams_that_could_receive_no_event_are_named() -> None:
    assert "188 of 200 streams complete  14 streams left out: not open for a whole event" in shown(200, opened=214)


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_breaks_between_figures(width: int) -> None:
    lines = shown(width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line.startswith(("publish ", "fan-out ", "delay ", "slowest ", "missed ", "    ")) for line in lines)


def test_text_from_outside_is_escaped() -> None:
    assert "\x1b" not in shown(120, url="http://h/\x1b[31m")

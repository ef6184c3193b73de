from __future__ import annotations

import io

import pytest
from rich.console import Console

from sseclient_cli.measure.stream_statistics import Gaps, StreamSummary
from sseclient_cli.render.watch.summary_view import stream_summary

TYPES = (("tick", 120), ("message", 12), *((f"type-{number}", 2) for number in range(9)))
SUMMARY = StreamSummary(
    duration_s=123.4,
    events=152,
    types=(*TYPES, ("bad\x1b[2J", 1)),
    events_of_more_types=1,
    events_not_selected=7,
    data_bytes=55_300,
    comments=8,
    connections=3,
    gaps=Gaps(p50_us=99_840, p99_us=1_200_000, longest_us=32_000_000),
    longest_silence_s=15.2,
    last_event_id="id\n" + "9" * 100,
)
NOTHING = StreamSummary(
    duration_s=0.0,
    events=0,
    types=(),
    events_of_more_types=0,
    events_not_selected=0,
    data_bytes=0,
    comments=0,
    connections=0,
    gaps=None,
    longest_silence_s=None,
    last_event_id="",
)


def text_of(summary: StreamSummary, width: int, not_drawn: int = 0) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(stream_summary(summary, not_drawn=not_drawn))
    return capture.get()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_all_figures_are_shown_at_each_width(width: int) -> None:
    text = text_of(SUMMARY, width, not_drawn=12_345)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    assert "152 events 1.2 events/s in 123.4 s 55.3 kB of data 7 more not selected 12,345 not drawn" in words
    assert "tick 120 message 12 type-0 2" in words
    assert "(other types) 4" in words
    assert "gaps p50 100 ms p99 1.20 s longest 32.0 s" in words
    assert "silence longest 15.2 s 8 comments" in words
    assert r"3 connections 2 reconnects last ID id\x0a999" in words
    assert "…" in words


def test_what_was_not_measured_has_no_row() -> None:
    assert text_of(NOTHING, 80).strip() == "stream   0 events  0 bytes of data"

"""The panel of the live view in terminals of several sizes."""

from __future__ import annotations

import re

import pytest
from golden import Golden
from live_runs import progress_at, run_until
from rich.cells import cell_len

from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.line import Line, Style
from sseclient_cli.render.live.panel import panel
from sseclient_cli.run.progress import Progress

URL = "http://127.0.0.1:8000/load?rate=10"
MANY_ERRORS = {f"http-{status}": status for status in range(500, 515)}


def text_of(history: RunHistory, width: int, height: int) -> str:
    return "\n".join(line.text() for line in panel(history, URL, width, height))


@pytest.mark.parametrize(("width", "height"), [(60, 10), (80, 10), (200, 10), (60, 24), (80, 24), (200, 50)])
def test_a_run_under_way_reads_like_this(golden: Golden, width: int, height: int) -> None:
    history = run_until(12.5, workers=2, errors={"connect-refused": 2, "http-503": 1_200})
    golden(f"live-{width}x{height}", text_of(history, width, height))


def test_a_saturated_run_says_so_while_it_runs(golden: Golden) -> None:
    history = run_until(12.5, cpu_percent=99.0, read_delay_us=120_000)
    golden("live-saturated", text_of(history, 80, 24))
    assert "BOTTLENECK" in text_of(history, 80, 10)


def test_a_run_that_has_not_started_has_no_figures(golden: Golden) -> None:
    history = RunHistory()
    history.add(Progress(duration_s=10, planned=500, silent=None, audits=None))
    golden("live-before-the-start", text_of(history, 80, 24))


def test_without_timestamps_delivery_is_a_dash(golden: Golden) -> None:
    golden("live-without-timestamps", text_of(run_until(5, delivery=False), 80, 24))


@pytest.mark.parametrize("width", [30, 40, 59, 60, 79, 80, 120, 131, 132, 199])
@pytest.mark.parametrize("height", [3, 8, 10, 19, 20, 23, 24, 40, 60])
def test_a_frame_never_exceeds_the_terminal(width: int, height: int) -> None:
    history = run_until(12.5, workers=4, errors=MANY_ERRORS)
    lines = panel(history, URL, width, height)
    assert len(lines) <= height
    shown = [re.sub(r"\x1b\[[0-9;]*m", "", line.ansi(width)) for line in lines]
    assert all(cell_len(line) <= width for line in shown)
    if width >= 59:
        assert shown == [line.text() for line in lines]  # nothing was cut, so no digit is


@pytest.mark.parametrize("width", [59, 79, 199])
def test_figures_keep_their_places_while_the_run_goes_on(width: int) -> None:
    """Digits grow to the left: the titles of the columns stay where they are."""
    titles = []
    for at_s in (3, 9, 30, 59):
        rows = text_of(run_until(at_s), width, 24).splitlines()
        titles.append(
            [(title, row.find(title)) for row in rows for title in ("failed", "read delay", "p99 ") if title in row]
        )
    assert titles[0] == titles[1] == titles[2] == titles[3]


def test_text_from_outside_is_escaped() -> None:
    history = run_until(3, errors={"http-503": 7})
    lines = panel(history, "http://h/\x1b]0;owned\x07", 200, 40)
    shown = "\n".join(line.text() for line in lines)
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert r"\x1b[31m says so" in shown


def test_a_tall_terminal_shows_more_errors_and_workers() -> None:
    history = run_until(12.5, workers=4, errors=MANY_ERRORS)
    low, high = text_of(history, 80, 24), text_of(history, 80, 60)
    assert "more kinds" in low
    assert "more kinds" not in high
    assert all(f"http-{status}" in high for status in range(500, 515))
    assert ("worker 3" in low, "worker 3" in high) == (False, True)


def test_a_wide_character_counts_two_columns() -> None:
    assert Line("日本", ("x", Style.BOLD)).width == 5
    assert Line("日本語").padded(5).text() == "日本 "


def test_the_bar_ends_with_the_run() -> None:
    history = RunHistory()
    history.add(progress_at(60.2))
    bar = panel(history, URL, 80, 24)[1].text()
    assert "100%" in bar
    assert "0.0 s left" in bar

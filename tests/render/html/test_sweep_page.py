"""The page of a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser
from html_pages import HOSTILE, assert_harmless, assert_legible, charts_of, open_page, series_of, text_of
from sweeps import sweep, sweep_step

from sseclient_cli.render.html.sweep_page import sweep_page
from sseclient_cli.report.read import read_document


def test_the_outcome_and_the_knee_come_first() -> None:
    text = text_of(sweep_page(sweep()))
    assert "3 of 6 steps passed, 2 failed, 1 saturated" in text
    assert text.index("3 of 6 steps") < text.index("Knee: above 64 streams") < text.index("Delivery by throughput")


def test_latency_by_throughput_connects_the_loads_in_their_order() -> None:
    curve = charts_of(sweep_page(sweep()))["curve"]
    assert curve["x"] == [10, 80, 640, 1100, 1255]
    assert curve["labels"] == ["1", "8", "64 (knee)", "4,096", "512"]
    assert curve["order"] == [0, 1, 2, 4, 3]
    assert series_of(curve)["p99"] == [9.5, 9.75, 12.25, None, 500]


def test_each_column_is_drawn_against_the_load() -> None:
    charts = charts_of(sweep_page(sweep()))
    by_load = [chart for chart in charts.values() if chart["axis"] == "load"]
    assert [list(series_of(chart)) for chart in by_load] == [["events/s"], ["p50", "p99"], ["CPU"]]
    assert all(chart["x"] == [1, 8, 64, 512, 4096] for chart in by_load)
    assert all([mark["label"] for mark in chart["marks"]] == ["knee"] for chart in by_load)


def test_the_page_holds_the_sweep() -> None:
    assert read_document(sweep_page(sweep()), "sweep.html") == sweep()


def test_a_sweep_that_ended_early_says_so() -> None:
    text = text_of(sweep_page(sweep(loads=[1, 8, 64, 512, 4096, 512, 9000], interrupted=True, reason="interrupted")))
    assert "Not run: 9,000 streams (interrupted)." in text


@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_is_legible_and_hostile_texts_do_nothing(browser: Browser, tmp_path: Path, width: int) -> None:
    found = sweep(HOSTILE, url=HOSTILE, expressions=[HOSTILE], loads=[1, 8, 64, 512, 4096, 512, 9], reason=HOSTILE)
    open_page(browser, sweep_page(found), tmp_path, width)
    assert_harmless(browser)
    assert_legible(browser)


def test_a_single_step_without_figures_makes_a_page(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, sweep_page(sweep(steps=[sweep_step(1000, None, None)], knee=None)), tmp_path)
    assert_legible(browser)

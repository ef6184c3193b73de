"""The page of a limit search."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser
from html_pages import HOSTILE, assert_harmless, assert_legible, charts_of, open_page, series_of, text_of
from limit_searches import limit_search, step

from sseclient_cli.render.html.limit_page import limit_page
from sseclient_cli.report.read import read_document
from sseclient_cli.report.step_model import StepStatus


def test_the_limit_and_the_knee_come_first() -> None:
    text = text_of(limit_page(limit_search()))
    assert "Limit: 2,000 streams (4,000 failed: delivery.p99 &lt; 100ms: 480 ms)." in text
    assert "Knee: above 2,828 streams" in text
    assert text.index("Limit: 2,000") < text.index("Load and latency") < text.index("Steps")


def test_a_search_without_a_passing_load_says_so() -> None:
    text = text_of(limit_page(limit_search(limit=None, knee=None)))
    assert "No load passed" in text
    assert "Knee" not in text


def test_the_curve_has_the_median_of_a_load_and_a_gap_where_nothing_was_measured() -> None:
    charts = charts_of(limit_page(limit_search()))
    assert charts["latency"]["x"] == [1000, 2000, 2828, 4000]
    assert series_of(charts["latency"])["p99"] == [9.5, 12.25, None, 500]
    assert [mark["label"] for mark in charts["latency"]["marks"]] == ["limit", "knee"]
    assert "cpu" not in charts


def test_the_steps_are_listed_in_their_order() -> None:
    text = text_of(limit_page(limit_search()))
    places = [text.index(words) for words in ("1,000 3.167 9.500", "4,000 160 480", "2,828 - - 28,280 -")]
    assert places == sorted(places)


def test_the_page_holds_the_search() -> None:
    assert read_document(limit_page(limit_search()), "limit.html") == limit_search()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_is_legible(browser: Browser, tmp_path: Path, theme: str, width: int) -> None:
    open_page(browser, limit_page(limit_search()), tmp_path, width, theme)
    assert_legible(browser)


def test_hostile_texts_do_nothing(browser: Browser, tmp_path: Path) -> None:
    search = limit_search(HOSTILE, url=HOSTILE, expressions=[HOSTILE], latency=HOSTILE)
    open_page(browser, limit_page(search), tmp_path, 375)
    assert_harmless(browser)
    assert_legible(browser)


def test_a_single_step_makes_a_page(browser: Browser, tmp_path: Path) -> None:
    search = limit_search(steps=[step(1000, 9.5, StepStatus.PASSED)], limit=1000, first_failing=None, knee=None)
    open_page(browser, limit_page(search), tmp_path)
    assert_legible(browser)

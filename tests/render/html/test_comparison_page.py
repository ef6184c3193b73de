"""The page of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from comparisons import run_of
from html_pages import HOSTILE, assert_harmless, assert_legible, charts_of, open_page, series_of, text_of

from sseclient_cli.render.html.comparison_page import comparison_page
from sseclient_cli.report.comparison import comparison_of
from sseclient_cli.report.comparison_model import Comparison
from sseclient_cli.report.read import read_document


def worse() -> Comparison:
    return comparison_of([run_of(1), run_of(2, slower=2)], ["before.json", "after.json"])


def test_the_conclusion_comes_before_the_figures() -> None:
    text = text_of(comparison_page(worse()))
    assert text.index("A before.json") < text.index("B against A: ") < text.index("figure A B change noise verdict")


def test_worse_figures_come_first_with_their_change() -> None:
    made = comparison_page(worse())
    first = made[made.index("<tbody>") :]
    assert 'class="fault">worse' in first[: first.index("</tr>")]


def test_both_reports_are_lines_of_the_same_charts() -> None:
    charts = charts_of(comparison_page(worse()))
    assert {"curve-delivery", "delivery", "events", "open"} <= set(charts)
    assert all(list(series_of(chart)) == ["A", "B"] for chart in charts.values())


def test_the_page_holds_the_comparison() -> None:
    assert read_document(comparison_page(worse()), "c.html") == worse()


def test_reports_with_rows_of_different_lengths_have_no_charts_over_time() -> None:
    first, second = run_of(1), run_of(2)
    second = second.model_copy(update={"run": second.run.model_copy(update={"interval_s": 2})})
    assert set(charts_of(comparison_page(comparison_of([first, second])))) == {"curve-delivery"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_is_legible(browser: Browser, tmp_path: Path, theme: str, width: int) -> None:
    open_page(browser, comparison_page(worse()), tmp_path, width, theme)
    assert_legible(browser)


def test_hostile_names_and_urls_do_nothing(browser: Browser, tmp_path: Path) -> None:
    fields: dict[str, Any] = worse().model_dump(mode="json", by_alias=True)
    fields["names"] = [HOSTILE, HOSTILE]
    fields["notes"] = [HOSTILE]
    for report in fields["reports"]:
        report["run"]["target"]["url"] = HOSTILE
    for difference in fields["differences"]:
        difference["name"] = HOSTILE
        difference["changes"][0] |= {"reason": HOSTILE, "interval": None}
    open_page(browser, comparison_page(Comparison.model_validate(fields)), tmp_path, 375)
    assert_harmless(browser)
    assert_legible(browser)

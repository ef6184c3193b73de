"""The page in Chromium: hostile texts, widths, themes, charts, buttons."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Browser
from fanout_totals import usual_fanout
from html_pages import HOSTILE, KEPT, PATIENCE_S, assert_harmless, assert_legible, console, hostile_texts, open_page
from pydantic import ValidationError
from report_json import ReportJson, report_of
from run_reports import failed_run, run_with_storm, usual_run
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sseclient_cli.render.html.page import page
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import to_json

WIDTHS = (375, 1280)
THEMES = ("light", "dark")
RUNS: dict[str, Callable[[], ReportJson]] = {
    "usual": usual_run,
    "storm": run_with_storm,
    "failed": failed_run,
    "hostile": lambda: hostile_run(),
}

Opener = Callable[..., None]


def hostile_run() -> ReportJson:
    """Return a report with the hostile text in each field that takes a text, wherever it came from."""
    fields = run_with_storm()
    fields["run"]["target"] |= {"headers": [["x", "y"]], "proxy": "p", "redirected_to": "r", "unix_socket": "u"}
    fields["run"]["aborted_by"] = "x"
    fields["events"]["by_type"] = {HOSTILE: 40_000, f"{HOSTILE}2": 8_000}
    fields["errors"] = [{"kind": "x", "count": 3, "example": "x"}]
    fields["generator"] |= {"saturated": True, "reasons": ["x"]}
    with_published = usual_run(fanout=usual_fanout())
    fields["fanout"] = with_published["fanout"]
    fields["fanout"]["publisher"]["errors"] = [{"kind": "x", "count": 3, "example": "x"}]
    fields["run"]["urls"] = [{"url": "x", "weight": 1, "opened": 3, "failed": 1}]
    fields["bytes_without_event"] = {"streams": 3, "example": "x"}
    fields["assertions"] = [
        {"expression": "x", "path": "x", "unit": "", "limit": 1.0, "observed": None, "status": "not-measured",
         "passed": False, "reason": "x"},
    ]  # fmt: skip
    fields["target_metrics"] = {
        "memory": None, "files": None, "cpu": None, "sampled_after_s": None,
        "sources": [
            {"source": "x", "kind": "endpoint", "t_s": [0.0, 1.0], "failed": 1, "error": "x", "missing": {"x": "x"},
             "series": [{"name": "x", "unit": "", "values": [1.0, 2.0]}]},
        ],
    }  # fmt: skip
    hostile_texts(fields, HOSTILE, KEPT, _is_report)
    return fields


def _is_report(fields: ReportJson) -> bool:
    try:
        Report.model_validate(fields)
    except ValidationError:
        return False
    return True


@pytest.fixture(name="opened")
def page_opener(browser: Browser, tmp_path: Path) -> Opener:
    def opened(text: str, width: int = 1280, theme: str = "light") -> None:
        open_page(browser, text, tmp_path, width, theme)

    return opened


def test_hostile_texts_are_shown_and_do_nothing(browser: Browser, opened: Opener) -> None:
    opened(page(report_of(hostile_run())))
    assert_harmless(browser)
    text = browser.driver.execute_script("return document.body.innerText")
    assert text.count('<img src=x onerror="window.wasRun=1">') > 20


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_width_and_is_legible(
    browser: Browser, opened: Opener, run: str, theme: str, width: int
) -> None:
    opened(page(report_of(RUNS[run]())), width, theme)
    assert_legible(browser)


def test_the_toggle_changes_the_colours_of_page_and_charts(browser: Browser, opened: Opener) -> None:
    opened(page(report_of(usual_run())))
    look = "return [getComputedStyle(document.body).backgroundColor, document.querySelector('canvas').toDataURL()]"
    before = browser.driver.execute_script(look)
    browser.driver.find_element(By.ID, "theme").click()
    WebDriverWait(browser.driver, PATIENCE_S).until(
        lambda driver: all(new != old for new, old in zip(driver.execute_script(look), before, strict=True))
    )
    browser.driver.find_element(By.ID, "theme").click()
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: driver.execute_script(look) == before)


def test_a_line_can_be_hidden_with_the_keyboard(browser: Browser, opened: Opener) -> None:
    opened(page(report_of(usual_run())))
    picture = "return document.querySelector('#delivery canvas').toDataURL()"
    before = browser.driver.execute_script(picture)
    button = browser.driver.find_element(By.CSS_SELECTOR, "#delivery .legend button")
    assert button.get_attribute("aria-pressed") == "true"
    button.send_keys(" ")
    assert button.get_attribute("aria-pressed") == "false"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: driver.execute_script(picture) != before)


def test_the_values_of_a_chart_are_a_table(browser: Browser, opened: Opener) -> None:
    fields = usual_run()
    fields["timeline"][4]["events"] = 12_345
    opened(page(report_of(fields)))
    browser.driver.find_element(By.CSS_SELECTOR, "#events summary").click()
    rows = "return [...document.querySelectorAll('#events tr')].map((row) => row.innerText)"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: len(driver.execute_script(rows)) == 11)
    assert browser.driver.execute_script(rows)[5].split() == ["4", "s", "12,345/s"]


def test_the_linear_scale_replaces_the_logarithmic_one(browser: Browser, opened: Opener) -> None:
    opened(page(report_of(usual_run())))
    picture = "return document.querySelector('#percentiles canvas').toDataURL()"
    before = browser.driver.execute_script(picture)
    button = browser.driver.find_element(By.CSS_SELECTOR, "#percentiles figcaption button")
    button.click()
    assert button.text == "Logarithmic scale"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: driver.execute_script(picture) != before)
    assert console(browser) == []


def test_the_button_saves_the_document(browser: Browser, opened: Opener, tmp_path: Path) -> None:
    report = report_of(usual_run())
    opened(page(report))
    browser.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )  # fmt: skip
    browser.driver.find_element(By.ID, "save").click()
    saved = tmp_path / "report.json"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda _: saved.exists() and saved.read_text().endswith("}\n"))
    assert saved.read_text("utf-8") == to_json(report)
    assert console(browser) == []


def test_without_scripts_the_page_has_its_figures_and_no_empty_charts(
    browser: Browser, opened: Opener, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(report_of(usual_run())), "utf-8")
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.go_to(file.as_uri())
        assert "Delivery p99" in browser.driver.find_element(By.TAG_NAME, "main").text
        assert not any(figure.is_displayed() for figure in browser.driver.find_elements(By.TAG_NAME, "figure"))
        assert not browser.driver.find_element(By.ID, "save").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_dark_page_is_printed_in_light_colours_without_buttons(browser: Browser, opened: Opener) -> None:
    opened(page(report_of(usual_run())), theme="dark")
    browser.driver.execute_script(
        "addEventListener('beforeprint', () => { window.printed = getComputedStyle(document.body).color; });"
    )
    made = browser.driver.execute_cdp_cmd("Page.printToPDF", {})
    assert len(made["data"]) > 20_000
    assert browser.driver.execute_script("return window.printed") == "rgb(28, 33, 40)"
    assert browser.driver.execute_script("return document.documentElement.classList.length") == 0
    assert json.dumps(console(browser)) == "[]"

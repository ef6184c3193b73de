"""The page in Chromium: hostile texts, widths, themes, charts, buttons."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from pydantic import ValidationError
from report_json import ReportJson, report_of
from run_reports import failed_run, run_with_storm, usual_run
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sseclient_cli.render.html.page import page
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import to_json

PATIENCE_S = 30

HOSTILE = (
    '"\'><img src=x onerror="window.wasRun=1"></title></style></script><script>window.wasRun=1</script><!-- '
    "\u2028\u2029\u202eevil\u2066\x1b[2J {{ 7 * 7 }} ${7*7} ]]> &amp; " + "W" * 600
)
"""Ends of all elements and attributes, a template, separators, bidi controls, and no place to break the line."""

KEPT = ("schema", "document", "hdr", "code", "delivery_us", "gap_us", "started_at")
"""Texts that this program makes and reads by their form."""

SIZES = ((375, 812), (1280, 900))
THEMES = ("light", "dark")
RUNS: dict[str, Callable[[], ReportJson]] = {
    "usual": usual_run,
    "storm": run_with_storm,
    "failed": failed_run,
    "hostile": lambda: hostile_run(),
}

CONTRASTS = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const ground = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = parse(getComputedStyle(each).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
const low = [];
for (const element of document.body.querySelectorAll("*")) {
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!hasText || !element.offsetParent || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
  const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) low.push([element.className, element.textContent.slice(0, 40), ratio]);
}
return low;
"""

INKED = """
return [...document.querySelectorAll("figure canvas")].map((canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colors = new Set();
  for (let place = 0; place < data.length; place += 4) {
    if (data[place + 3] === 255) colors.add(data.slice(place, place + 3).join());
  }
  return [canvas.clientWidth, canvas.clientHeight, colors.size];
});
"""


def hostile_run() -> ReportJson:
    """Return a report with the hostile text in each field that takes a text, wherever it came from."""
    fields = run_with_storm()
    fields["run"]["target"] |= {"headers": [["x", "y"]], "proxy": "p", "redirected_to": "r", "unix_socket": "u"}
    fields["run"]["aborted_by"] = "x"
    fields["events"]["by_type"] = {HOSTILE: 40_000, f"{HOSTILE}2": 8_000}
    fields["errors"] = [{"kind": "x", "count": 3, "example": "x"}]
    fields["generator"] |= {"saturated": True, "reasons": ["x"]}
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
    for place, name in list(_texts(fields)):
        before, place[name] = place[name], HOSTILE
        try:
            Report.model_validate(fields)
        except ValidationError:
            place[name] = before
    return fields


def _texts(part: Any) -> Any:
    """Yield each container with the key or index of a text in it."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(value, str) and name not in KEPT:
            yield part, name
        elif isinstance(value, dict | list):
            yield from _texts(value)


@pytest.fixture(name="open_page")
def page_opener(browser: Browser, tmp_path: Path) -> Callable[..., None]:
    def open_page(text: str, width: int = 1280, height: int = 900, theme: str = "light") -> None:
        file = tmp_path / "page.html"
        file.write_text(text, "utf-8")
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        browser.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        )
        log_of(browser)  # forget those of earlier pages
        browser.go_to(file.as_uri())
        WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: driver.execute_script(_IS_READY))

    return open_page


_IS_READY = "return document.documentElement.dataset.ready !== undefined"


def log_of(browser: Browser) -> list[Any]:
    """Return the messages on the console since the last call."""
    driver: Any = browser.driver
    return list(driver.get_log("browser"))


def test_hostile_texts_are_shown_and_do_nothing(browser: Browser, open_page: Callable[..., None]) -> None:
    open_page(page(report_of(hostile_run())))
    driver = browser.driver
    assert driver.execute_script("return window.wasRun") is None
    assert driver.execute_script("return [document.images.length, document.scripts.length]") == [0, 3]
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    text = driver.execute_script("return document.body.innerText")
    assert text.count('<img src=x onerror="window.wasRun=1">') > 20
    assert "{{ 7 * 7 }}" in text
    assert r"\u202eevil\u2066\x1b[2J" in text
    assert not {"\u202e", "\u2066", "\x1b"} & set(text)
    assert log_of(browser) == []


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}px")
def test_the_page_fits_its_width_and_is_legible(
    browser: Browser, open_page: Callable[..., None], run: str, theme: str, size: tuple[int, int]
) -> None:
    open_page(page(report_of(RUNS[run]())), *size, theme)
    driver = browser.driver
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert driver.execute_script(CONTRASTS) == []
    charts = driver.execute_script(INKED)
    assert len(charts) == driver.execute_script("return document.querySelectorAll('figure').length") > 0
    assert all(width > 280 and height > 150 and colors > 2 for width, height, colors in charts)
    assert log_of(browser) == []


def test_the_toggle_changes_the_colours_of_page_and_charts(browser: Browser, open_page: Callable[..., None]) -> None:
    open_page(page(report_of(usual_run())))
    look = "return [getComputedStyle(document.body).backgroundColor, document.querySelector('canvas').toDataURL()]"
    before = browser.driver.execute_script(look)
    browser.driver.find_element(By.ID, "theme").click()
    WebDriverWait(browser.driver, PATIENCE_S).until(
        lambda driver: all(new != old for new, old in zip(driver.execute_script(look), before, strict=True))
    )
    browser.driver.find_element(By.ID, "theme").click()
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: driver.execute_script(look) == before)


def test_a_line_can_be_hidden_with_the_keyboard(browser: Browser, open_page: Callable[..., None]) -> None:
    open_page(page(report_of(usual_run())))
    picture = "return document.querySelector('#delivery canvas').toDataURL()"
    before = browser.driver.execute_script(picture)
    button = browser.driver.find_element(By.CSS_SELECTOR, "#delivery .legend button")
    assert button.get_attribute("aria-pressed") == "true"
    button.send_keys(" ")
    assert button.get_attribute("aria-pressed") == "false"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: driver.execute_script(picture) != before)


def test_the_values_of_a_chart_are_a_table(browser: Browser, open_page: Callable[..., None]) -> None:
    fields = usual_run()
    fields["timeline"][4]["events"] = 12_345
    open_page(page(report_of(fields)))
    browser.driver.find_element(By.CSS_SELECTOR, "#events summary").click()
    rows = "return [...document.querySelectorAll('#events tr')].map((row) => row.innerText)"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: len(driver.execute_script(rows)) == 11)
    assert browser.driver.execute_script(rows)[5].split() == ["4", "s", "12,345/s"]


def test_the_linear_scale_replaces_the_logarithmic_one(browser: Browser, open_page: Callable[..., None]) -> None:
    open_page(page(report_of(usual_run())))
    picture = "return document.querySelector('#percentiles canvas').toDataURL()"
    before = browser.driver.execute_script(picture)
    button = browser.driver.find_element(By.CSS_SELECTOR, "#percentiles figcaption button")
    button.click()
    assert button.text == "Logarithmic scale"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda driver: driver.execute_script(picture) != before)
    assert log_of(browser) == []


def test_the_button_saves_the_document(browser: Browser, open_page: Callable[..., None], tmp_path: Path) -> None:
    report = report_of(usual_run())
    open_page(page(report))
    browser.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )  # fmt: skip
    browser.driver.find_element(By.ID, "save").click()
    saved = tmp_path / "report.json"
    WebDriverWait(browser.driver, PATIENCE_S).until(lambda _: saved.exists() and saved.read_text().endswith("}\n"))
    assert saved.read_text("utf-8") == to_json(report)
    assert log_of(browser) == []


def test_without_scripts_the_page_has_its_figures_and_no_empty_charts(
    browser: Browser, open_page: Callable[..., None], tmp_path: Path
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


def test_a_dark_page_is_printed_in_light_colours_without_buttons(
    browser: Browser, open_page: Callable[..., None]
) -> None:
    open_page(page(report_of(usual_run())), theme="dark")
    browser.driver.execute_script(
        "addEventListener('beforeprint', () => { window.printed = getComputedStyle(document.body).color; });"
    )
    made = browser.driver.execute_cdp_cmd("Page.printToPDF", {})
    assert len(made["data"]) > 20_000
    assert browser.driver.execute_script("return window.printed") == "rgb(28, 33, 40)"
    assert browser.driver.execute_script("return document.documentElement.classList.length") == 0
    assert json.dumps(log_of(browser)) == "[]"

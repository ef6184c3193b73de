"""A page in the browser, and as text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from browser import Browser
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 30

_IS_READY = "return document.documentElement.dataset.ready !== undefined"


def open_page(browser: Browser, text: str, folder: Path, width: int = 1280, theme: str = "light") -> None:
    """Load a page from a file, and wait until its script has drawn the charts."""
    file = folder / "page.html"
    file.write_text(text, "utf-8")
    driver = browser.driver
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 850, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    console(browser)  # forget the messages of earlier pages
    browser.go_to(file.as_uri())
    WebDriverWait(driver, PATIENCE_S).until(lambda driver: driver.execute_script(_IS_READY))


def console(browser: Browser) -> list[Any]:
    """Return the messages on the console since the last call."""
    driver: Any = browser.driver
    return list(driver.get_log("browser"))


def text_of(page: str) -> str:
    """Return what a reader sees without scripts, in one line."""
    body = re.sub(r"<(style|script|title)\b.*?</\1>", "", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def charts_of(page: str) -> dict[str, dict[str, Any]]:
    """Return the data of the charts, by id."""
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.S)
    assert found is not None
    return {chart["id"]: chart for chart in json.loads(found[1])}


def series_of(chart: dict[str, Any]) -> dict[str, list[float | None]]:
    """Return the values of a chart, by label."""
    return {series["label"]: series["values"] for series in chart["series"]}


def hostile_texts(fields: Any, text: str, kept: tuple[str, ...], is_valid: Any) -> None:
    """Replace each text in a document that may be any text. ``kept`` are fields that this program makes and reads."""
    for place, name in list(_texts(fields, kept)):
        before, place[name] = place[name], text
        if not is_valid(fields):
            place[name] = before


def _texts(part: Any, kept: tuple[str, ...]) -> Any:
    """Yield each container with the key or index of a text in it."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(value, str) and name not in kept:
            yield part, name
        elif isinstance(value, dict | list):
            yield from _texts(value, kept)


HOSTILE = (
    '"\'><img src=x onerror="window.wasRun=1"></title></style></script><script>window.wasRun=1</script><!-- '
    "\u2028\u2029\u202eevil\u2066\x1b[2J {{ 7 * 7 }} ${7*7} ]]> &amp; " + "W" * 600
)
"""Ends of all elements and attributes, a template, separators, bidi controls, and no place to break the line."""

KEPT = ("schema", "document", "hdr", "code", "delivery_us", "gap_us", "started_at")
"""Texts that this program makes and reads by their form."""

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

CANVASES = """
return [...document.querySelectorAll("figure canvas")].map((canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colors = new Set();
  for (let place = 0; place < data.length; place += 4) {
    if (data[place + 3] === 255) colors.add(data.slice(place, place + 3).join());
  }
  return [canvas.clientWidth, canvas.clientHeight, colors.size];
});
"""


def assert_legible(browser: Browser) -> None:
    """Check that the page fits its width, has contrast and drawn charts, and no message on the console."""
    driver = browser.driver
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert driver.execute_script(CONTRASTS) == []
    charts = driver.execute_script(CANVASES)
    assert len(charts) == driver.execute_script("return document.querySelectorAll('figure').length") > 0
    assert all(width > 280 and height > 150 and colors > 2 for width, height, colors in charts)
    assert console(browser) == []


def assert_harmless(browser: Browser) -> None:
    """Check that a page with hostile texts shows them, and that nothing in them ran or was loaded."""
    driver = browser.driver
    assert driver.execute_script("return window.wasRun") is None
    assert driver.execute_script("return [document.images.length, document.scripts.length]") == [0, 3]
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    text = driver.execute_script("return document.body.innerText")
    assert '<img src=x onerror="window.wasRun=1">' in text
    assert "{{ 7 * 7 }}" in text
    assert r"\u202eevil\u2066\x1b[2J" in text
    assert not {"\u202e", "\u2066", "\x1b"} & set(text)
    assert console(browser) == []

"""The page at ``/`` in headless Chromium: appearance and interaction. Each test has its own tab."""

from __future__ import annotations

import json
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from demo_page import Page
from real_processes import SSE
from selenium.webdriver.common.by import By

from demo_server.faults.parameters import FaultParameters
from demo_server.streams.parameters import LoadParameters, PushParameters

FILES = Path(__file__).parents[3] / "demo_server/page"

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}

# WCAG 2.2, 1.4.3: the contrast of every visible text with the first opaque background behind it. Disabled controls are
# exempt.
_CONTRASTS = """
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = (colour) => {
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = parts(colour).map((c) => linear(c / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const background = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (parts(colour)[3] !== 0) return colour;
  }
};
const isText = (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== "";
const texts = [...document.body.querySelectorAll("*")].filter((element) =>
  (element.matches("input, textarea, select") || [...element.childNodes].some(isText)) &&
  !element.disabled && element.checkVisibility());
return texts.map((element) => {
  const [darker, lighter] = [luminance(getComputedStyle(element).color), luminance(background(element))].sort();
  return [element.outerHTML.slice(0, 90), (Math.max(darker, lighter) + 0.05) / (Math.min(darker, lighter) + 0.05)];
});
"""


def test_page_fits_the_width_of_a_phone(page: Page) -> None:
    page.emulate("Emulation.setDeviceMetricsOverride", **PHONE)
    page.start(endpoint="/stream", receiver="fetch", pace=0.05, size=2000, event="a-type-of-event-with-a-long-name" * 3)
    page.wait(lambda: len(page.rows("event")) > 0)
    page.click("stop")
    page.run("document.getElementById('parameters').open = true")
    for option in page.run("return [...document.querySelectorAll('#endpoint option')].map((option) => option.value)"):
        page.run(
            "const select = document.getElementById('endpoint'); select.value = arguments[0];"
            "select.dispatchEvent(new Event('change', { bubbles: true }))",
            option,
        )
        assert page.run("return [innerWidth, document.documentElement.scrollWidth]") == [360, 360], option


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_sufficient_contrast(page: Page, theme: str) -> None:
    page.emulate("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    page.start(endpoint="/channels", receiver="fetch", channel="contrast", last_id="long-ago-1")
    page.wait(lambda: len(page.rows("announcement")) > 0)
    contrasts = dict(page.run(_CONTRASTS))
    assert len(contrasts) > 40
    assert {text: contrast for text, contrast in contrasts.items() if contrast < 4.5} == {}
    is_dark = page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(19, 21, 25)"
    assert is_dark == (theme == "dark")


@pytest.mark.parametrize(("endpoint", "receiver"), [("/load", "eventsource"), ("/load", "fetch"), ("/ws", "websocket")])
def test_click_is_handled_at_once_at_full_speed(page: Page, endpoint: str, receiver: str) -> None:
    page.open(endpoint=endpoint, receiver=receiver, pace=0, pace_by="rate")
    # From the arrival of the click in the browser to the end of its handler. Not with WebDriver's own click: it queries
    # the page about ten times first, and these queries wait behind received events.
    x, y = page.run(
        "const stop = document.getElementById('stop'), { x, y } = stop.getBoundingClientRect();"
        "stop.addEventListener('click', ({ timeStamp }) => { window.tookMs = performance.now() - timeStamp; });"
        "return [x + 9, y + 9];"
    )
    page.click("start")
    page.wait(lambda: page.number("events") > 10_000)
    for kind in ("mousePressed", "mouseReleased"):
        page.emulate("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    page.wait(page.has_drawn_the_stop)
    assert page.run("return window.tookMs") < 1000
    assert len(page.rows("event")) + len(page.rows("state")) == 200
    events = page.text("events")
    page.click("clear")
    page.wait(lambda: page.rows("event") == [])
    assert page.text("events") == events


def test_paused_log_does_not_change_while_the_figures_do(page: Page) -> None:
    page.start(endpoint="/stream", receiver="eventsource", pace=0.02)
    page.wait(lambda: len(page.rows("event")) > 0)
    page.click("pause")
    rows = page.rows("event")
    events = page.number("events")
    page.wait(lambda: page.number("events") > events + 10)
    assert page.rows("event") == rows
    page.click("pause")
    page.wait(lambda: len(page.rows("event")) > len(rows) + 10)


def test_reload_keeps_the_selection_and_the_running_stream(page: Page) -> None:
    page.start(endpoint="/faults", receiver="fetch", pace=0.05, more="duplicate=5", run="again")
    page.wait(lambda: page.number("events") > 0)
    page.driver.refresh()
    page.wait(lambda: page.number("events") > 0)
    page.click("stop")
    page.driver.refresh()
    assert page.text("state") == "idle"
    assert page.text("url") == f"{page.server}/faults?interval=0.05&run=again&duplicate=5"


def test_older_links_select_their_receiver(page: Page) -> None:
    page.open(endpoint="/stream", way="fetch")
    assert page.run("return document.querySelector('#receivers :checked').value") == "fetch"
    assert parse_qs(page.driver.current_url.partition("#")[2])["receiver"] == ["fetch"]


def test_form_input_sets_the_request_and_the_url_of_the_page(page: Page) -> None:
    page.open(endpoint="/faults")
    page.fill("field-pace", "0.5")
    page.fill("field-event", "it's & more")
    for button in page.driver.find_elements(By.CSS_SELECTOR, "#presets button"):
        if button.text in {"drop=5", "close=10", "duplicate=5"}:
            button.click()
    for button in page.driver.find_elements(By.CSS_SELECTOR, "#presets [aria-pressed=true]"):
        if button.text == "close=10":
            button.click()
    query = "interval=0.5&event=it%27s+%26+more&drop=5&duplicate=5"
    assert page.text("url") == f"{page.server}/faults?{query}"
    address = parse_qs(page.driver.current_url.partition("#")[2])
    assert address["event"] == ["it's & more"]
    assert address["more"] == ["drop=5&duplicate=5"]


def test_server_accepts_every_preset_fault(page: Page) -> None:
    page.open(endpoint="/faults")
    presets = page.run("return [...document.querySelectorAll('#presets button')].map((button) => button.textContent)")
    assert len(presets) > 15
    with httpx.Client(base_url=page.server, timeout=0.2) as client:
        for preset in presets:
            # Refusals are immediate; header_delay times out.
            with suppress(httpx.ReadTimeout), client.stream("GET", f"/faults?{preset}&run=of-a-click") as answer:
                assert answer.status_code != 422, answer.read()


def test_focus_moves_to_start_when_a_stream_is_stopped(page: Page) -> None:
    page.start(endpoint="/stream", pace=0.05)
    page.wait_for_state("open")
    page.driver.find_element(By.ID, "stop").send_keys(" ")
    page.wait_for_state("closed")
    assert page.run("return document.activeElement.id") == "start"


def test_exclusive_preset_faults_replace_each_other(page: Page) -> None:
    page.open(endpoint="/faults", more="drop=5")
    for preset in ("close=10", "reset=10"):
        page.driver.find_element(By.XPATH, f"//*[@id='presets']/button[.='{preset}']").click()
    assert page.text("url") == f"{page.server}/faults?drop=5&reset=10"


@pytest.mark.parametrize("endpoint", ["/stream", "/v1/chat/completions"])
def test_displayed_commands_read_the_same_stream(page: Page, endpoint: str) -> None:
    page.open(endpoint=endpoint, event="it's" if endpoint == "/stream" else "", receiver="fetch", last_id="6")
    program, *arguments = shlex.split(page.text("sse"))
    assert program == "sse"
    done = subprocess.run([*SSE, *arguments, "-n", "1", "--json"], capture_output=True, text=True, check=True)
    event = json.loads(done.stdout)
    if endpoint == "/stream":
        assert (event["type"], event["id"]) == ("it's", "7")
    else:
        assert json.loads(event["data"])["object"] == "chat.completion.chunk"
    curl = shlex.split(page.text("curl"))
    assert curl[:2] == ["curl", "-N"]
    assert curl[-1] == arguments[-1] == page.text("url")


def test_page_logs_nothing_to_the_console(page: Page) -> None:
    page.start(endpoint="/stream", receiver="eventsource", pace=0.05)
    page.wait(lambda: page.number("events") > 0)
    page.run("document.getElementById('chart-kind').value = 'gap'")
    assert page.errors() == []
    page.run("console.error('heard')")
    assert "heard" in page.errors()[0]["message"]


def test_page_is_revalidated_and_runs_only_its_own_scripts(page_server: str) -> None:
    paths = ["/", *(f"/page/{file.name}" for file in FILES.iterdir())]
    assert len(paths) > 10
    with httpx.Client(base_url=page_server) as client:
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["cache-control"] == "no-cache"
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
            assert "unsafe" not in policy
            again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert again.status_code == (200 if path == "/" else 304)
        assert client.get("/page/app.js").headers["content-type"] == "text/javascript; charset=utf-8"
        assert client.get("/page/../app.py").status_code == 404
        described = client.get("/openapi.json").json()["paths"]
        assert "/stream" in described
        assert not [path for path in described if path == "/" or path.startswith("/page")]


@pytest.mark.parametrize(
    ("endpoint", "parameters"), [("/stream", PushParameters), ("/load", LoadParameters), ("/faults", FaultParameters)]
)
def test_placeholder_of_the_pace_is_the_default_of_the_server(
    page: Page, endpoint: str, parameters: type[PushParameters]
) -> None:
    page.open(endpoint=endpoint)
    shown = page.run("return document.getElementById('field-pace').placeholder")
    assert float(shown) == parameters.default_interval_s

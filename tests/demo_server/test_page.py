"""The page at ``/`` in headless Chromium, at one real server: each test in a tab of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from browser import Browser
from demo_server_processes import demo_server_process
from real_processes import SSE, until
from selenium import webdriver
from selenium.webdriver.common.by import By

from demo_server.faults import FaultParameters
from demo_server.parameters import LoadParameters, PushParameters

VECTORS = Path(__file__).parent.parent / "data/parser_vectors.json"
FILES = Path(__file__).parent.parent.parent / "demo_server/page"

EVENT_STREAMS = ["/stream", "/native", "/load", "/faults"]
RECEIVED = [
    *((endpoint, way) for endpoint in EVENT_STREAMS for way in ("eventsource", "fetch")),
    ("/ndjson", "fetch"),
    ("/ws", "websocket"),
]
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
MARKUP = "<img src=x onerror=\"document.title='run'\">&amp;"

# WCAG 2.2, 1.4.3: of every text that is seen, its contrast with the first background behind it that is not transparent.
# Controls that are disabled are exempt.
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

# What can be seen of the page's parser after some chunks, for each vector and each way to cut it.
_PARSE = """
const done = arguments[arguments.length - 1];
const [vectors] = arguments;
import("/page/event-stream.js").then(({ EventStreamParser }) => {
  const seen = (chunks, id) => {
    const comments = [];
    const parser = new EventStreamParser(id, (text) => comments.push(text));
    const events = chunks.flatMap((chunk) => parser.feed(chunk)).map(({ type, data, id }) => [type, data, id]);
    return JSON.stringify([events, comments, parser.lastEventId, parser.retryMs]);
  };
  const wrong = new Set();
  for (const vector of vectors) {
    const bytes = Uint8Array.from(atob(vector.input_base64), (character) => character.charCodeAt(0));
    const events = vector.expected_events.map(({ event, data, id }) => [event, data, id]);
    const want = JSON.stringify([
      events, vector.expected_comments, vector.expected_last_event_id, vector.expected_retry,
    ]);
    const check = (chunks) => {
      if (seen(chunks, vector.initial_last_event_id) !== want) wrong.add(vector.name);
    };
    check([bytes]);
    check(Array.from(bytes, (byte) => Uint8Array.of(byte)));
    for (let cut = 1; cut < bytes.length; cut += 1) check([bytes.subarray(0, cut), bytes.subarray(cut)]);
  }
  done([...wrong]);
}, (error) => done([String(error)]));
"""


class Page:
    """A tab with the page."""

    def __init__(self, driver: webdriver.Chrome, server: str) -> None:
        self.driver = driver
        self.server = server
        self.expects_refusals = False

    def open(self, **choice: str | int | float) -> None:
        self.driver.get(f"{self.server}/#{urlencode(choice)}")

    def start(self, **choice: str | int | float) -> None:
        self.open(**choice, start=1)

    def text(self, element_id: str) -> str:
        return str(self.run("return document.getElementById(arguments[0]).textContent", element_id))

    def number(self, element_id: str) -> float:
        return float(self.text(element_id).replace(",", ""))

    def click(self, element_id: str) -> None:
        self.driver.find_element(By.ID, element_id).click()

    def fill(self, element_id: str, text: str) -> None:
        field = self.driver.find_element(By.ID, element_id)
        field.clear()
        field.send_keys(text)

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def emulate(self, command: str, **parameters: object) -> None:
        self.driver.execute_cdp_cmd(command, parameters)

    def rows(self, kind: str) -> list[list[str]]:
        """Type, id and data of what the log shows, oldest first."""
        found: list[list[str]] = self.run(
            "return [...document.querySelectorAll(`#log .${arguments[0]}`)].reverse()"
            ".map((row) => ['type', 'id', 'data'].map((part) => row.querySelector(`.${part}`).textContent))",
            kind,
        )
        return found

    def wait(self, is_so: Callable[[], bool]) -> None:
        try:
            until(is_so)
        except AssertionError:
            page = self.run("return document.body.innerText")
            raise AssertionError(f"it has not come to that:\n{page}") from None

    def wait_for_state(self, state: str) -> str:
        """Return the reason that the page gives for it."""
        self.wait(lambda: self.text("state") == state)
        return self.text("reason")

    def has_drawn_the_stop(self) -> bool:
        """Say whether the figures and the log show all that came before the click on Stop."""
        return self.rows("state")[-1:] == [["closed", "", "stopped here"]]

    def errors(self) -> list[dict[str, Any]]:
        """What has been logged to the console since the last call; the browser logs statuses over 400 by itself."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry for entry in log if not (self.expects_refusals and "status of 4" in entry["message"])]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    driver = browser.driver
    first = driver.current_window_handle
    others = set(driver.window_handles)
    driver.switch_to.new_window("tab")
    page = Page(driver, server)
    page.emulate("Emulation.setDeviceMetricsOverride", **DESKTOP)
    page.errors()
    yield page
    for tab in set(driver.window_handles) - others:
        driver.switch_to.window(tab)
        driver.close()
    driver.switch_to.window(first)
    assert page.errors() == []


@pytest.mark.parametrize(("endpoint", "way"), RECEIVED)
def test_events_arrive_and_are_counted(page: Page, endpoint: str, way: str) -> None:
    page.start(endpoint=endpoint, way=way, pace=0.02, count=5, retry=60_000, event="price", size=3)
    page.wait(lambda: page.number("events") == 5)
    page.wait(lambda: len(page.rows("event")) == 5)
    rows = page.rows("event")
    assert [(row[0], row[1]) for row in rows] == [("price", str(seq)) for seq in range(1, 6)]
    assert [json.loads(row[2])["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert page.text("last-id") == "5"
    assert page.number("bytes") == sum(len(row[2]) for row in rows)
    assert 0 <= page.number("gap") <= page.number("max-gap")
    assert page.number("rate") > 0
    assert page.text("delivery") == "under 1" or abs(page.number("delivery")) < 1000


def test_lines_of_plain_text_arrive_without_types_or_ids(page: Page) -> None:
    page.start(endpoint="/streaming-response", pace=0.02, count=3)
    assert page.wait_for_state("closed") == "the server ended the stream"
    page.wait(lambda: page.rows("event") == [["line", "", f"data {number}"] for number in range(3)])
    assert page.text("last-id") == "-"
    assert page.text("delivery") == "-"


def test_an_answer_of_a_chat_is_put_together(page: Page) -> None:
    page.start(endpoint="/v1/chat/completions", tokens=10, llm_rate=100, ttft=0)
    page.wait_for_state("closed")
    page.wait(lambda: page.rows("event")[-1:] == [["message", "", "[DONE]"]])
    pieces = [json.loads(row[2])["choices"][0]["delta"].get("content", "") for row in page.rows("event")[:-1]]
    assert page.text("answer-text") == "".join(pieces) != ""


def test_only_the_ways_that_fit_an_endpoint_are_offered(page: Page) -> None:
    page.open()
    options = page.run("return [...document.querySelectorAll('#endpoint option')].map((option) => option.value)")
    offered = {}
    for option in options:
        page.open(endpoint=option)
        offered[option] = page.run("return [...document.querySelectorAll('#ways input')].map((way) => way.value)")
    both = ["eventsource", "fetch"]
    assert offered == dict.fromkeys([*EVENT_STREAMS, "/channels"], both) | {
        "/streaming-response": ["fetch"],
        "/ndjson": ["fetch"],
        "/v1/chat/completions": ["fetch"],
        "/ws": ["websocket"],
    }


@pytest.mark.parametrize("way", ["eventsource", "fetch"])
def test_reconnections_are_counted_and_go_on_after_the_last_id(page: Page, way: str) -> None:
    page.start(endpoint="/stream", way=way, pace=0, count=3, retry=20)
    page.wait(lambda: page.number("reconnects") >= 3)
    page.click("stop")
    page.wait(page.has_drawn_the_stop)
    assert page.text("state") == "closed"
    ids = [int(row[1]) for row in page.rows("event")]
    assert ids == list(range(1, len(ids) + 1))
    assert page.number("last-id") == ids[-1] >= 9
    assert page.number("max-gap") >= 20  # no reconnection comes sooner


def test_a_websocket_does_not_reconnect_and_the_page_says_so(page: Page) -> None:
    page.start(endpoint="/ws", pace=0.01, count=3)
    assert page.wait_for_state("closed") == "the server closed it (code 1000). It does not reconnect"
    assert "left to the application" in page.text("way-hint")


def test_comments_are_seen_by_fetch_and_not_by_eventsource(page: Page) -> None:
    for way, seen in (("fetch", True), ("eventsource", False)):
        page.driver.get("about:blank")
        page.start(endpoint="/load", way=way, pace=0.3, heartbeat=0.1)
        page.wait(lambda: page.number("events") >= 3)
        assert bool(page.rows("comment")) == seen
        assert (page.text("comments") == "not shown") != seen


def test_what_is_published_arrives_in_a_second_tab(page: Page) -> None:
    page.open(endpoint="/stream")
    page.fill("publish-channel", "second.tab")
    page.fill("publish-type", "greeting")
    page.fill("publish-body", '{"to": "you"}')
    page.click("publish-json")
    first = page.driver.current_window_handle
    before = set(page.driver.window_handles)
    page.click("second-tab")
    page.wait(lambda: len(page.driver.window_handles) > len(before))
    (second,) = set(page.driver.window_handles) - before
    page.driver.switch_to.window(second)
    page.wait_for_state("open")

    page.driver.switch_to.window(first)
    page.driver.find_element(By.CSS_SELECTOR, "#publish [type=submit]").click()
    page.wait(lambda: page.text("published") != "")
    published = page.text("published")
    assert published.startswith("Published as ")
    assert published.endswith(" to 1 subscriber.")

    page.driver.switch_to.window(second)
    page.wait(lambda: len(page.rows("event")) == 1)
    ((event_type, event_id, data),) = page.rows("event")
    assert (event_type, event_id, json.loads(data)) == ("greeting", published.split()[2], {"to": "you"})


def test_a_gap_in_a_channel_stands_out_as_an_announcement(page: Page) -> None:
    page.start(endpoint="/channels", way="eventsource", channel="with-a-gap", last_id="long-ago-1")
    page.wait(lambda: [row[0] for row in page.rows("announcement")] == ["gap"])
    assert "long-ago-1" in page.rows("announcement")[0][2]


def test_a_refusal_is_shown_in_words(page: Page) -> None:
    page.expects_refusals = True
    page.start(endpoint="/stream", way="fetch", pace=-1)
    reason = page.wait_for_state("failed")
    assert reason.startswith("HTTP 422")
    assert reason.endswith("interval: Input should be greater than or equal to 0")


def test_where_eventsource_gives_no_reason_fetch_is_offered_which_does(page: Page) -> None:
    page.expects_refusals = True
    page.start(endpoint="/stream", way="eventsource", more="no_such=parameter")
    assert "does not tell why" in page.wait_for_state("failed")
    page.click("ask-fetch")
    page.wait(lambda: page.text("reason").startswith("HTTP 422"))
    assert "no_such" in page.text("reason")


def test_a_browser_without_eventsource_is_told_so_and_gets_fetch(page: Page) -> None:
    page.emulate("Page.addScriptToEvaluateOnNewDocument", source="delete window.EventSource")
    page.start(endpoint="/stream", way="eventsource", pace=0.05)
    page.wait(lambda: page.number("events") > 0)
    assert page.driver.find_element(By.ID, "no-eventsource").is_displayed()
    assert page.run("return document.querySelector('#ways [value=eventsource]').disabled")
    assert page.run("return document.querySelector('#ways :checked').value") == "fetch"


def test_with_eventsource_nothing_is_said_of_its_absence(page: Page) -> None:
    page.open()
    assert not page.driver.find_element(By.ID, "no-eventsource").is_displayed()


def test_event_data_is_text_whatever_is_in_it(page: Page) -> None:
    page.start(endpoint="/channels", way="fetch", channel="markup")
    page.wait_for_state("open")
    answer = httpx.post(f"{page.server}/channels/markup", params={"event": MARKUP}, content=MARKUP)
    assert answer.status_code == 201
    page.wait(lambda: [[row[0], row[2]] for row in page.rows("event")] == [[MARKUP, MARKUP]])
    assert not page.run("return document.querySelector('#log img')")
    assert page.driver.title == "sse demo server"


def test_markup_in_an_event_type_is_text_too(page: Page) -> None:
    page.start(endpoint="/stream", way="eventsource", pace=0.05, event=MARKUP, types=MARKUP)
    page.wait(lambda: len(page.rows("event")) > 0)
    assert page.rows("event")[0][0] == MARKUP
    assert not page.run("return document.querySelector('main img')")


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.emulate("Emulation.setDeviceMetricsOverride", **PHONE)
    page.start(endpoint="/stream", way="fetch", pace=0.05, size=2000, event="a-type-of-event-with-a-long-name" * 3)
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
def test_all_text_has_contrast(page: Page, theme: str) -> None:
    page.emulate("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    page.start(endpoint="/channels", way="fetch", channel="contrast", last_id="long-ago-1")
    page.wait(lambda: len(page.rows("announcement")) > 0)
    contrasts = dict(page.run(_CONTRASTS))
    assert len(contrasts) > 40
    assert {text: contrast for text, contrast in contrasts.items() if contrast < 4.5} == {}
    is_dark = page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(19, 21, 25)"
    assert is_dark == (theme == "dark")


@pytest.mark.parametrize(("endpoint", "way"), [("/load", "eventsource"), ("/load", "fetch"), ("/ws", "websocket")])
def test_at_full_blast_a_click_still_gets_through_at_once(page: Page, endpoint: str, way: str) -> None:
    page.open(endpoint=endpoint, way=way, pace=0, pace_by="rate")
    # From the moment that the browser has the click to the moment that all it does is done. Not by WebDriver's own
    # click: it asks the page some ten times first, and questions wait behind the events that have come before.
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


def test_a_paused_log_stands_still_while_the_figures_go_on(page: Page) -> None:
    page.start(endpoint="/stream", way="eventsource", pace=0.02)
    page.wait(lambda: len(page.rows("event")) > 0)
    page.click("pause")
    rows = page.rows("event")
    events = page.number("events")
    page.wait(lambda: page.number("events") > events + 10)
    assert page.rows("event") == rows
    page.click("pause")
    page.wait(lambda: len(page.rows("event")) > len(rows) + 10)


def test_a_reload_keeps_the_choice_and_goes_on(page: Page) -> None:
    page.start(endpoint="/faults", way="fetch", pace=0.05, more="duplicate=5", run="again")
    page.wait(lambda: page.number("events") > 0)
    page.driver.refresh()
    page.wait(lambda: page.number("events") > 0)
    page.click("stop")
    page.driver.refresh()
    assert page.text("state") == "idle"
    assert page.text("url") == f"{page.server}/faults?interval=0.05&run=again&duplicate=5"


def test_what_is_typed_and_clicked_becomes_the_request_and_the_address(page: Page) -> None:
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


def test_every_fault_of_a_click_is_one_that_the_server_knows(page: Page) -> None:
    page.open(endpoint="/faults")
    presets = page.run("return [...document.querySelectorAll('#presets button')].map((button) => button.textContent)")
    assert len(presets) > 15
    with httpx.Client(base_url=page.server, timeout=0.2) as client:
        for preset in presets:
            # Refusals come at once; what does not is a header_delay.
            with suppress(httpx.ReadTimeout), client.stream("GET", f"/faults?{preset}&run=of-a-click") as answer:
                assert answer.status_code != 422, answer.read()


def test_each_start_meets_the_faults_from_the_first_request_on(page: Page) -> None:
    page.expects_refusals = True
    runs = set()
    for _ in range(2):
        page.start(endpoint="/faults", way="fetch", pace=0.02, more="status=418&status_times=1")
        assert "418" in page.wait_for_state("failed")
        truth = page.driver.find_element(By.ID, "truth")
        assert truth.is_displayed()
        told = httpx.get(truth.get_attribute("href") or "").json()
        assert told["totals"]["ended"] == {"refused": 1}
        runs.add(told["run"])
    assert len(runs) == 2


def test_an_open_stream_that_is_silent_is_said_to_be(page: Page) -> None:
    page.start(endpoint="/faults", way="fetch", pace=0.02, more="stall=3")
    page.wait(lambda: page.text("silence") == "nothing for 3 s")
    assert page.text("state") == "open"
    page.click("stop")
    page.wait(lambda: page.text("silence") == "")


def test_faults_that_exclude_each_other_take_turns(page: Page) -> None:
    page.open(endpoint="/faults", more="drop=5")
    for preset in ("close=10", "reset=10"):
        page.driver.find_element(By.XPATH, f"//*[@id='presets']/button[.='{preset}']").click()
    assert page.text("url") == f"{page.server}/faults?drop=5&reset=10"


@pytest.mark.parametrize("endpoint", ["/stream", "/v1/chat/completions"])
def test_the_commands_that_are_shown_read_the_same_stream(page: Page, endpoint: str) -> None:
    page.open(endpoint=endpoint, event="it's" if endpoint == "/stream" else "", way="fetch", last_id="6")
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


def test_the_parser_of_the_page_reads_the_streams_of_public_suites_at_every_split(page: Page) -> None:
    page.open()
    vectors = json.loads(VECTORS.read_text("utf-8"))["parser_vectors"]
    assert len(vectors) > 200
    assert page.driver.execute_async_script(_PARSE, vectors) == []


def test_a_visit_leaves_nothing_in_the_console(page: Page) -> None:
    page.start(endpoint="/stream", way="eventsource", pace=0.05)
    page.wait(lambda: page.number("events") > 0)
    page.run("document.getElementById('chart-kind').value = 'gap'")
    assert page.errors() == []
    page.run("console.error('heard')")
    assert "heard" in page.errors()[0]["message"]


def test_the_page_is_asked_for_anew_and_runs_no_script_but_its_own(server: str) -> None:
    paths = ["/", *(f"/page/{file.name}" for file in FILES.iterdir())]
    assert len(paths) > 10
    with httpx.Client(base_url=server) as client:
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
def test_the_pace_that_an_empty_field_names_is_the_servers(
    page: Page, endpoint: str, parameters: type[PushParameters]
) -> None:
    page.open(endpoint=endpoint)
    shown = page.run("return document.getElementById('field-pace').placeholder")
    assert float(shown) == parameters.default_interval_s

"""The page at ``/`` in headless Chromium with a real server: received and displayed data. Each test has its own tab."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from demo_page import Page
from selenium.webdriver.common.by import By

VECTORS = Path(__file__).parents[2] / "data/parser_vectors.json"

EVENT_STREAMS = ["/stream", "/native", "/load", "/faults"]
RECEIVED = [
    *((endpoint, receiver) for endpoint in EVENT_STREAMS for receiver in ("eventsource", "fetch")),
    ("/ndjson", "fetch"),
    ("/ws", "websocket"),
]
MARKUP = "<img src=x onerror=\"document.title='run'\">&amp;"

# The results of the page's parser for each vector and each split into chunks.
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


@pytest.mark.parametrize(("endpoint", "receiver"), RECEIVED)
def test_events_are_received_and_counted(page: Page, endpoint: str, receiver: str) -> None:
    page.start(endpoint=endpoint, receiver=receiver, pace=0.02, count=5, retry=60_000, event="price", size=3)
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


def test_lines_of_plain_text_have_no_types_or_ids(page: Page) -> None:
    page.start(endpoint="/streaming-response", pace=0.02, count=3)
    assert page.wait_for_state("closed") == "the server ended the stream"
    page.wait(lambda: page.rows("event") == [["line", "", f"data {number}"] for number in (1, 2, 3)])
    assert page.text("last-id") == "-"
    assert page.text("delivery") == "-"


def test_tokens_of_a_chat_completion_are_joined(page: Page) -> None:
    page.start(endpoint="/v1/chat/completions", tokens=10, llm_rate=100, ttft=0)
    page.wait_for_state("closed")
    page.wait(lambda: page.rows("event")[-1:] == [["message", "", "[DONE]"]])
    pieces = [json.loads(row[2])["choices"][0]["delta"].get("content", "") for row in page.rows("event")[:-1]]
    assert page.text("answer-text") == "".join(pieces) != ""


def test_only_supported_receivers_are_offered(page: Page) -> None:
    page.open()
    options = page.run("return [...document.querySelectorAll('#endpoint option')].map((option) => option.value)")
    offered = {}
    for option in options:
        page.open(endpoint=option)
        offered[option] = page.run(
            "return [...document.querySelectorAll('#receivers input')].map((input) => input.value)"
        )
    both = ["eventsource", "fetch"]
    assert offered == dict.fromkeys([*EVENT_STREAMS, "/channels"], both) | {
        "/streaming-response": ["fetch"],
        "/ndjson": ["fetch"],
        "/v1/chat/completions": ["fetch"],
        "/ws": ["websocket"],
    }


@pytest.mark.parametrize("receiver", ["eventsource", "fetch"])
def test_reconnections_are_counted_and_continue_after_the_last_id(page: Page, receiver: str) -> None:
    page.start(endpoint="/stream", receiver=receiver, pace=0, count=3, retry=20)
    page.wait(lambda: page.number("reconnects") >= 3)
    page.click("stop")
    page.wait(page.has_drawn_the_stop)
    assert page.text("state") == "closed"
    ids = [int(row[1]) for row in page.rows("event")]
    assert ids == list(range(1, len(ids) + 1))
    assert page.number("last-id") == ids[-1] >= 9
    assert page.number("max-gap") >= 20  # the reconnection time


def test_closed_websocket_is_reported_without_reconnection(page: Page) -> None:
    page.start(endpoint="/ws", pace=0.01, count=3)
    assert page.wait_for_state("closed") == "the server closed it (code 1000). It does not reconnect"
    assert "that is left to the application" in page.text("receiver-hint")


def test_comments_are_shown_with_fetch_but_not_with_eventsource(page: Page) -> None:
    for receiver, seen in (("fetch", True), ("eventsource", False)):
        page.driver.get("about:blank")
        page.start(endpoint="/load", receiver=receiver, pace=0.3, heartbeat=0.1)
        page.wait(lambda: page.number("events") >= 3)
        assert bool(page.rows("comment")) == seen
        assert (page.text("comments") == "not shown") != seen


def test_published_event_arrives_in_a_second_tab(page: Page) -> None:
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


def test_publishing_an_unheard_event_type_shows_a_hint(page: Page) -> None:
    page.start(endpoint="/channels", receiver="eventsource", channel="types", types="heard")
    page.wait_for_state("open")
    for event_type, is_shown in (("heard", True), ("unheard", False)):
        page.fill("publish-type", event_type)
        page.driver.find_element(By.CSS_SELECTOR, "#publish [type=submit]").click()
        page.wait(lambda: page.text("published") != "")
        assert ("does not show it" in page.text("published")) is not is_shown
        page.run("document.getElementById('published').textContent = ''")
    page.wait(lambda: [row[0] for row in page.rows("event")] == ["heard"])


def test_gap_in_a_channel_is_shown_as_an_announcement(page: Page) -> None:
    page.start(endpoint="/channels", receiver="eventsource", channel="with-a-gap", last_id="long-ago-1")
    page.wait(lambda: [row[0] for row in page.rows("announcement")] == ["gap"])
    assert "long-ago-1" in page.rows("announcement")[0][2]


def test_refused_request_is_shown_with_its_reason(page: Page) -> None:
    page.expects_refusals = True
    page.start(endpoint="/stream", receiver="fetch", pace=-1)
    reason = page.wait_for_state("failed")
    assert reason.startswith("HTTP 422")
    assert reason.endswith("interval: Input should be greater than or equal to 0")


def test_failed_eventsource_offers_a_retry_with_fetch(page: Page) -> None:
    page.expects_refusals = True
    page.start(endpoint="/stream", receiver="eventsource", more="no_such=parameter")
    assert "does not report" in page.wait_for_state("failed")
    page.click("ask-fetch")
    page.wait(lambda: page.text("reason").startswith("HTTP 422"))
    assert "no_such" in page.text("reason")


def test_browser_without_eventsource_uses_fetch_with_a_notice(page: Page) -> None:
    page.emulate("Page.addScriptToEvaluateOnNewDocument", source="delete window.EventSource")
    page.start(endpoint="/stream", receiver="eventsource", pace=0.05)
    page.wait(lambda: page.number("events") > 0)
    assert page.driver.find_element(By.ID, "no-eventsource").is_displayed()
    assert page.run("return document.querySelector('#receivers [value=eventsource]').disabled")
    assert page.run("return document.querySelector('#receivers :checked').value") == "fetch"


def test_browser_with_eventsource_shows_no_notice(page: Page) -> None:
    page.open()
    assert not page.driver.find_element(By.ID, "no-eventsource").is_displayed()


def test_markup_in_event_data_is_shown_as_text(page: Page) -> None:
    page.start(endpoint="/channels", receiver="fetch", channel="markup")
    page.wait_for_state("open")
    answer = httpx.post(f"{page.server}/channels/markup", params={"event": MARKUP}, content=MARKUP)
    assert answer.status_code == 201
    page.wait(lambda: [[row[0], row[2]] for row in page.rows("event")] == [[MARKUP, MARKUP]])
    assert not page.run("return document.querySelector('#log img')")
    assert page.driver.title == "sse demo server"


def test_markup_in_an_event_type_is_shown_as_text(page: Page) -> None:
    page.start(endpoint="/stream", receiver="eventsource", pace=0.05, event=MARKUP, types=MARKUP)
    page.wait(lambda: len(page.rows("event")) > 0)
    assert page.rows("event")[0][0] == MARKUP
    assert not page.run("return document.querySelector('main img')")


def test_each_start_of_faults_is_a_new_run(page: Page) -> None:
    page.expects_refusals = True
    runs = set()
    for _ in range(2):
        page.start(endpoint="/faults", receiver="fetch", pace=0.02, more="status=418&status_times=1")
        assert "418" in page.wait_for_state("failed")
        fault_log = page.driver.find_element(By.ID, "fault-log")
        assert fault_log.is_displayed()
        log = httpx.get(fault_log.get_attribute("href") or "").json()
        assert log["totals"]["ended"] == {"refused": 1}
        runs.add(log["run"])
    assert len(runs) == 2


def test_silence_of_an_open_stream_is_shown(page: Page) -> None:
    page.start(endpoint="/faults", receiver="fetch", pace=0.02, more="stall=3")
    page.wait(lambda: page.text("silence") == "no data for 3 s")
    assert page.text("state") == "open"
    page.click("stop")
    page.wait(lambda: page.text("silence") == "")


def test_parser_of_the_page_passes_public_test_vectors_at_every_split(page: Page) -> None:
    page.open()
    vectors = json.loads(VECTORS.read_text("utf-8"))["parser_vectors"]
    assert len(vectors) > 200
    assert page.driver.execute_async_script(_PARSE, vectors) == []

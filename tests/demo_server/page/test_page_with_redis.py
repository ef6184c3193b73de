"""The page when channels are shared through Redis."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from demo_page import Page
from demo_server_processes import serving
from redis_process import RedisProcess, redis_process
from selenium.webdriver.common.by import By


@pytest.fixture(name="redis", scope="module")
def start_redis() -> Iterator[RedisProcess]:
    with redis_process() as server:
        yield server


@pytest.fixture(scope="module")
def page_server(redis: RedisProcess) -> Iterator[str]:
    with serving("--access-log", "none", "--redis", redis.url) as (_, url):
        yield url


def test_publishing_shows_no_number_of_subscribers_and_the_reason_of_a_failure(page: Page, redis: RedisProcess) -> None:
    page.start(endpoint="/channels", receiver="eventsource", channel="x")
    page.wait_for_state("open")

    def publish() -> str:
        page.fill("publish-body", "hello")
        page.driver.find_element(By.CSS_SELECTOR, "#publish [type=submit]").click()
        page.wait(lambda: page.text("published") not in ("", before))
        return page.text("published")

    before = ""
    before = publish()
    assert re.fullmatch(r"Published as [0-9a-f]{6}-1\.", before)
    redis.stop()
    after = publish()
    assert after.startswith("Refused: HTTP 503")
    assert "not published: Redis at /" in after
    page.errors()  # the browser logs the 503
    assert page.text("state").startswith("open")

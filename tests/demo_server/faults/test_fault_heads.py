"""Faults of the response head: content type, status and redirects, from one real server that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from demo_server_processes import started_server
from raw_client import get

runs = (f"run-{number}" for number in count())


@pytest.fixture(scope="module", name="server")
def start_server() -> Iterator[str]:
    with started_server() as (process, port):
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        # All faults are intended, so the server logs no error.
        assert process.communicate(timeout=20) == ("", "")


def faults(server: str, query: str, *, run: str | None = None) -> str:
    return f"{server}/faults?interval=0&run={run or next(runs)}&{query}"


def test_content_type_is_that_of_the_parameter(server: str) -> None:
    answer = get(faults(server, "content_type=text/html;%20charset=utf-8&count=1"))
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert get(faults(server, "content_type=a%0d%0aX-Injected:%20b")).status == 422


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body_has_no_body(server: str, status: int) -> None:
    answer = get(faults(server, f"status={status}"))
    assert (answer.status, answer.ended) == (status, "complete")
    assert answer.header("content-length") is None


def test_status_with_retry_after_applies_to_the_selected_requests(server: str) -> None:
    url = faults(server, "status=503&retry_after=7&status_after=1&status_times=2&count=1")
    answers = [get(url) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 503, 503, 200]
    assert [answer.header("retry-after") for answer in answers] == [None, "7", "7", None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_keep_all_other_parameters(server: str, status: int) -> None:
    run = next(runs)
    url = faults(server, f"redirect=3&redirect_status={status}&count=1&event=a%26%C3%BC%3D&status=200", run=run)
    response = httpx.get(url, follow_redirects=True)
    assert [hop.status_code for hop in response.history] == [status] * 3
    assert {hop.headers["cache-control"] for hop in response.history} == {"no-store"}  # 301 and 308 are cacheable
    assert "event: a&ü=\n" in response.text
    totals = httpx.get(f"{server}/truth/{run}").raise_for_status().json()["totals"]
    assert (totals["redirected"], totals["streams"]) == (3, 1)

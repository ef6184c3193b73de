"""The lines of ``--access-log`` on stderr."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from real_processes import until
from running_demo import PUSH_ENDPOINTS, Demo, running_demo
from websockets.exceptions import InvalidStatus

COMPLETIONS = "/v1/chat/completions"


@pytest.fixture(name="demo", scope="module")
def start_demo_with_defaults() -> Iterator[Demo]:
    with running_demo() as demo:
        yield demo


@pytest.fixture(name="talkative_demo", scope="module")
def start_demo_that_logs_all() -> Iterator[Demo]:
    with running_demo("--access-log", "all") as demo:
        yield demo


def lines_since(demo: Demo, before: str, at_least: int = 1) -> list[dict[str, Any]]:
    """Return the added lines. A request is logged when its response is complete."""
    until(lambda: demo.read_stderr().count("\n") >= before.count("\n") + at_least)
    return [json.loads(line) for line in demo.read_stderr().removeprefix(before).splitlines()]


def test_request_is_one_json_object_on_one_line(demo: Demo) -> None:
    before = demo.read_stderr()
    with closing(HTTPConnection("127.0.0.1", demo.port, 30)) as connection:
        connection.request("GET", "/healthz?a=1&b=%20%C3%A9")
        address = "{}:{}".format(*connection.sock.getsockname())
        body = connection.getresponse().read()
    (line,) = lines_since(demo, before)
    assert list(line) == ["time", "client", "method", "path", "query", "status", "bytes", "duration_ms"]
    age = datetime.now().astimezone() - datetime.fromisoformat(line["time"])
    assert timedelta(milliseconds=-1) <= age < timedelta(seconds=30)
    assert 0 < line["duration_ms"] < 30_000
    del line["time"], line["duration_ms"]
    assert line == {
        "client": address,
        "method": "GET",
        "path": "/healthz",
        "query": "a=1&b=%20%C3%A9",
        "status": 200,
        "bytes": len(body),
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/stream?count=x", 422),
        ("GET", "/load?count=x", 422),
        ("POST", "/load", 405),
        ("HEAD", "/native", 405),
        ("GET", "/ws", 426),
        ("POST", COMPLETIONS, 422),
    ],
)
@pytest.mark.parametrize("which", ["demo", "talkative_demo"])
def test_refused_request_is_logged(
    request: pytest.FixtureRequest, which: str, method: str, path: str, status: int
) -> None:
    demo: Demo = request.getfixturevalue(which)
    before = demo.read_stderr()
    demo.client.request(method, path)
    (line,) = lines_since(demo, before)
    assert (line["method"], f"{line['path']}?{line['query']}".rstrip("?"), line["status"]) == (method, path, status)


def test_refused_websocket_is_logged(demo: Demo) -> None:
    before = demo.read_stderr()
    with pytest.raises(InvalidStatus) as refused:
        demo.connect("/ws?count=x")
    (line,) = lines_since(demo, before)
    assert (line["path"], line["status"], line["bytes"]) == ("/ws", 422, len(refused.value.response.body))


@pytest.mark.parametrize("path", ["/x%0D%0A%7B%22status%22%3A%20200%7D", "/x%E2%80%A8y", "/%FF%00", "/%22%2C%22"])
def test_path_with_line_end_cannot_forge_a_log_line(demo: Demo, path: str) -> None:
    before = demo.read_stderr()
    demo.client.get(f"{path}?q={path}")
    (line,) = lines_since(demo, before)
    assert (line["status"], line["query"]) == (404, f"q={path}")
    assert demo.read_stderr().isascii()


def test_streams_are_not_logged_by_default(demo: Demo) -> None:
    before = demo.read_stderr()
    for path in PUSH_ENDPOINTS:
        assert list(demo.listen(path, "count=1"))
    assert demo.client.post(f"{COMPLETIONS}?ttft=0&tokens=1", json={"stream": True}).text
    assert demo.client.post(f"{COMPLETIONS}?ttft=0&tokens=1", json={}).text  # no stream
    (line,) = lines_since(demo, before)
    assert (line["method"], line["path"], line["status"]) == ("POST", COMPLETIONS, 200)


def test_disconnect_before_the_response_is_logged_without_a_status(demo: Demo) -> None:
    before = demo.read_stderr()
    with closing(HTTPConnection("127.0.0.1", demo.port, 30)) as connection:
        connection.request("POST", f"{COMPLETIONS}?ttft=3600", "{}", {"Content-Type": "application/json"})
        demo.client.get("/healthz")
    lines = lines_since(demo, before, at_least=2)
    assert [(line["path"], line["status"], line["bytes"]) for line in lines][-1] == (COMPLETIONS, None, 0)


@pytest.mark.parametrize("path", PUSH_ENDPOINTS)
def test_access_log_all_logs_streams_with_their_size(talkative_demo: Demo, path: str) -> None:
    demo, query = talkative_demo, "count=2&interval=0.05&size=100"
    before = demo.read_stderr()
    if path == "/ws":
        with demo.connect(f"{path}?{query}") as websocket:
            received = sum(len(message) for message in websocket)
    else:
        received = len(demo.client.get(f"{path}?{query}").content)
    (line,) = lines_since(demo, before)
    assert (line["path"], line["query"], line["bytes"]) == (path, query, received)
    assert line["status"] == (101 if path == "/ws" else 200)
    assert line["duration_ms"] >= 50


def test_access_log_all_logs_an_llm_answer_with_its_size(talkative_demo: Demo) -> None:
    before = talkative_demo.read_stderr()
    answer = talkative_demo.client.post(f"{COMPLETIONS}?ttft=0&rate=0", json={"stream": True})
    (line,) = lines_since(talkative_demo, before)
    assert (line["status"], line["bytes"]) == (200, len(answer.content))


@pytest.mark.parametrize("path", PUSH_ENDPOINTS)
def test_access_log_all_logs_a_stream_after_its_client_disconnected(talkative_demo: Demo, path: str) -> None:
    before = talkative_demo.read_stderr()
    began_s = time.monotonic()
    with talkative_demo.open_stream(f"{path}?interval=3600") as connection:
        assert connection.recv(4096)
        assert talkative_demo.read_stderr() == before
    (line,) = lines_since(talkative_demo, before)
    assert (line["path"], line["status"]) == (path, 101 if path == "/ws" else 200)
    assert line["bytes"] < 200
    assert line["duration_ms"] <= (time.monotonic() - began_s) * 1000

"""Only pages of this machine, on any port, may read responses and write."""

from __future__ import annotations

import pytest
from running_demo import Demo
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

OWN_ORIGINS = ["http://localhost:1234", "http://localhost", "https://127.0.0.1:8443", "http://[::1]:8000"]
FOREIGN_ORIGINS = [
    "https://example.com",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com:8000",
    "http://evil-localhost",
    "http://localhost:1234.example.com",
    "null",
]
ALLOWED = "access-control-allow-origin"
ONE_EVENT = ["/stream", "/native", "/load", "/streaming-response", "/ndjson"]
PATHS = [
    *(f"{path}?count=1" for path in ONE_EVENT),
    *(f"{path}?count=x" for path in ONE_EVENT),
    "/ws",
    "/stats",
    "/healthz",
    "/nothing",
    "/v1/chat/completions",
]


@pytest.mark.parametrize("path", PATHS)
def test_local_pages_may_read_every_response(demo: Demo, path: str) -> None:
    response = demo.client.get(path, headers={"Origin": OWN_ORIGINS[0]})
    assert response.headers[ALLOWED] == OWN_ORIGINS[0]
    assert response.headers["vary"] == "Origin"  # otherwise, a cache could return it to a page of another origin


@pytest.mark.parametrize("path", PATHS)
def test_pages_of_other_origins_may_not_read_responses(demo: Demo, path: str) -> None:
    for headers in ({}, *({"Origin": origin} for origin in FOREIGN_ORIGINS)):
        assert ALLOWED not in demo.client.get(path, headers=headers).headers


@pytest.mark.parametrize("origin", OWN_ORIGINS)
def test_every_loopback_origin_is_local(demo: Demo, origin: str) -> None:
    assert demo.client.get("/load?count=1", headers={"Origin": origin}).headers[ALLOWED] == origin


@pytest.mark.parametrize("path", ["/load", "/stream", "/v1/chat/completions"])
def test_cors_preflight_allows_the_methods_and_headers_of_the_endpoints(demo: Demo, path: str) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,last-event-id"}
    response = demo.client.options(path, headers={"Origin": OWN_ORIGINS[0], **wanted})
    allowed = response.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
    assert response.status_code == 200
    assert response.headers[ALLOWED] == OWN_ORIGINS[0]
    assert "POST" in response.headers["access-control-allow-methods"]
    assert {"content-type", "last-event-id"} <= set(allowed)
    refused = demo.client.options(path, headers={"Origin": FOREIGN_ORIGINS[0], **wanted})
    assert (refused.status_code, ALLOWED in refused.headers) == (400, False)


def test_response_varies_by_origin(demo: Demo) -> None:
    for origin in (*OWN_ORIGINS, *OWN_ORIGINS):
        headers = demo.client.get("/load?count=1", headers={"Origin": origin}).headers
        assert headers.get_list(ALLOWED) == [origin]
        assert headers.get_list("vary") == ["Origin"]


def test_pages_may_read_retry_after(demo: Demo) -> None:
    response = demo.client.get("/faults?status=503&retry_after=7", headers={"Origin": OWN_ORIGINS[0]})
    assert (response.headers["access-control-expose-headers"], response.headers["retry-after"]) == ("Retry-After", "7")


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_pages_of_other_origins_can_neither_publish_nor_open_a_websocket(demo: Demo, origin: str) -> None:
    headers = {"Origin": origin, "Content-Type": "text/plain"}  # browsers send these without a CORS preflight
    assert demo.client.post("/channels/x", content="x", headers=headers).status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{demo.port}/ws", origin=Origin(origin), proxy=None)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", OWN_ORIGINS)
def test_local_pages_can_publish_and_open_a_websocket(demo: Demo, origin: str) -> None:
    assert demo.client.post("/channels/x", content="x", headers={"Origin": origin}).status_code == 201
    with connect(f"ws://127.0.0.1:{demo.port}/ws?count=1", origin=Origin(origin), proxy=None) as websocket:
        assert websocket.recv()


def test_same_origin_page_may_do_everything_at_any_address(demo: Demo) -> None:
    headers = {"Host": "192.0.2.7:8000", "Origin": "http://192.0.2.7:8000"}
    assert demo.client.post("/channels/x", content="x", headers=headers).status_code == 201

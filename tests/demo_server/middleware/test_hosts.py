"""The server accepts only its own names and IP addresses as Host, against DNS rebinding."""

from __future__ import annotations

import json
import socket

import pytest
from running_demo import Demo, running_demo
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

OWN = [
    "localhost",
    "LOCALHOST:8000",
    "localhost.:8000",
    "demo.localhost:8000",
    "127.0.0.1",
    "127.0.0.1:1",
    "192.0.2.7:8000",
    "127.1",
    "[::1]",
    "[::1]:8000",
    "[fe80::1%25eth0]:8000",
    socket.gethostname(),
    f"{socket.gethostname().partition('.')[0]}.local:8000",
]
FOREIGN = [
    "evil.example:23101",
    "evil.example",
    "localhost.evil.example",
    "evil-localhost:8000",
    "127.0.0.1.evil.example:8000",
    "1.2.3.4.5",
    "[evil.example]:80",
    "[::1].evil.example",
    "::1",
    "evil.example:80:80",
    "localhost@evil.example",
    "",
]
PATHS = ["/", "/load?count=1", "/stream?count=1", "/stats", "/channels/x", "/nothing", "/page/app.js", "/docs"]


@pytest.mark.parametrize("host", OWN)
def test_own_names_and_ip_addresses_are_accepted(demo: Demo, host: str) -> None:
    assert demo.client.get("/load?count=1", headers={"Host": host}).status_code == 200
    assert demo.client.get("/stats", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_refused(demo: Demo, host: str) -> None:
    assert demo.client.get("/stats", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("path", PATHS)
def test_every_endpoint_refuses_other_names(demo: Demo, path: str) -> None:
    response = demo.client.get(path, headers={"Host": "evil.example:23101"})
    assert (response.status_code, response.json()["detail"]) == (
        421,
        f"unknown host name 'evil.example': use http://127.0.0.1:{demo.port}, "
        "or start the server with --allow-host NAME",
    )


def test_page_after_dns_rebinding_can_neither_read_nor_write(demo: Demo) -> None:
    headers = {"Host": "evil.example:23101", "Origin": "http://evil.example:23101"}
    assert demo.client.post("/channels/news", content="pwned", headers=headers).status_code == 421
    assert demo.client.delete("/truth/default", headers=headers).status_code == 421
    assert demo.client.options("/channels/news", headers=headers).status_code == 421
    with (
        socket.create_connection(("127.0.0.1", demo.port), timeout=30) as connection,
        pytest.raises(InvalidStatus) as no,
    ):
        connect("ws://evil.example:23101/ws", sock=connection, proxy=None)
    assert no.value.response.status_code == 421


def test_second_host_header_is_also_checked(demo: Demo) -> None:
    request = b"GET /stats HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", demo.port), timeout=30) as connection:
        connection.sendall(request)
        assert connection.recv(12) == b"HTTP/1.1 421"


def test_request_without_host_is_accepted(demo: Demo) -> None:
    with socket.create_connection(("127.0.0.1", demo.port), timeout=30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_allow_host_accepts_only_its_names(workers: str) -> None:
    with running_demo("--workers", workers, "--allow-host", "Demo.example.com", "--allow-host", "b.example") as demo:
        headers = {"Host": "demo.example.com:8000", "Origin": "http://demo.example.com:8000"}
        assert demo.client.post("/channels/x", content="x", headers=headers).status_code == 201
        assert demo.client.get("/stats", headers={"Host": "b.example"}).status_code == 200
        assert demo.client.get("/stats", headers={"Host": "c.example"}).status_code == 421
        refused = [line for line in map(json.loads, demo.end().splitlines()) if line["status"] == 421]
    assert [(line["method"], line["path"]) for line in refused] == [("GET", "/stats")]


def test_allow_host_star_accepts_any_name() -> None:
    with running_demo("--allow-host", "*", "--access-log", "none") as demo:
        assert demo.client.get("/stats", headers={"Host": "c.example"}).status_code == 200


def test_name_of_the_host_option_is_accepted_and_wildcard_addresses_keep_the_check() -> None:
    with running_demo("--host", "0.0.0.0", "--access-log", "none") as demo:
        own = f"{socket.gethostname()}:{demo.port}"
        assert demo.client.get("/stats", headers={"Host": own}).status_code == 200
        assert demo.client.get("/stats", headers={"Host": "evil.example"}).status_code == 421


def test_unknown_path_lists_the_endpoints(demo: Demo) -> None:
    response = demo.client.get("/nosuch")
    assert response.status_code == 404
    assert response.json()["detail"].startswith("there is no endpoint /nosuch; there are /, ")
    for path in ("/stream", "/load", "/ws", "/faults", "/channels/{name}", "/v1/chat/completions"):
        assert f" {path}" in response.json()["detail"]
    listed = response.json()["detail"].rpartition("there are ")[2].split(", ")
    assert sorted(set(listed)) == listed


def test_404_of_an_endpoint_has_its_own_message(demo: Demo) -> None:
    response = demo.client.get("/truth/never")
    assert response.status_code == 404
    assert "no endpoint" not in response.json()["detail"]

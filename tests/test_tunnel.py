"""Responses of a proxy to CONNECT, at every split of their bytes."""

from __future__ import annotations

import pytest

from sseclient_cli.errors import ProxyError
from sseclient_cli.request.proxies import parse_proxy
from sseclient_cli.request.target import Target
from sseclient_cli.tunnel import Tunnel


def tunnel(url: str = "https://events.test/s", *headers: str) -> Tunnel:
    return Tunnel(parse_proxy("http://user:secret@a:3128"), Target.parse(url, headers=headers))


def fed(*pieces: bytes) -> Tunnel:
    asked = tunnel()
    for piece in pieces:
        asked.feed(piece)
    return asked


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://events.test/s?a=b", b"events.test:443"),
        ("https://events.test:8443/", b"events.test:8443"),
        ("https://[::1]/", b"[::1]:443"),
    ],
)
def test_the_request_contains_only_host_and_port_of_the_url(url: str, authority: bytes) -> None:
    request = tunnel(url, "Authorization: Bearer abc").request
    assert request.startswith(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n" % (authority, authority))
    assert b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n" in request
    assert b"abc" not in request
    assert request.endswith(b"\r\n\r\n")


OPEN = b"HTTP/1.1 200 Connection established\r\nVia: a\r\n\r\n"


@pytest.mark.parametrize(
    "answer", [OPEN, b"HTTP/1.0 200\r\n\r\n", b"HTTP/1.1 204 X\n\n", b"HTTP/1.1 100 C\r\n\r\n" + OPEN]
)
def test_a_success_opens_the_tunnel(answer: bytes) -> None:
    for split in range(1, len(answer)):
        first, rest = answer[:split], answer[split:]
        asked = fed(first)
        assert not asked.status
        asked.feed(rest)
        assert asked.is_open


def test_an_error_of_the_proxy_contains_its_message() -> None:
    error = fed(b"HTTP/1.1 403 No\r\n\r\n<p>Not ", b"\x1b allowed").error()
    assert str(error).startswith("the proxy http://a:3128 refused the CONNECT events.test:443: 403 Forbidden: ")
    assert "the proxy says: <p>Not \\x1b allowed" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([b""], "closed the connection before it answered"),
        ([b"HTTP/1.1 200", b""], "closed the connection before it answered"),
        ([b"SSH-2.0-x\r\n"], "did not answer in HTTP/1.1"),
        ([b"HTTP/2 200\r\n\r\n"], "did not answer in HTTP/1.1"),
        ([OPEN + b"more"], "sent unexpected data into the tunnel to events.test:443"),
        ([b"HTTP/1.1 200 " + b"x" * 300_000], "did not answer in HTTP/1.1"),
    ],
)
def test_an_invalid_response_is_a_proxy_error(pieces: list[bytes], words: str) -> None:
    with pytest.raises(ProxyError, match=words):
        fed(*pieces)

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from certificates import Authority
from scripted_server import CHUNKED, SSE, Do, Script, ScriptedServer, head
from silent_port import silent_port

from sseclient_cli.client.connector import Connector
from sseclient_cli.client.source import EventSource
from sseclient_cli.errors import (
    BadStatusError,
    ConnectError,
    ConnectionRefusedByTargetError,
    ConnectTimeoutError,
    InvalidResponseError,
    SseError,
    TlsError,
    UsageError,
)
from sseclient_cli.request.target import Target


async def body_of(target: str | Target) -> bytes:
    """Return the whole body of one connection."""
    async with Connector(Target.parse(target) if isinstance(target, str) else target, None) as connector:
        connection = await connector.connect(None)
        try:
            body = b""
            while (piece := await connection.read()) is not None:
                body += piece
            return body
        finally:
            await connection.aclose()


# Redirects


@pytest.mark.parametrize("framing", [b"", b"Content-Length: 1000000\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_the_body_of_a_redirect_is_not_read(framing: bytes) -> None:
    redirect: list[bytes | Do] = [head(302, b"Location: /there\r\n" + framing), Do.HOLD]
    async with ScriptedServer(redirect, [head(), b"data: x\n\n"]) as server:
        assert await body_of(server.url) == b"data: x\n\n"
        await server.requests[0].disconnected.wait()


async def test_cookies_are_sent_back_only_within_a_redirect_chain() -> None:
    set_cookie = b"Set-Cookie: a=b; Path=/\r\n"
    redirect = [head(307, b"Location: /there\r\n" + set_cookie)]
    async with (
        ScriptedServer(redirect, [head(headers=SSE + set_cookie)], [head()]) as server,
        Connector(Target.parse(server.url), None) as connector,
    ):
        for _ in range(2):
            await (await connector.connect(None)).aclose()
        assert [request.header("cookie") for request in server.requests] == [None, b"a=b", None]


# Codings


async def test_a_body_without_its_declared_coding_is_an_invalid_response() -> None:
    async with ScriptedServer([head(headers=SSE + b"Content-Encoding: gzip\r\n"), b"data: x\n\n"]) as server:
        with pytest.raises(InvalidResponseError, match="says Content-Encoding: gzip, but its body is not gzip data"):
            await body_of(server.url)


async def test_an_unknown_coding_raises_at_once_and_closes_the_socket() -> None:
    async with ScriptedServer([head(headers=CHUNKED + b"Content-Encoding: gzip, gzip\r\n"), Do.HOLD]) as server:
        with pytest.raises(InvalidResponseError, match="'gzip, gzip'"):
            await body_of(server.url)
        await server.requests[0].disconnected.wait()


async def test_a_bad_status_takes_precedence_over_an_unknown_coding() -> None:
    async with (
        ScriptedServer([head(404, b"Content-Encoding: zstd\r\n")]) as server,
        Connector(Target.parse(server.url), None) as connector,
    ):
        connection = await connector.connect(None)
        assert connection.stop_reason is not None
        assert isinstance(await connection.response_error(connection.stop_reason), BadStatusError)
        await connection.aclose()


# Failures


async def test_a_connect_without_an_answer_is_a_connect_timeout() -> None:
    with silent_port() as port:
        target = Target(url=f"http://127.0.0.1:{port}/", connect_timeout_s=0.2)
        async with Connector(target, None) as connector:
            with pytest.raises(ConnectTimeoutError, match=f"no connection to 127.0.0.1:{port} within 0.2 s"):
                await connector.connect(None)


async def test_a_response_that_is_not_http_is_quoted_in_part_only() -> None:
    async with ScriptedServer([b"x" * 60_000 + b"\r\n\r\n"]) as server:
        with pytest.raises(SseError) as caught:
            await body_of(server.url)
        assert len(str(caught.value)) < 400


# Where to connect


async def test_connect_to_does_not_change_the_request_or_sni(authority: Authority) -> None:
    script: list[bytes | Do] = [head(), b"data: x\n\n"]
    async with ScriptedServer(script, ssl_context=authority.server("sse.test")) as server:
        target = Target.parse(
            "https://sse.test/x", connect_to=f"127.0.0.1:{server.port}", ca_file=authority.file, body="y"
        )
        assert await body_of(target) == b"data: x\n\n"
    assert server.sni == ["sse.test"]
    assert server.requests[0].header("host") == b"sse.test"
    assert (server.requests[0].path, server.requests[0].body) == ("/x", b"y")


async def test_the_certificate_must_match_the_host_of_the_url(authority: Authority) -> None:
    async with ScriptedServer(ssl_context=authority.server("127.0.0.1")) as server:
        target = Target.parse("https://sse.test/", connect_to=f"127.0.0.1:{server.port}", ca_file=authority.file)
        with pytest.raises(TlsError, match=r"not valid for 'sse\.test'"):
            await body_of(target)


async def test_connect_to_accepts_ipv6() -> None:
    async with ScriptedServer([head(), b"data: x\n\n"], host="::1") as server:
        assert await body_of(Target.parse("http://sse.test/", connect_to=f"[::1]:{server.port}")) == b"data: x\n\n"


async def test_connect_to_does_not_apply_to_another_origin() -> None:
    async with (
        ScriptedServer([head(), b"data: x\n\n"]) as other,
        ScriptedServer(
            [head(307, b"Location: /b\r\n")], [head(302, b"Location: %b\r\n" % other.url.encode())]
        ) as server,
    ):
        target = Target.parse("http://sse.test/a", connect_to=f"127.0.0.1:{server.port}")
        assert await body_of(target) == b"data: x\n\n"
        assert [request.path for request in server.requests] == ["/a", "/b"]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_unix_socket_works_like_a_port(scheme: str, authority: Authority, tmp_path: Path) -> None:
    path = str(tmp_path / "sse.sock")
    context = authority.server("sse.test") if scheme == "https" else None
    async with ScriptedServer([head(), b"data: x\n\n"], unix_socket=path, ssl_context=context) as server:
        target = Target.parse(f"{scheme}://sse.test/x", unix_socket=path, ca_file=authority.file)
        assert await body_of(target) == b"data: x\n\n"
        assert server.requests[0].header("host") == b"sse.test"


async def test_an_error_of_a_missing_or_unused_unix_socket_has_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "sse.sock")
    with pytest.raises(ConnectError, match=f"cannot connect to the unix socket {path}: no such file or directory"):
        await body_of(Target.parse("http://sse.test/", unix_socket=path))
    with socket.socket(socket.AF_UNIX) as unused:
        unused.bind(path)
        with pytest.raises(ConnectionRefusedByTargetError, match=f"nothing listens on the unix socket {path}: is the"):
            await body_of(Target.parse("http://sse.test/", unix_socket=path))
    with pytest.raises(ConnectError, match="AF_UNIX path too long"):
        await body_of(Target.parse("http://sse.test/", unix_socket="x" * 200))


async def test_the_server_sees_the_first_source_address() -> None:
    async with ScriptedServer([head()]) as server:
        await body_of(Target.parse(server.url, source_address="127.0.0.2,127.0.0.3"))
        assert server.requests[0].source == "127.0.0.2"


async def test_a_source_address_of_another_family_is_a_usage_error() -> None:
    async with ScriptedServer() as server:
        with pytest.raises(UsageError, match="have different address families: use only IPv4 or only IPv6"):
            await body_of(Target.parse(server.url, source_address="::1"))


# Certificates


async def test_certificates_that_cannot_be_loaded_are_a_usage_error_for_https_and_ignored_for_http(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    with pytest.raises(UsageError, match=r"no certificates can be loaded from SSL_CERT_FILE=/nonexistent"):
        await body_of("https://127.0.0.1:1/")
    async with ScriptedServer([head(), b"data: x\n\n"]) as server:
        assert await body_of(server.url) == b"data: x\n\n"


async def test_connections_are_never_reused() -> None:
    """A server that closes a reused connection at this moment would look like a failure of the next request."""
    body = b"retry: 1\n\ndata: x\n\n"
    whole: Script = [head(headers=SSE + b"Content-Length: %d\r\n" % len(body)), body, Do.HOLD]
    async with ScriptedServer(whole, whole) as server, asyncio.timeout(20):
        async with EventSource(server.url) as source:
            assert [event.data async for event in source] == ["x", "x"]
        assert len(server.requests) == 3


@pytest.mark.parametrize("location", ["/ü".encode(), b"/\xff", b"/x#\xc3\xbc", b"http://\xef\xbc\x8e/"])
async def test_an_invalid_location_is_ignored_without_a_redirect(location: bytes) -> None:
    found = head(headers=SSE + b"Location: %b\r\n" % location)
    async with ScriptedServer([found, b"data: x\n\n", Do.HOLD]) as server, EventSource(server.url) as source:
        assert (await anext(source)).data == "x"
        assert source.response_headers["location"].encode("latin-1") == location


async def test_bytes_of_a_location_are_percent_encoded_unchanged() -> None:
    led = [head(302, b"Location: /\xc3\xbc\xff\r\n")]
    async with ScriptedServer(led, [head(), b"data: x\n\n", Do.HOLD]) as server, EventSource(server.url) as source:
        assert (await anext(source)).data == "x"
        assert server.requests[1].path == "/%C3%BC%FF"


@pytest.mark.parametrize("status", [300, 304, 305])
async def test_only_redirects_are_followed(status: int) -> None:
    async with ScriptedServer([head(status, b"Location: /x\r\nContent-Length: 0\r\n")]) as server:
        async with EventSource(server.url) as source:
            with pytest.raises(BadStatusError):
                await anext(source)
        assert len(server.requests) == 1

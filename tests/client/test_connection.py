from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from certificates import Authority
from scripted_server import CHUNKED, SSE, Do, Script, ScriptedServer, head
from silent_port import silent_port

from sseclient_cli.client.connection import Connector
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
    """Return all that one connection brings."""
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
async def test_the_body_of_a_redirect_is_not_waited_for(framing: bytes) -> None:
    redirect: list[bytes | Do] = [head(302, b"Location: /there\r\n" + framing), Do.HOLD]
    async with ScriptedServer(redirect, [head(), b"data: x\n\n"]) as server:
        assert await body_of(server.url) == b"data: x\n\n"
        await server.requests[0].disconnected.wait()


async def test_cookies_of_a_redirect_are_sent_back_along_it_and_no_others() -> None:
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


async def test_a_body_that_does_not_have_its_coding_is_an_invalid_response() -> None:
    async with ScriptedServer([head(headers=SSE + b"Content-Encoding: gzip\r\n"), b"data: x\n\n"]) as server:
        with pytest.raises(InvalidResponseError, match="says Content-Encoding: gzip, but its body is not gzip data"):
            await body_of(server.url)


async def test_an_unknown_coding_is_told_at_once_and_the_socket_closed() -> None:
    async with ScriptedServer([head(headers=CHUNKED + b"Content-Encoding: gzip, gzip\r\n"), Do.HOLD]) as server:
        with pytest.raises(InvalidResponseError, match="'gzip, gzip'"):
            await body_of(server.url)
        await server.requests[0].disconnected.wait()


async def test_a_status_is_told_before_a_coding() -> None:
    async with (
        ScriptedServer([head(404, b"Content-Encoding: zstd\r\n")]) as server,
        Connector(Target.parse(server.url), None) as connector,
    ):
        connection = await connector.connect(None)
        assert connection.refusal is not None
        assert isinstance(await connection.refused(connection.refusal), BadStatusError)
        await connection.aclose()


# Failures


async def test_no_answer_to_a_connect_is_a_connect_timeout() -> None:
    with silent_port() as port:
        target = Target(url=f"http://127.0.0.1:{port}/", connect_timeout_s=0.2)
        async with Connector(target, None) as connector:
            with pytest.raises(ConnectTimeoutError, match=f"no connection to 127.0.0.1:{port} within 0.2 s"):
                await connector.connect(None)


async def test_what_a_server_sends_instead_of_http_is_quoted_in_part_only() -> None:
    async with ScriptedServer([b"x" * 60_000 + b"\r\n\r\n"]) as server:
        with pytest.raises(SseError) as caught:
            await body_of(server.url)
        assert len(str(caught.value)) < 400


# Where to connect


async def test_to_connect_elsewhere_changes_nothing_that_the_server_is_told(authority: Authority) -> None:
    script: list[bytes | Do] = [head(), b"data: x\n\n"]
    async with ScriptedServer(script, ssl_context=authority.server("sse.test")) as server:
        target = Target.parse(
            "https://sse.test/x", connect_to=f"127.0.0.1:{server.port}", ca_file=authority.file, body="y"
        )
        assert await body_of(target) == b"data: x\n\n"
    assert server.sni == ["sse.test"]
    assert server.requests[0].header("host") == b"sse.test"
    assert (server.requests[0].path, server.requests[0].body) == ("/x", b"y")


async def test_the_certificate_is_checked_for_the_host_of_the_url(authority: Authority) -> None:
    async with ScriptedServer(ssl_context=authority.server("127.0.0.1")) as server:
        target = Target.parse("https://sse.test/", connect_to=f"127.0.0.1:{server.port}", ca_file=authority.file)
        with pytest.raises(TlsError, match=r"not valid for 'sse\.test'"):
            await body_of(target)


async def test_elsewhere_may_be_ipv6() -> None:
    async with ScriptedServer([head(), b"data: x\n\n"], host="::1") as server:
        assert await body_of(Target.parse("http://sse.test/", connect_to=f"[::1]:{server.port}")) == b"data: x\n\n"


async def test_another_origin_is_looked_for_where_its_url_says() -> None:
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
async def test_a_unix_socket_is_as_good_as_a_port(scheme: str, authority: Authority, tmp_path: Path) -> None:
    path = str(tmp_path / "sse.sock")
    context = authority.server("sse.test") if scheme == "https" else None
    async with ScriptedServer([head(), b"data: x\n\n"], unix_socket=path, ssl_context=context) as server:
        target = Target.parse(f"{scheme}://sse.test/x", unix_socket=path, ca_file=authority.file)
        assert await body_of(target) == b"data: x\n\n"
        assert server.requests[0].header("host") == b"sse.test"


async def test_a_unix_socket_that_is_not_there_or_has_nobody_behind_it_is_told_by_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "sse.sock")
    with pytest.raises(ConnectError, match=f"cannot connect to the unix socket {path}: no such file or directory"):
        await body_of(Target.parse("http://sse.test/", unix_socket=path))
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind(path)
        with pytest.raises(ConnectionRefusedByTargetError, match=f"nothing listens on the unix socket {path}: is the"):
            await body_of(Target.parse("http://sse.test/", unix_socket=path))
    with pytest.raises(ConnectError, match="AF_UNIX path too long"):
        await body_of(Target.parse("http://sse.test/", unix_socket="x" * 200))


async def test_the_first_source_address_is_what_the_server_sees() -> None:
    async with ScriptedServer([head()]) as server:
        await body_of(Target.parse(server.url, source_address="127.0.0.2,127.0.0.3"))
        assert server.requests[0].source == "127.0.0.2"


async def test_a_source_address_of_the_other_kind_is_a_usage_error() -> None:
    async with ScriptedServer() as server:
        with pytest.raises(UsageError, match="IPv4 and IPv6 do not mix"):
            await body_of(Target.parse(server.url, source_address="::1"))


# Certificates


async def test_certificates_that_cannot_be_loaded_are_one_clear_word_for_https_and_none_for_http(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    with pytest.raises(UsageError, match=r"no certificates can be loaded from SSL_CERT_FILE=/nonexistent"):
        await body_of("https://127.0.0.1:1/")
    async with ScriptedServer([head(), b"data: x\n\n"]) as server:
        assert await body_of(server.url) == b"data: x\n\n"


async def test_no_connection_is_used_twice() -> None:
    """A server may have closed it just now, which would look like a failure of the next request."""
    body = b"retry: 1\n\ndata: x\n\n"
    whole: Script = [head(headers=SSE + b"Content-Length: %d\r\n" % len(body)), body, Do.HOLD]
    async with ScriptedServer(whole, whole) as server, asyncio.timeout(20):
        async with EventSource(server.url) as source:
            assert [event.data async for event in source] == ["x", "x"]
        assert len(server.requests) == 3


@pytest.mark.parametrize("location", ["/ü".encode(), b"/\xff", b"/x#\xc3\xbc", b"http://\xef\xbc\x8e/"])
async def test_a_location_of_any_bytes_is_no_matter_where_there_is_no_redirect(location: bytes) -> None:
    found = head(headers=SSE + b"Location: %b\r\n" % location)
    async with ScriptedServer([found, b"data: x\n\n", Do.HOLD]) as server, EventSource(server.url) as source:
        assert (await anext(source)).data == "x"
        assert source.response_headers["location"].encode("latin-1") == location


async def test_bytes_of_a_location_go_into_the_url_as_they_are() -> None:
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

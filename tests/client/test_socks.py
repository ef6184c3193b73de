"""An ``EventSource`` behind a SOCKS5 proxy."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest
from certificates import Authority
from http_proxy import HOST
from scripted_server import ScriptedServer, head
from socks_proxy import SocksProxy

from sseclient_cli.client.source import EventSource
from sseclient_cli.errors import ConnectionRefusedByTargetError, ProxyError
from sseclient_cli.request.target import Target

EVENT = b"data: x\n\n"


async def data_of(url: str | Target, proxy: str) -> list[str]:
    async with EventSource(url, proxy=proxy, reconnect=False) as source:
        data = [event.data async for event in source]
        assert source.arrived_by_kernel is (sys.platform == "linux")
        return data


@pytest.mark.parametrize("credentials", ["", "user:pass:word"])
async def test_the_proxy_resolves_the_name_and_the_server_gets_the_request(credentials: str) -> None:
    # h11 rejects this head; it is also repaired behind a proxy.
    script = [head(headers=b"Content-Type : text/event-stream\r\n"), EVENT]
    async with ScriptedServer(script) as server, SocksProxy(server, credentials=credentials) as proxy:
        url = proxy.url_of(credentials) if credentials else proxy.url
        assert await data_of(f"http://{HOST}/s", url) == ["x"]
        assert proxy.asked == [(HOST.encode(), 80)]
        assert server.requests[0].path == "/s"
        assert server.requests[0].header("proxy-authorization") is None


async def test_tls_goes_through_the_tunnel_to_the_server(authority: Authority) -> None:
    tls = ScriptedServer([head(), EVENT], ssl_context=authority.server(HOST))
    async with tls as server, SocksProxy(server) as proxy:
        assert await data_of(Target.parse(f"https://{HOST}/", ca_file=authority.file), proxy.url) == ["x"]
        assert (proxy.asked, server.sni) == ([(HOST.encode(), 443)], [HOST])


@pytest.mark.parametrize(
    ("host", "address"),
    [("10.0.0.7", socket.inet_aton("10.0.0.7")), ("[fd00::7]", socket.inet_pton(socket.AF_INET6, "fd00::7"))],
)
async def test_a_numeric_address_is_sent_as_an_address(host: str, address: bytes) -> None:
    async with ScriptedServer([head(), EVENT]) as server, SocksProxy(server) as proxy:
        assert await data_of(f"http://{host}:81/", proxy.url) == ["x"]
        assert proxy.asked == [(address, 81)]


@pytest.mark.parametrize(
    ("credentials", "userinfo", "words"),
    [
        ("user:password", "", "requires a user and a password"),
        ("user:password", "user:wrong", "does not accept the user and password"),
        ("user:password", f"user:{'x' * 256}", "longer than 255 bytes, the limit of SOCKS5"),
    ],
)
async def test_missing_wrong_or_long_credentials_are_a_proxy_error(credentials: str, userinfo: str, words: str) -> None:
    async with SocksProxy(credentials=credentials) as proxy:
        with pytest.raises(ProxyError, match=words) as caught:
            await data_of(f"http://{HOST}/", proxy.url_of(userinfo) if userinfo else proxy.url)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "words"), [(2, "its rules do not allow it"), (5, "the server refuses the connection"), (99, "reply 99")]
)
async def test_the_error_contains_the_reason_of_the_proxy(reply: int, words: str) -> None:
    async with SocksProxy(reply=reply) as proxy:
        with pytest.raises(ProxyError, match=f"did not connect to {HOST}:80: {words}"):
            await data_of(f"http://{HOST}/", proxy.url)


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SOCKS5"), (b"", "before the tunnel was open")],
)
async def test_a_server_that_is_not_a_socks_proxy_is_a_proxy_error(answer: bytes, words: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(ProxyError, match=words):
        await data_of(f"http://{HOST}/", proxy)
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedByTargetError, match=f"nothing listens on the proxy {proxy}"):
        await data_of(f"http://{HOST}/", proxy)

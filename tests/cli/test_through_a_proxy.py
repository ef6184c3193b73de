"""``sse watch`` and ``sse bench`` behind an HTTP proxy, which alone knows the server's name."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from typing import Any

import pytest
from certificates import Authority
from http_proxy import HOST, HttpProxy
from real_servers import free_port
from report_json import validate
from scripted_server import Do, Script, ScriptedServer, head

EVENTS: Script = [head(), b"data: x\n\n"]
STREAM: Script = [head(), b"data: x\n\n", Do.HOLD]
PASSWORD = "s3cr3t"


async def sse(*arguments: str, **environment: str) -> tuple[int | None, str, str]:
    """Run a command; return its exit code, stdout, and stderr in one line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sseclient_cli", *arguments, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"Traceback" not in err
    assert PASSWORD not in (out + err).decode()
    return process.returncode, out.decode(), " ".join(err.decode().split())


async def bench(*arguments: str, **environment: str) -> tuple[int | None, dict[str, Any], str]:
    code, out, err = await sse("bench", *arguments, "--json", "-", **environment)
    document = json.loads(out) if out else {}
    if document:
        validate(document)
    return code, document, err


# watch


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
async def test_watch_uses_the_proxy_of_the_environment(name: str) -> None:
    async with ScriptedServer(EVENTS) as server, HttpProxy(server, credentials=f"user:{PASSWORD}") as proxy:
        url = f"http://{HOST}/s?a=b"
        code, out, err = await sse("watch", url, "--raw", "-n1", "-v", **{name: proxy.url_of(f"user:{PASSWORD}")})
        assert (code, out) == (0, "x\n"), err
        assert [(asked.method, asked.target) for asked in proxy.requests] == [("GET", url)]
        assert server.requests[0].path == "/s?a=b"
        assert server.requests[0].header("host") == HOST.encode()
        assert server.requests[0].header("proxy-authorization") is None
    assert f"* through the proxy {proxy.url} ({name} of the environment)" in err
    assert f"> GET {url} HTTP/1.1" in err
    assert "> Proxy-Authorization: REDACTED" in err


async def test_watch_reaches_this_machine_without_the_proxy_of_the_environment() -> None:
    async with ScriptedServer(EVENTS) as server, HttpProxy(server) as proxy:
        code, out, err = await sse("watch", server.url, "--raw", "-n1", "-v", http_proxy=proxy.url)
        assert (code, out) == (0, "x\n")
        assert not proxy.requests
        assert "proxy" not in err


async def test_a_proxy_that_is_given_is_used_for_this_machine_too() -> None:
    async with ScriptedServer(EVENTS) as server, HttpProxy(server) as proxy:
        code, out, _ = await sse("watch", server.url, "--raw", "-n1", "-x", proxy.url, no_proxy="*")
        assert (code, out, len(proxy.requests)) == (0, "x\n", 1)


@pytest.mark.parametrize(("options", "environment"), [(["--proxy", ""], {}), ([], {"no_proxy": HOST})])
async def test_the_environment_can_be_left_out(options: list[str], environment: dict[str, str]) -> None:
    async with HttpProxy() as proxy:
        arguments = ["watch", f"http://{HOST}/", "-n1", *options]
        code, _, err = await sse(*arguments, http_proxy=proxy.url, **environment)
        assert (code, len(proxy.requests)) == (3, 0)
        assert f"the host name of {HOST}:80 has no address" in err


async def test_watch_speaks_tls_with_the_server_in_a_tunnel(authority: Authority) -> None:
    tls = ScriptedServer(EVENTS, ssl_context=authority.server(HOST))
    async with tls as server, HttpProxy(server, credentials=f"user:{PASSWORD}") as proxy:
        code, out, err = await sse(
            *("watch", f"https://{HOST}/s", "--raw", "-n1", "-v", "--cacert", authority.file, "--bearer", PASSWORD),
            https_proxy=proxy.url_of(f"user:{PASSWORD}"),
        )
        assert (code, out) == (0, "x\n"), err
        (asked,) = proxy.requests
        assert (asked.method, asked.target, "authorization" in asked.headers) == ("CONNECT", f"{HOST}:443", False)
        assert server.sni == [HOST]
        request = server.requests[0]
        assert (request.path, request.header("authorization")) == ("/s", f"Bearer {PASSWORD}".encode())
        assert request.header("proxy-authorization") is None
    assert f"> CONNECT {HOST}:443 HTTP/1.1 > Host: {HOST}:443 > User-Agent: sseclient-cli/" in err
    assert "> Proxy-Authorization: REDACTED >" in err
    assert "< HTTP/1.1 200 Connection established < Via: 1.1 test" in err
    assert "> GET /s HTTP/1.1" in err


async def test_events_have_their_arrival_times_in_a_tunnel(authority: Authority) -> None:
    tls = ScriptedServer([head(), 0.3, b"data: x\n\n"], ssl_context=authority.server(HOST))
    async with tls as server, HttpProxy(server) as proxy:
        arguments = ["watch", f"https://{HOST}/", "--json", "-n1", "-x", proxy.url, "--cacert", authority.file]
        code, out, err = await sse(*arguments)
    assert code == 0, err
    assert json.loads(out)["data"] == "x"


async def test_a_head_that_h11_refuses_is_read_in_a_tunnel_too(authority: Authority) -> None:
    tls = ScriptedServer([head(headers=b"Content-Type : text/event-stream\r\n"), b"data: x\n\n"],
                         ssl_context=authority.server(HOST))  # fmt: skip
    async with tls as server, HttpProxy(server) as proxy:
        arguments = ["watch", f"https://{HOST}/", "--raw", "-n1", "-x", proxy.url, "--cacert", authority.file]
        assert (await sse(*arguments))[:2] == (0, "x\n")


async def test_a_redirect_from_this_machine_to_elsewhere_goes_through_the_proxy() -> None:
    async with (
        ScriptedServer(EVENTS) as behind,
        HttpProxy(behind) as proxy,
        ScriptedServer([head(307, b"Location: http://%b/s\r\n" % HOST.encode())]) as front,
    ):
        code, out, _ = await sse("watch", front.url, "--raw", "-n1", http_proxy=proxy.url)
        assert (code, out) == (0, "x\n")
        assert [asked.target for asked in proxy.requests] == [f"http://{HOST}/s"]


@pytest.mark.parametrize("command", ["watch", "bench"])
async def test_a_tls_proxy_passes_on_plain_requests(command: str, authority: Authority) -> None:
    context = authority.server("127.0.0.1")
    async with ScriptedServer(*[STREAM] * 2) as server, HttpProxy(server, ssl_context=context) as proxy:
        options = ["--raw"] if command == "watch" else ["-z1s"]
        arguments = [command, f"http://{HOST}/", "-n1", "-x", proxy.url, "--cacert", authority.file, *options]
        code, _, err = await sse(*arguments)
        assert code == 0, err
        assert {asked.target for asked in proxy.requests} == {f"http://{HOST}/"}


# Errors of both commands.

BOTH = pytest.mark.parametrize("command", [("watch",), ("bench", "-n1")], ids=["watch", "bench"])


@BOTH
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_does_not_listen_is_named(command: tuple[str, ...], scheme: str) -> None:
    port = free_port()
    code, _, err = await sse(*command, f"{scheme}://{HOST}/", "-x", f"http://127.0.0.1:{port}")
    assert code == 3
    assert f"nothing listens on the proxy http://127.0.0.1:{port}: is it running, and is this its port?" in err


@BOTH
async def test_a_proxy_without_an_address_is_named(command: tuple[str, ...]) -> None:
    code, _, err = await sse(*command, "http://127.0.0.1:1/", "-x", f"user:{PASSWORD}@proxy.test:3128")
    assert code == 3
    assert "the host name of the proxy http://proxy.test:3128 has no address: check its spelling" in err


@BOTH
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_credentials_says_so(command: tuple[str, ...], scheme: str) -> None:
    async with HttpProxy(credentials=f"user:{PASSWORD}") as proxy:
        code, _, err = await sse(*command, f"{scheme}://{HOST}/", "-x", proxy.url_of("user:wrong"))
    assert code == 3
    assert f"the proxy {proxy.url}" in err
    assert "407 Proxy Authentication Required: give " in err
    assert "http://USER:PASSWORD@HOST:PORT" in err
    assert "the proxy says: Give your user and password." in err
    assert "wrong" not in err


@BOTH
async def test_a_proxy_that_does_not_allow_the_host_is_quoted(command: tuple[str, ...]) -> None:
    answer = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nNo streams at work."
    async with HttpProxy(answer=answer) as proxy:
        code, _, err = await sse(*command, f"https://{HOST}/", "-x", proxy.url)
    assert code == 3
    assert f"the proxy {proxy.url} refused the CONNECT {HOST}:443: 403 Forbidden: it does not allow" in err
    assert "the proxy says: No streams at work." in err


@BOTH
async def test_a_proxy_that_does_not_answer_is_given_up(command: tuple[str, ...]) -> None:
    async with HttpProxy(is_silent=True) as proxy:
        code, _, err = await sse(*command, f"https://{HOST}/", "-x", proxy.url, "--timeout", "2s")
    assert code == 3
    assert f"the proxy {proxy.url} did not open a tunnel within 2 s" in err


@BOTH
async def test_a_certificate_in_a_tunnel_is_that_of_the_server(command: tuple[str, ...], authority: Authority) -> None:
    async with ScriptedServer(ssl_context=authority.server(HOST)) as server, HttpProxy(server) as proxy:
        code, _, err = await sse(*command, f"https://{HOST}/", "-x", proxy.url)
    assert code == 3
    assert f"no TLS connection with {HOST}:443" in err


@BOTH
@pytest.mark.parametrize("url", ["socks4://127.0.0.1:1080", "http://a b/", "ftp://a"])
async def test_a_proxy_that_cannot_be_used_is_an_error_of_usage(command: tuple[str, ...], url: str) -> None:
    code, _, err = await sse(*command, f"http://{HOST}/", "-x", url)
    assert code == 2
    assert "the proxy is" in err


# bench


async def test_bench_refuses_to_measure_a_proxy_of_the_environment() -> None:
    async with HttpProxy() as proxy:
        code, document, err = await bench(f"http://{HOST}/", "-n1", ALL_PROXY=proxy.url_of(f"user:{PASSWORD}"))
        assert (code, document, proxy.requests) == (2, {}, [])
    assert "ALL_PROXY of the environment would send the load through the proxy" in err
    assert err.count("sse:") == 1


async def test_bench_reaches_this_machine_without_the_proxy_of_the_environment() -> None:
    async with ScriptedServer(*[STREAM] * 3) as server, HttpProxy(server) as proxy:
        code, document, err = await bench(server.url, "-n2", "-z1s", http_proxy=proxy.url)
        assert (code, document["run"]["target"]["proxy"], proxy.requests) == (0, None, [])
    assert "proxy" not in err


@pytest.mark.parametrize("preflight", [[], ["--no-preflight"]])
async def test_bench_goes_through_a_proxy_that_is_given(preflight: list[str]) -> None:
    async with ScriptedServer(*[STREAM] * 4) as server, HttpProxy(server, credentials=f"user:{PASSWORD}") as proxy:
        url = f"http://{HOST}:8080/s?a=b"
        options = ["-n3", "-z1s", "-x", proxy.url_of(f"user:{PASSWORD}"), *preflight]
        code, document, err = await bench(url, *options, http_proxy="http://other.test")
        assert code == 0, err
        assert [asked.target for asked in proxy.requests] == [url] * (3 if preflight else 4)
        assert {request.header("host") for request in server.requests} == {f"{HOST}:8080".encode()}
    assert document["run"]["target"]["proxy"] == proxy.url
    assert (document["streams"]["opened"], document["events"]["received"]) == (3, 3)
    assert [entry["port"] for entry in document["run"]["addresses"]] == [proxy.port]
    assert f"proxy: all connections went through {proxy.url}; the figures include it" in err


async def test_bench_speaks_tls_with_the_server_in_a_tunnel(authority: Authority) -> None:
    tls = ScriptedServer(*[STREAM] * 4, ssl_context=authority.server(HOST))
    async with tls as server, HttpProxy(server, credentials=f"user:{PASSWORD}") as proxy:
        options = ["-n3", "-z1s", "-x", proxy.url_of(f"user:{PASSWORD}"), "--cacert", authority.file]
        code, document, err = await bench(f"https://{HOST}/s", *options)
        assert code == 0, err
        assert [(asked.method, asked.target) for asked in proxy.requests] == [("CONNECT", f"{HOST}:443")] * 4
        assert server.sni == [HOST] * 4
    assert (document["streams"]["opened"], document["events"]["received"]) == (3, 3)
    assert document["latency"]["tls"]["count"] == 3
    if sys.platform == "linux":
        assert document["latency"]["first_event"]["stamp"] == "kernel"


async def test_streams_that_the_proxy_refuses_are_counted_as_its_errors() -> None:
    answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nGone"
    async with HttpProxy(answer=answer) as proxy:
        code, document, _ = await bench(f"https://{HOST}/", "-n3", "-z1s", "--no-preflight", "-x", proxy.url)
    assert code == 3
    (error,) = document["errors"]
    assert (error["kind"], error["count"]) == ("proxy", 3)
    assert "502 Bad Gateway: it cannot connect to the server" in error["example"]


async def test_streams_without_a_connection_to_the_proxy_name_it() -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    code, document, _ = await bench(f"https://{HOST}/", "-n3", "-z1s", "--no-preflight", "-x", proxy)
    assert code == 3
    (error,) = document["errors"]
    assert (error["kind"], error["count"]) == ("connect-refused", 3)
    assert proxy in error["example"]

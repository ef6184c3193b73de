"""``EventSource(proxy=..., trust_env=...)``."""

from __future__ import annotations

import sys
import time

import pytest
from certificates import Authority
from http_proxy import HOST, HttpProxy
from scripted_server import Do, ScriptedServer, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.errors import BadStatusError, NameNotResolvedError, ProxyError, UsageError
from sseclient_cli.request.proxied import through_proxy
from sseclient_cli.request.target import Target

EVENT = b"data: x\n\n"
URL = f"http://{HOST}/s"


async def data_of(source: EventSource) -> list[str]:
    async with source:
        return [event.data async for event in source]


async def test_the_environment_is_used_unless_trust_env_is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer([head(), EVENT]) as server, HttpProxy(server) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert await data_of(EventSource(URL, reconnect=False)) == ["x"]
        assert len(proxy.requests) == 1
        for source in (EventSource(URL, reconnect=False, trust_env=False), EventSource(URL, reconnect=False, proxy="")):
            with pytest.raises(NameNotResolvedError):
                await data_of(source)
        assert len(proxy.requests) == 1


async def test_the_environment_is_read_at_the_call_and_applies_to_reconnections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ScriptedServer([head(), b"retry: 1\n\n" + EVENT]) as server, HttpProxy(server) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        source = EventSource(URL, headers=lambda: {"X-A": "1"})
        monkeypatch.delenv("http_proxy")
        assert await data_of(source) == ["x"]
        assert [asked.headers["x-a"] for asked in proxy.requests] == ["1", "1"]


async def test_a_target_keeps_its_proxies_unless_a_proxy_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer(*[[head(), EVENT]] * 2) as server, HttpProxy(server) as proxy:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        target = through_proxy(Target.parse(URL), proxy.url)
        assert await data_of(EventSource(target, reconnect=False)) == ["x"]
        direct = through_proxy(Target.parse(URL), "")
        assert await data_of(EventSource(direct, proxy=proxy.url, reconnect=False)) == ["x"]


@pytest.mark.parametrize("proxy", ["socks4://a", 7, "http://[", "http://a b"])
def test_an_invalid_proxy_raises_at_the_call(proxy: str) -> None:
    with pytest.raises(UsageError, match="proxy"):
        EventSource(URL, proxy=proxy)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_error_of_the_proxy_is_distinguishable(scheme: str) -> None:
    async with HttpProxy(credentials="user:password") as proxy:
        with pytest.raises((ProxyError, BadStatusError)) as caught:
            await data_of(EventSource(f"{scheme}://{HOST}/", proxy=proxy.url, reconnect=False))
    assert caught.value.kind == ("http-407" if scheme == "http" else "proxy")


async def test_arrival_times_in_a_tunnel_are_kernel_timestamps(authority: Authority) -> None:
    tls = ScriptedServer([head(), EVENT, Do.HOLD], ssl_context=authority.server(HOST))
    async with tls as server, HttpProxy(server) as proxy:
        source = EventSource(Target.parse(f"https://{HOST}/", ca_file=authority.file), proxy=proxy.url)
        before_ns = time.time_ns()
        async with source:
            await anext(source)
            assert source.arrived_by_kernel is (sys.platform == "linux")
            assert before_ns < source.arrived_ns < time.time_ns()


async def test_an_ipv6_address_in_a_message_has_brackets() -> None:
    async with ScriptedServer([head(), EVENT]) as server, HttpProxy(server) as proxy:
        assert await data_of(EventSource("http://[fd00::7]:81/s", proxy=proxy.url, reconnect=False)) == ["x"]
        with pytest.raises(ProxyError):
            async with HttpProxy(answer=b"HTTP/1.1 403 No\r\n\r\n") as other:
                await data_of(EventSource("https://[fd00::7]/", proxy=other.url, reconnect=False))
    assert [asked.target for asked in (*proxy.requests, *other.requests)] == ["http://[fd00::7]:81/s", "[fd00::7]:443"]

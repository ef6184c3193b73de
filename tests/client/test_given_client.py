"""``EventSource(client=...)``: an httpx.AsyncClient of the caller sends the requests."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from apps.guarded import PASSWORD, USER
from apps.guarded import app as guarded_app
from leftovers import open_sockets
from real_servers import serving_app
from scripted_server import CHUNKED, SSE, Do, ScriptedServer, chunk, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState
from sseclient_cli.errors import (
    BadStatusError,
    ConnectError,
    ConnectTimeoutError,
    InvalidResponseError,
    ReadTimeoutError,
    UsageError,
    WrongContentTypeError,
)
from sseclient_cli.request.target import Target

EVENT = b"retry: 1\nid: 1\ndata: a\n\n"
NO_BODY = b"Content-Length: 0\r\n"


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    before = open_sockets()
    yield
    for _ in range(20):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert open_sockets() == before


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with serving_app("guarded") as url:
        yield url


async def data_of(source: EventSource) -> list[str]:
    async with source:
        return [event.data async for event in source]


async def test_a_401_is_answered_by_the_clients_auth_at_a_real_server(guarded: str) -> None:
    statuses: list[int] = []

    async def note(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    async with httpx.AsyncClient(auth=httpx.DigestAuth(USER, PASSWORD), event_hooks={"response": [note]}) as client:
        async with EventSource(guarded, client=client) as source:
            assert [(await anext(source)).data for _ in range(3)] == ["1", "2", "3"]
            source.restart()
            assert (await anext(source)).data == "4"
        assert statuses[:2] == [401, 200]
        assert source.state is ConnectionState.CLOSED
        # The source has not closed the client.
        assert not client.is_closed
        assert (await client.get(f"{guarded}/finite")).status_code == 200


async def test_without_the_clients_auth_the_401_is_final(guarded: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(BadStatusError, match="who are you") as caught:
            await data_of(EventSource(guarded, client=client))
    assert caught.value.status == 401


async def test_many_sources_share_a_client(guarded: str) -> None:
    async with httpx.AsyncClient(auth=httpx.DigestAuth(USER, PASSWORD)) as client:
        sources = [EventSource(f"{guarded}/finite", client=client, reconnect=False) for _ in range(5)]
        assert await asyncio.gather(*map(data_of, sources)) == [["1", "2", "3"]] * 5


async def test_an_asgi_application_is_read_without_a_socket() -> None:
    transport = httpx.ASGITransport(guarded_app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://app.test", auth=httpx.DigestAuth(USER, PASSWORD)
    ) as client:
        source = EventSource("/finite?a=b", client=client, reconnection_time_s=0)
        assert source.url == "http://app.test/finite?a=b"
        async with source:
            # The body ends, and the next connection resumes after it.
            assert [(await anext(source)).data for _ in range(7)] == list("1234567")
            assert (source.response_status, source.arrived_by_kernel) == (200, False)


async def test_an_endless_stream_of_an_asgi_application_is_not_read_and_can_be_closed() -> None:
    # httpx's ASGITransport (0.28) returns when the application returns (see docs/reference/library.md).
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(guarded_app), auth=httpx.DigestAuth(USER, PASSWORD)) as client,
        EventSource("http://app.test/", client=client) as source,
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(source)
        assert source.state is ConnectionState.CLOSED


async def test_the_stream_sets_its_own_headers_and_the_client_all_others() -> None:
    async with ScriptedServer([head(), EVENT, Do.HOLD]) as server:
        headers = {"X-Client": "1", "X-Both": "client", "Accept": "text/html"}
        async with (
            httpx.AsyncClient(headers=headers, cookies={"a": "b"}, params={"key": "k"}) as client,
            EventSource(
                f"{server.url}/x?y=1", client=client, headers={"X-Both": "source"}, last_event_id="7"
            ) as source,
        ):
            await anext(source)
        request = server.requests[0]
        assert request.path == "/x?y=1&key=k"
        assert request.header("accept") == b"text/event-stream"
        assert request.header("accept-encoding") == b"identity"
        assert request.header("cache-control") == b"no-cache"
        assert request.header("last-event-id") == b"7"
        assert request.header("x-client") == b"1"
        assert request.header("x-both") == b"source"
        assert request.header("cookie") == b"a=b"
        assert (request.header("user-agent") or b"").startswith(b"python-httpx/")


async def test_read_timeout_s_replaces_the_read_timeout_of_httpx() -> None:
    async with ScriptedServer([head(), EVENT, 0.5, EVENT, Do.HOLD], [head(204, b"")]) as server:
        timeouts: list[dict[str, Any]] = []

        async def note(request: httpx.Request) -> None:
            timeouts.append(request.extensions["timeout"])

        async with httpx.AsyncClient(timeout=0.2, event_hooks={"request": [note]}) as client:
            async with EventSource(server.url, client=client) as source:
                assert [(await anext(source)).data for _ in range(2)] == ["a", "a"]
            source = EventSource(server.url, client=client, read_timeout_s=3)
            assert await data_of(source) == []
    assert timeouts[0] == {"connect": 0.2, "read": None, "write": 0.2, "pool": 0.2}
    assert timeouts[1]["read"] == 3


async def test_silence_is_a_read_timeout() -> None:
    async with ScriptedServer([head(), EVENT, Do.HOLD]) as server, httpx.AsyncClient() as client:
        source = EventSource(server.url, client=client, read_timeout_s=0.2, reconnect=False)
        with pytest.raises(ReadTimeoutError, match=r"no bytes for 0\.2 s"):
            await data_of(source)


@pytest.mark.parametrize("raises_for_status", [True, False])
async def test_redirects_to_another_origin_drop_the_credentials_of_the_client(
    raises_for_status: bool,
) -> None:
    async def check(response: httpx.Response) -> None:
        if raises_for_status:
            response.raise_for_status()  # also raises for a redirect

    async with ScriptedServer([head(), EVENT, Do.HOLD]) as elsewhere:
        there = head(307, b"Location: %b/real\r\n" % elsewhere.url.encode() + NO_BODY)
        async with (
            ScriptedServer([head(302, b"Location: /b\r\n" + NO_BODY)], [there]) as server,
            httpx.AsyncClient(
                auth=("user", "secret"),
                headers={"X-Api-Key": "secret", "X-Plain": "1"},
                cookies={"session": "secret"},
                params={"token": "secret"},
                event_hooks={"response": [check]},
            ) as client,
            EventSource(server.url, client=client) as source,
        ):
            await anext(source)
            assert source.response_url == f"{elsewhere.url}/real"
        assert [request.path for request in server.requests] == ["/?token=secret", "/b"]
        assert all(request.header("authorization") for request in server.requests)
        request = elsewhere.requests[0]
        assert request.path == "/real"
        assert request.header("x-plain") == b"1"
        assert not any(b"secret" in value or name == "authorization" for name, value in request.headers)


async def test_raise_for_status_in_a_hook_is_a_bad_status_error() -> None:
    async def check(response: httpx.Response) -> None:
        if response.is_error:
            await response.aread()
        response.raise_for_status()

    async with ScriptedServer([head(404, b"Content-Length: 4\r\n"), b"nope"]) as server:
        async with httpx.AsyncClient(event_hooks={"response": [check]}) as client:
            with pytest.raises(BadStatusError, match="404 Not Found") as caught:
                await data_of(EventSource(server.url, client=client))
        assert caught.value.body == b"nope"
        assert isinstance(caught.value.__cause__, httpx.HTTPStatusError)
        assert len(server.requests) == 1


async def test_a_body_that_a_hook_has_read_is_parsed() -> None:
    async def read(response: httpx.Response) -> None:
        await response.aread()

    packed = gzip.compress(EVENT)
    headers = SSE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(packed)
    async with (
        ScriptedServer([head(200, headers), packed]) as server,
        httpx.AsyncClient(event_hooks={"response": [read]}) as client,
    ):
        assert await data_of(EventSource(server.url, client=client)) == ["a"]


async def test_a_response_that_is_not_an_event_stream_is_an_error_with_its_body() -> None:
    html = head(200, b"Content-Type: text/html\r\nContent-Length: 5\r\n")
    async with ScriptedServer([html, b"Hello"]) as server, httpx.AsyncClient() as client:
        with pytest.raises(WrongContentTypeError) as caught:
            await data_of(EventSource(server.url, client=client))
    assert caught.value.body == b"Hello"


async def test_status_204_ends_the_iteration() -> None:
    async with ScriptedServer([head(headers=CHUNKED), chunk(EVENT), b"0\r\n\r\n"]) as server:
        async with httpx.AsyncClient() as client:
            assert await data_of(EventSource(server.url, client=client)) == ["a"]
        assert server.requests[-1].header("last-event-id") == b"1"


@pytest.mark.parametrize("location", [b"http://xn--a/", b":https://[x", b"http://[::1"])
async def test_an_invalid_location_is_an_error_of_this_package(location: bytes) -> None:
    script = [head(302, b"Location: " + location + b"\r\n" + NO_BODY)]
    async with ScriptedServer(script) as server, httpx.AsyncClient() as client:
        with pytest.raises((InvalidResponseError, BadStatusError)):
            await data_of(EventSource(server.url, client=client, reconnect=False))


async def test_an_exception_of_a_hook_propagates() -> None:
    async def fail(_: httpx.Response) -> None:
        raise ValueError("mine")

    async with (
        ScriptedServer([head(302, b"Location: /b\r\n" + NO_BODY)]) as server,
        httpx.AsyncClient(event_hooks={"response": [fail]}) as client,
    ):
        with pytest.raises(ValueError, match="mine"):
            await data_of(EventSource(server.url, client=client))


async def test_errors_of_a_full_pool_and_of_a_proxy_name_the_cause() -> None:
    async with ScriptedServer([head(), EVENT, Do.HOLD]) as server:
        limits = httpx.Limits(max_connections=1)
        async with (
            httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(None, pool=0.1)) as client,
            EventSource(server.url, client=client) as source,
        ):
            await anext(source)
            with pytest.raises(
                ConnectTimeoutError, match=r"no free connection for .*: raise its limits or pool timeout"
            ):
                await data_of(EventSource(server.url, client=client, reconnect=False))
    async with ScriptedServer([head(407, NO_BODY)]) as proxy, httpx.AsyncClient(proxy=proxy.url) as client:
        with pytest.raises(ConnectError, match="the proxy did not connect to"):
            await data_of(EventSource("https://sse.test/", client=client, reconnect=False))


async def test_a_proxy_of_the_client_is_used() -> None:
    async with ScriptedServer([head(), EVENT, Do.HOLD]) as proxy:
        async with (
            httpx.AsyncClient(proxy=proxy.url) as client,
            EventSource("http://sse.test/a", client=client) as source,
        ):
            assert (await anext(source)).data == "a"
        assert proxy.requests[0].path == "http://sse.test/a"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"on_trace": print}, "on_trace cannot be used with client: give the client event_hooks"),
        ({"proxy": "http://127.0.0.1:9"}, "proxy cannot be used with client: give the proxy to the client"),
        ({"url": Target.parse("https://a/", insecure=True)}, "tls of the Target cannot be used with client"),
        (
            {"url": Target.parse("http://a/", connect_to="127.0.0.1:9")},
            "connect_to of the Target cannot be used with client",
        ),
        ({"url": Target.parse("http://a/", unix_socket="/a")}, "unix_socket of the Target cannot be used with client"),
        (
            {"url": Target.parse("http://a/", source_address="127.0.0.1")},
            "source_addresses of the Target cannot be used",
        ),
        ({"client": httpx.Client()}, "client must be an httpx.AsyncClient, not Client"),
        ({"client": 1}, "client must be an httpx.AsyncClient, not int"),
        ({"url": "/relative"}, "write it like http://"),
        ({"url": "http://["}, "no valid host"),
    ],
)
async def test_arguments_that_cannot_be_combined_with_a_client_raise_at_the_call(
    arguments: dict[str, Any], words: str
) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(UsageError) as caught:
            EventSource(**{"url": "http://a/", "client": client, **arguments})
    assert words.lower() in str(caught.value).lower()


async def test_a_closed_client_is_a_usage_error() -> None:
    client = httpx.AsyncClient()
    await client.aclose()
    with pytest.raises(UsageError, match="the client is closed"):
        await data_of(EventSource("http://127.0.0.1:9/", client=client))


async def test_head_timeout_s_of_a_target_applies() -> None:
    async with ScriptedServer([Do.HOLD]) as server, httpx.AsyncClient() as client:
        target = Target.parse(server.url, timeout_s=0.2)
        with pytest.raises(ReadTimeoutError, match=r"no response head within 0\.2 s"):
            await data_of(EventSource(target, client=client, reconnect=False))

"""An EventSource over HTTP/2: with real requests, and with faults of the protocol itself."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from typing import Any

import http2_frames as h2
import httpx
import pytest
from certificates import Authority
from http2_server import Http2Server
from scripted_server import SSE, Do, Script, ScriptedServer, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import StateChange
from sseclient_cli.client.sync_source import SyncEventSource
from sseclient_cli.errors import (
    ConnectionLostError,
    Http2GoawayError,
    Http2NotOfferedError,
    Http2ProtocolError,
    Http2ResetError,
    ReadTimeoutError,
    SseError,
    UsageError,
)
from sseclient_cli.request.proxied import through_proxy
from sseclient_cli.request.target import Target

A: Script = [head(), b"id: 1\ndata: a\n\n", Do.HOLD]
INVALID = b"\0\0\1" + h2.PING[3:]
OPEN = [h2.SETTINGS, h2.head(), h2.data(b"retry: 10\nid: 1\ndata: a\n\n")]


async def heard(url: str | Target, **options: Any) -> list[str]:
    """Return the data of the events of one connection."""
    options.update({} if isinstance(url, Target) else {"http2": True})
    async with EventSource(url, reconnect=False, **options) as source:
        return [event.data async for event in source]


async def error_after(*script: bytes) -> SseError:
    """Return the error of a connection that gets these bytes."""
    async with ScriptedServer([*script, Do.HOLD]) as server:
        with pytest.raises(SseError) as caught:
            await heard(server.url)
        return caught.value


# Requests


async def test_a_request_has_no_header_that_http2_forbids() -> None:
    target = {"headers": {"X-Mine": "1", "TE": "gzip", "Connection": "keep-alive", "Upgrade": "h2c"}}
    async with Http2Server([head(), b"data: a\n\n"]) as server:
        assert await heard(server.url, **target) == ["a"]
        names = [name for name, _ in server.requests[0].headers]
        assert server.requests[0].header("host") == server.url.removeprefix("http://").encode()
        assert sorted(names) == ["accept", "accept-encoding", "cache-control", "host", "user-agent", "x-mine"]


async def test_a_body_larger_than_the_window_of_the_server_is_sent() -> None:
    body = b"x" * 200_000
    async with Http2Server([head(), b"data: a\n\n"]) as server:
        assert await heard(server.url, body=body) == ["a"]
        assert server.requests[0].body == body


async def test_a_response_larger_than_the_windows_of_http2_arrives() -> None:
    line = b"data: " + b"x" * 100_000 + b"\n\n"
    async with Http2Server([head(), line * 300]) as server:
        assert [len(data) for data in await heard(server.url)] == [100_000] * 300


async def test_a_reconnection_sends_the_last_event_id_on_a_new_connection() -> None:
    async with Http2Server([head(), b"retry: 0\nid: 1\ndata: a\n\n"], A) as server:
        async with EventSource(server.url, http2=True) as source:
            assert [(await anext(source)).data, (await anext(source)).data] == ["a", "a"]
        assert [each.header("last-event-id") for each in server.requests] == [None, b"1"]
        assert server.connections == 2


async def test_a_redirect_to_the_same_origin_is_followed() -> None:
    led = [head(307, b"Location: /there\r\nContent-Length: 0\r\n")]
    async with Http2Server(led, [head(), b"data: a\n\n"]) as server:
        assert await heard(server.url) == ["a"]
        assert [each.path for each in server.requests] == ["/", "/there"]


async def test_gzip_is_decoded() -> None:
    compressed = gzip.compress(b"data: a\n\n")
    async with Http2Server([head(headers=SSE + b"Content-Encoding: gzip\r\n"), compressed]) as server:
        assert await heard(server.url) == ["a"]


async def test_the_trace_shows_the_request_and_the_response() -> None:
    lines: list[str] = []
    async with Http2Server([head(), b"data: a\n\n"]) as server:
        await heard(f"{server.url}/x", on_trace=lines.append)
    assert "> GET /x HTTP/2" in lines
    assert "< HTTP/2 200" in lines
    assert not any(line.lower().startswith("> connection") for line in lines)


def test_a_source_without_asyncio_uses_it_too() -> None:
    urls: list[str] = []

    async def serve() -> list[str]:
        async with Http2Server([head(), b"data: a\n\n"]) as server:
            urls.append(server.url)
            return await asyncio.to_thread(read)

    def read() -> list[str]:
        with SyncEventSource(urls[0], http2=True, reconnect=False) as source:
            return [event.data for event in source]

    assert asyncio.run(serve()) == ["a"]


# Life cycle


async def test_closing_closes_the_connection() -> None:
    async with Http2Server(A) as server:
        async with EventSource(server.url, http2=True) as source:
            await anext(source)
        await asyncio.wait_for(server.requests[0].disconnected.wait(), 20)


@pytest.mark.parametrize("script", [A, [Do.HOLD]], ids=["open", "no-head"])
async def test_a_cancellation_closes_the_connection(script: Script) -> None:
    async with Http2Server(script) as server:
        reading = asyncio.create_task(heard(server.url))
        await server.requested(1)
        await asyncio.sleep(0.1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(server.requests[0].disconnected.wait(), 20)


async def test_the_read_timeout_ends_a_silent_stream() -> None:
    async with Http2Server(A) as server:
        with pytest.raises(ReadTimeoutError):
            await heard(server.url, read_timeout_s=0.3)


async def test_the_head_timeout_ends_the_wait_for_a_head() -> None:
    async with Http2Server([Do.HOLD]) as server:
        with pytest.raises(ReadTimeoutError, match="no response head"):
            await heard(Target.parse(server.url, http2=True, timeout_s=0.5))


async def test_arrival_times_are_those_of_the_kernel() -> None:
    async with Http2Server(A) as server, EventSource(server.url, http2=True) as source:
        await anext(source)
        assert source.arrived_by_kernel


# TLS


async def test_https_offers_only_http2(authority: Authority) -> None:
    async with Http2Server([head(), b"data: a\n\n"], ssl_context=authority.server()) as server:
        assert await heard(Target.parse(server.url, http2=True, ca_file=authority.file)) == ["a"]


@pytest.mark.parametrize("protocols", [None, ["http/1.1"]], ids=["no-alpn", "only-http1"])
async def test_a_server_with_tls_and_without_http2_is_an_error(
    authority: Authority, protocols: list[str] | None
) -> None:
    context = authority.server()
    if protocols is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.ca.issue_cert("127.0.0.1").configure_cert(context)
    else:
        context.set_alpn_protocols(protocols)
    async with ScriptedServer(A, ssl_context=context) as server:
        target = Target.parse(server.url, http2=True, ca_file=authority.file)
        async with EventSource(target) as source:  # not retried
            with pytest.raises(Http2NotOfferedError, match="does not offer HTTP/2"):
                await anext(source)
        assert server.requests == []


async def test_the_protocols_of_other_connections_stay_as_they_are(authority: Authority) -> None:
    tls = authority.server()
    async with Http2Server([head(), b"data: a\n\n"], ssl_context=tls) as server:
        target = Target.parse(server.url, http2=True, ca_file=authority.file)
        await heard(target)
    async with ScriptedServer([head(), b"data: a\n\n"], ssl_context=tls) as server:
        await heard(Target.parse(server.url, ca_file=authority.file))
        assert server.requests[0].alpn == "http/1.1"


# Faults


async def test_a_server_that_answers_by_http1_is_an_error() -> None:
    error = await error_after(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert isinstance(error, Http2NotOfferedError)
    assert "answered with HTTP/1.1" in str(error)


async def test_a_server_that_closes_the_connection_is_lost() -> None:
    async with ScriptedServer([]) as server:
        with pytest.raises(ConnectionLostError, match="closed the connection before it answered"):
            await heard(server.url)


@pytest.mark.parametrize(("code", "kind"), [(7, "refused-stream"), (2, "internal-error"), (13, "http-1-1-required")])
async def test_a_reset_is_an_error_with_its_code(code: int, kind: str) -> None:
    for script in ([h2.SETTINGS, h2.reset(code)], [*OPEN, h2.reset(code)]):
        error = await error_after(*script)
        assert isinstance(error, Http2ResetError)
        assert error.kind == f"http2-reset-{kind}"


async def test_a_connection_that_the_server_ends_is_an_error_with_its_words() -> None:
    for script in ([h2.SETTINGS, h2.goaway(11, debug=b"calm\x1b")], [*OPEN, h2.goaway(11, debug=b"calm\x1b")]):
        error = await error_after(*script)
        assert isinstance(error, Http2GoawayError)
        assert "ENHANCE_YOUR_CALM" in str(error)
        assert "calm\\x1b" in str(error)


async def test_a_graceful_shutdown_lets_the_stream_end() -> None:
    script: Script = [*OPEN, h2.goaway(), 0.1, h2.data(b"data: b\n\n", end=True)]
    async with ScriptedServer(script) as server:
        assert await heard(server.url) == ["a", "b"]


@pytest.mark.parametrize("opened", [False, True])
async def test_a_frame_that_is_not_valid_is_an_error(opened: bool) -> None:
    error = await error_after(*(OPEN if opened else [h2.SETTINGS]), INVALID)
    assert isinstance(error, Http2ProtocolError)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (h2.head("abc"), "invalid literal"),
        (bytes((0, 0, 4, 8, 0, 0, 0, 0, h2.STREAM)) + b"\x7f\xff\xff\xff", "FLOW_CONTROL_ERROR"),
        (bytes((0, 0, 1, 0, 0, 0, 0, 0, 9)) + b"x", "no request has opened stream 9"),
    ],
)
async def test_a_violation_is_named(frames: bytes, message: str) -> None:
    error = await error_after(h2.SETTINGS, frames)
    assert isinstance(error, Http2ProtocolError)
    assert message in str(error)


async def test_a_response_without_its_end_is_cut() -> None:
    async with ScriptedServer([*OPEN, 0.2]) as server:  # a close with unread bytes is a reset
        with pytest.raises(ConnectionLostError, match="in the middle of the response"):
            await heard(server.url)


@pytest.mark.parametrize("last", [h2.reset(2), h2.goaway(2), INVALID, b""], ids=["reset", "goaway", "invalid", "cut"])
async def test_a_fault_leads_to_a_reconnection(last: bytes) -> None:
    changes: list[StateChange] = []
    scripts: list[Script] = [[*OPEN, 0.2, last], [*OPEN, Do.HOLD]]
    async with (
        ScriptedServer(*scripts) as server,
        EventSource(server.url, http2=True, on_state=changes.append) as source,
    ):
        assert [(await anext(source)).id, (await anext(source)).id] == ["1", "1"]
    assert isinstance(next(change.error for change in changes if change.error), ConnectionLostError)


# Combinations


def test_a_forwarding_proxy_is_refused() -> None:
    with pytest.raises(UsageError, match="does not pass"):
        through_proxy(Target.parse("http://example.com/", http2=True), "http://127.0.0.1:1")
    assert through_proxy(Target.parse("https://example.com/", http2=True), "http://127.0.0.1:1").is_tunnelled


async def test_a_client_of_the_caller_has_its_own_version_of_http() -> None:
    async with Http2Server([head(), b"data: a\n\n"]) as server, httpx.AsyncClient(http1=False, http2=True) as client:
        assert await heard(Target.parse(server.url), client=client) == ["a"]
        with pytest.raises(UsageError, match="http2 of the Target"):
            EventSource(server.url, client=client, http2=True)


def test_a_target_has_its_own_version_of_http() -> None:
    with pytest.raises(UsageError, match="set them there"):
        EventSource(Target.parse("http://example.com/"), http2=True)

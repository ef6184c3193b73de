"""An EventSource with a ws:// URL, on a real server of the library `websockets`."""

from __future__ import annotations

import asyncio
import socket
import threading

import httpx
import pytest
from certificates import Authority
from http_proxy import HttpProxy
from scripted_server import Do, Script, ScriptedServer, head
from websocket_server import Handler, cut, echo, ending, websocket_server
from websockets.sync.server import ServerConnection

from sseclient_cli.client.preflight import preflight
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    EventTooLargeError,
    InvalidResponseError,
    UsageError,
    WebSocketClosedError,
)
from sseclient_cli.request.proxied import through_proxy
from sseclient_cli.request.target import Target
from sseclient_cli.sse.websocket_handshake import KEY_HEADER, accept_value

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


def websocket_source(server: ScriptedServer) -> EventSource:
    return EventSource(server.url.replace("http", "ws"), reconnect=False)


async def test_messages_pings_and_fragments_arrive_in_order() -> None:
    pongs = []

    def handle(connection: ServerConnection) -> None:
        connection.send("one")
        pong = connection.ping(b"beat")
        connection.send(["tw", "o é"])
        connection.send(b"three")
        connection.send(b"\xff")
        pongs.append(pong.wait(30))
        connection.close()

    seen: list[str] = []
    with websocket_server(handle) as server:
        async with EventSource(server.url, on_comment=seen.append) as source:
            async for event in source:
                seen.append(f"{event.type} {event.data}")
                assert (event.id, event.arrived_ns > 0, source.response_status) == ("", True, 101)
    assert seen == ["message one", "ping beat", "message two é", "message three", "binary /w=="]
    assert pongs == [True]


async def test_kernel_timestamps_cover_messages_too() -> None:
    with websocket_server(ending("one")) as server:
        async with EventSource(server.url) as source:
            await anext(source)
            in_frames = source.arrived_by_kernel
    async with ScriptedServer([head(), b"data: x\n\n"]) as plain, EventSource(plain.url) as other:
        await anext(other)
        assert in_frames == other.arrived_by_kernel


async def test_a_normal_close_stops_with_its_code_and_reason() -> None:
    changes: list[StateChange] = []
    with websocket_server(ending("one", reason="done")) as server:
        async with EventSource(server.url, on_state=changes.append) as source:
            assert [event.data async for event in source] == ["one"]
    assert changes[-1].state is ConnectionState.CLOSED
    assert changes[-1].diagnosis == "close code 1000 (OK) done"
    assert len(server.requests) == 1


async def test_a_normal_close_is_not_final_if_the_caller_wants_to_reconnect() -> None:
    with websocket_server(ending("one"), ending("two")) as server:
        async with EventSource(server.url, reconnect=True, reconnection_time_s=0) as source:
            assert [(await anext(source)).data, (await anext(source)).data] == ["one", "two"]


@pytest.mark.parametrize(
    "handler", [ending("one", code=1001), ending("one", code=1012), cut("one")], ids=["1001", "1012", "cut"]
)
async def test_an_abnormal_end_is_followed_by_a_new_connection_with_a_new_key(handler: Handler) -> None:
    with websocket_server(handler, ending("two")) as server:
        async with EventSource(server.url, reconnection_time_s=0) as source:
            assert [event.data async for event in source] == ["one", "two"]
    keys = [request.headers["Sec-WebSocket-Key"] for request in server.requests]
    assert len(set(keys)) == 2


async def test_a_close_code_that_blames_the_client_is_an_error() -> None:
    with websocket_server(ending("one", code=1008, reason="no subscription")) as server:
        async with EventSource(server.url) as source:
            assert (await anext(source)).data == "one"
            with pytest.raises(WebSocketClosedError, match=r"1008 \(policy violation\) no subscription"):
                await anext(source)
    assert len(server.requests) == 1


async def test_a_connection_without_a_close_frame_is_lost() -> None:
    with websocket_server(cut("one")) as server:
        async with EventSource(server.url, reconnect=False) as source:
            assert (await anext(source)).data == "one"
            with pytest.raises(ConnectionLostError, match="without a close frame"):
                await anext(source)


async def test_messages_of_the_request_are_sent_after_each_open() -> None:
    received: list[str] = []

    def handle(connection: ServerConnection) -> None:
        received.extend([str(connection.recv()), str(connection.recv())])
        connection.close(1001)

    with websocket_server(handle, echo) as server:
        target = Target.parse(server.url, messages=["subscribe", "now"])
        async with EventSource(target, reconnection_time_s=0) as source:
            assert [(await anext(source)).data, (await anext(source)).data] == ["subscribe", "now"]
    assert received == ["subscribe", "now"]


async def test_a_refusal_quotes_the_server() -> None:
    with websocket_server(echo, refused=(403, "no seat left")) as server:
        async with EventSource(server.url, reconnect=False) as source:
            with pytest.raises(BadStatusError, match=r"answered 403 Forbidden.*the server says: no seat left"):
                await anext(source)


async def test_an_event_stream_is_not_a_websocket() -> None:
    async with ScriptedServer([head(), b"data: x\n\n"]) as server, websocket_source(server) as source:
        with pytest.raises(BadStatusError, match="does not open a WebSocket: check it, or write http://"):
            await anext(source)


@pytest.mark.parametrize("accept", ["", accept_value("another key")])
async def test_a_wrong_accept_value_is_refused(accept: str) -> None:
    script: Script = [SWITCH + accept.encode() + b"\r\n\r\n", Do.HOLD]
    async with ScriptedServer(script) as server, websocket_source(server) as source:
        with pytest.raises(InvalidResponseError, match="Sec-WebSocket-Accept"):
            await anext(source)


async def test_a_message_beyond_the_limit_is_refused_after_the_one_before() -> None:
    with websocket_server(ending("ok", "x" * 101)) as server:
        async with EventSource(server.url, max_event_bytes=100) as source:
            assert (await anext(source)).data == "ok"
            with pytest.raises(EventTooLargeError, match="more than 100 bytes"):
                await anext(source)


async def test_a_server_that_does_not_read_pongs_does_not_stop_the_messages() -> None:
    pings = b"\x89\x7d" + b"p" * 125
    is_over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            key = next(line for line in connection.recv(65536).decode().split("\r\n") if line.startswith(KEY_HEADER))
            connection.sendall(SWITCH + accept_value(key.partition(": ")[2]).encode() + b"\r\n\r\n")
            connection.sendall(pings * 60_000)  # more than the buffers of both sockets hold
            connection.sendall(b"\x81\x02hi")
            is_over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            async with asyncio.timeout(60), EventSource(f"ws://127.0.0.1:{listener.getsockname()[1]}/") as source:
                assert (await anext(source)).data == "hi"
        finally:
            is_over.set()
            await asyncio.to_thread(thread.join, 60)


async def test_the_handshake_replaces_the_headers_of_a_copied_request() -> None:
    copied = {
        "Sec-WebSocket-Key": "AAAA",
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        "Connection": "keep-alive",
        "Sec-WebSocket-Protocol": "chat",
        "Origin": "https://app.example.com",
    }
    with websocket_server(ending("x" * 1000), subprotocols=["chat"]) as server:
        async with EventSource(server.url, headers=copied) as source:
            assert [event.data async for event in source] == ["x" * 1000]
            assert source.response_headers["sec-websocket-protocol"] == "chat"
    [request] = server.requests
    assert request.headers.get_all("Connection") == ["Upgrade"]
    assert "Sec-WebSocket-Extensions" not in request.headers
    assert "Accept" not in request.headers or request.headers["Accept"] != "text/event-stream"
    assert request.headers["Origin"] == "https://app.example.com"


async def test_wss_uses_tls(authority: Authority) -> None:
    with websocket_server(ending("secret"), ssl_context=authority.server()) as server:
        target = Target.parse(server.url, ca_file=authority.file)
        async with EventSource(target) as source:
            assert [event.data async for event in source] == ["secret"]


async def test_a_proxy_gets_a_tunnel_for_ws() -> None:
    with websocket_server(ending("through")) as server:
        async with HttpProxy(server) as proxy:
            target = through_proxy(Target.parse("ws://events.test:81/x"), proxy.url)
            async with EventSource(target) as source:
                assert [event.data async for event in source] == ["through"]
        [asked] = proxy.requests
        assert (asked.method, asked.target) == ("CONNECT", "events.test:81")


async def test_redirects_are_followed_to_both_kinds_of_url() -> None:
    with websocket_server(ending("there")) as server:
        there = server.url.replace("ws://", "http://")
        moved = f"HTTP/1.1 302 Found\r\nLocation: {there}/a\r\nContent-Length: 0\r\n\r\n".encode()
        async with ScriptedServer([moved]) as first, websocket_source(first) as source:
            assert [event.data async for event in source] == ["there"]
            assert source.response_url == f"{server.url}/a"


async def test_an_event_stream_is_not_redirected_to_a_websocket() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/a\r\nContent-Length: 0\r\n\r\n"
    async with ScriptedServer([moved]) as server, EventSource(server.url, reconnect=False) as source:
        with pytest.raises(BadStatusError, match="not an http:// or https:// URL"):
            await anext(source)


async def test_the_preflight_accepts_a_websocket_and_its_address() -> None:
    with websocket_server(echo) as server:
        found = await preflight(Target.parse(server.url))
    assert (found.status, found.chain[0].address.socket_address) == (101, ("127.0.0.1", server.port))


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("ws://a", {"body": "x"}, "leave out `body`"),
        ("ws://a", {"method": "POST"}, "leave out `method`"),
        ("http://a", {"messages": ["x"]}, "only a WebSocket"),
        ("ws://a", {"messages": ["\udcff"]}, "not UTF-8"),
        ("ftp://a", {}, "give an http://, https://, ws:// or wss:// URL"),
    ],
)
def test_a_request_that_cannot_open_a_websocket_is_refused(url: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Target.parse(url, **options)  # type: ignore[arg-type]


async def test_a_client_of_the_caller_cannot_open_a_websocket() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(UsageError, match="client cannot be used with a ws://"):
            EventSource("ws://127.0.0.1:1/", client=client)

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from leftovers import open_sockets
from scripted_server import CHUNKED, SSE, Do, ScriptedServer, chunk, head

from sseclient_cli import __version__
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    ConnectionRefusedByTargetError,
    EventTooLargeError,
    InvalidResponseError,
    NameNotResolvedError,
    SseError,
    TlsError,
    UsageError,
    WrongContentTypeError,
)
from sseclient_cli.request.target import Target
from sseclient_cli.sse.event_stream import Event

# Short enough for a test, long enough to distinguish it from no wait.
SOON = b"retry: 50\n\n"


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    before = open_sockets()
    yield
    # A closed transport releases its socket in a callback of the event loop: run these callbacks.
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert open_sockets() == before


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def hurry(source: EventSource) -> None:
    """Simulate ``retry: 0``, in tests where the server cannot send it before the first failure."""
    source._reconnection._reconnection_time_ms = 0


def reaching(state: ConnectionState) -> tuple[Callable[[StateChange], None], asyncio.Event]:
    """Return a state handler, and the event that it sets when the source is in that state."""
    reached = asyncio.Event()
    return lambda change: reached.set() if change.state is state else None, reached


async def events_of(source: EventSource) -> list[Event]:
    async with source:
        return [event async for event in source]


async def data_of(source: EventSource) -> list[str]:
    return [event.data for event in await events_of(source)]


async def test_the_request_is_that_of_an_event_stream() -> None:
    async with ScriptedServer() as server:
        headers = {"X-Mine": "ä", "X-None": None}
        await events_of(EventSource(f"{server.url}/a?b=c", headers=headers))
        request = server.requests[0]
        assert (request.method, request.path) == ("GET", "/a?b=c")
        assert request.header("accept") == b"text/event-stream"
        assert request.header("accept-encoding") == b"identity"
        assert request.header("cache-control") == b"no-cache"
        assert request.header("user-agent") == f"sseclient-cli/{__version__}".encode()
        assert request.header("x-mine") == "ä".encode()
        assert request.header("x-none") is None
        assert request.header("last-event-id") is None
        assert request.header("cookie") is None
        assert headers == {"X-Mine": "ä", "X-None": None}


async def test_headers_of_the_caller_take_precedence() -> None:
    async with ScriptedServer() as server:
        await events_of(EventSource(server.url, headers={"accept": "*/*", "User-Agent": "me"}))
        assert server.requests[0].header("accept") == b"*/*"
        assert server.requests[0].header("user-agent") == b"me"


async def test_a_body_is_posted_and_posted_again_with_reconnect() -> None:
    async with ScriptedServer([head(), SOON]) as server:
        await events_of(EventSource(server.url, body='{"stream":true}', reconnect=True))
        assert [(r.method, r.body) for r in server.requests] == [("POST", b'{"stream":true}')] * 2


async def test_a_target_defines_the_whole_request() -> None:
    async with ScriptedServer() as server:
        target = Target.parse(server.url, method="PUT", headers=["X-A: 1"], body="b")
        await events_of(EventSource(target))
        request = server.requests[0]
        assert (request.method, request.header("x-a"), request.body) == ("PUT", b"1", b"b")
        with pytest.raises(UsageError):
            EventSource(target, method="GET")


@pytest.mark.parametrize("url", ["http://this is invalid/", "ftp://host/", "about:blank"])
def test_an_invalid_url_raises_before_any_request(url: str) -> None:
    with pytest.raises(UsageError):
        EventSource(url)


async def test_proxies_of_the_environment_are_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    async with ScriptedServer() as server:
        assert await events_of(EventSource(server.url)) == []
        assert len(server.requests) == 1


# Opening, and errors of the response


async def test_the_source_is_open_when_the_response_head_has_arrived() -> None:
    changes: list[StateChange] = []
    opened = asyncio.Event()

    def on_state(change: StateChange) -> None:
        changes.append(change)
        if change.state is ConnectionState.OPEN:
            opened.set()

    # The server sends the body only after the client has seen the head.
    async with ScriptedServer([head(), opened, SOON + b"data: x\n\n"]) as server:
        source = EventSource(server.url, on_state=on_state)
        assert await data_of(source) == ["x"]
        assert [change.state.value for change in changes] == [
            *("connecting", "open", "waiting", "connecting", "closed"),
        ]
        assert changes[2] == StateChange(ConnectionState.WAITING, "the server ended the stream", None, delay_s=0.05)
        assert source.state is ConnectionState.CLOSED


async def test_a_404_raises_with_status_and_headers_and_without_another_request() -> None:
    async with ScriptedServer([head(404, SSE + b"X-Error-Code: 7\r\n"), b"data: x\n\n"]) as server:
        with pytest.raises(BadStatusError, match=r"answered 404 Not Found: check the path") as caught:
            await events_of(EventSource(server.url))
        assert (caught.value.status, caught.value.kind) == (404, "http-404")
        assert caught.value.headers["x-error-code"] == "7"
        assert len(server.requests) == 1


async def test_another_content_type_is_final_and_escaped_in_the_message() -> None:
    async with ScriptedServer([head(200, b"Content-Type: text/html\x9b31m\r\n"), b"data: x\n\n"]) as server:
        with pytest.raises(WrongContentTypeError, match=r"with 'text/html\\x9b31m', not text/event-stream"):
            await events_of(EventSource(server.url))


async def test_a_bad_status_of_a_later_connection_is_final() -> None:
    async with (
        ScriptedServer([head(), SOON, b"data: x\n\n"], [head(500)]) as server,
        EventSource(server.url) as source,
    ):
        assert (await anext(source)).data == "x"
        with pytest.raises(BadStatusError, match="500"):
            await anext(source)
        assert source.state is ConnectionState.CLOSED
        assert await anext(source, None) is None


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_and_every_reconnection_starts_at_the_original_url(status: int) -> None:
    redirect = [head(status, b"Location: /real\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n")]
    async with ScriptedServer(redirect, [head(), SOON, b"data: x\n\n"], redirect) as server:
        cookie = {"Cookie": "mine=1"}
        assert await data_of(EventSource(f"{server.url}/first", headers=cookie)) == ["x"]
        assert [request.path for request in server.requests] == ["/first", "/real"] * 2
        # The cookie of the redirect is sent to its target, but not with the next connection.
        assert [request.header("cookie") for request in server.requests] == [b"mine=1", b"mine=1; a=b"] * 2


@pytest.mark.parametrize(
    "location", [b"", b"Location: \r\n", b"Location: ftp://127.0.0.1/\r\n", b"Location: http://a:b/\r\n"]
)
@pytest.mark.parametrize("status", [301, 307])
async def test_an_invalid_redirect_is_final(status: int, location: bytes) -> None:
    async with ScriptedServer([head(status, location + b"Content-Length: 0\r\n")]) as server:
        with pytest.raises(BadStatusError) as caught:
            await events_of(EventSource(server.url))
        assert caught.value.status == status
        assert len(server.requests) == 1


async def test_a_redirect_loop_is_final() -> None:
    redirect = [head(302, b"Location: /\r\nContent-Length: 0\r\n")]
    async with ScriptedServer(*[redirect] * 30) as server:
        with pytest.raises(BadStatusError, match="more than 20 redirects"):
            await events_of(EventSource(server.url))
        assert len(server.requests) == 21


# Reconnection


async def test_a_huge_retry_waits_and_does_not_crash() -> None:
    delays_s: list[float | None] = []

    def on_state(change: StateChange) -> None:
        if change.state is ConnectionState.WAITING:
            delays_s.append(change.delay_s)
            source.close()

    async with ScriptedServer([head(), b"retry: " + b"9" * 5000 + b"\n\n"]) as server:
        source = EventSource(server.url, on_state=on_state)
        assert await events_of(source) == []
    assert delays_s == [86_400.0]


async def test_every_reconnection_sends_the_latest_event_id() -> None:
    scripts = [
        [head(), SOON, b"id: a\ndata: 1\n\n"],
        [head(), "id: ü\n\n".encode()],  # an id without an event counts
        [head(), b"data: 2\n\nid: lost\n"],  # an incomplete block does not
        [head(), b"id: x\0y\ndata: 3\n\n"],
        [head(), b"id:  7 \ndata: 4\n\n"],
        [head(), b"id\ndata: 5\n\n"],
    ]
    async with ScriptedServer(*scripts) as server:
        events = await events_of(EventSource(server.url, last_event_id="0"))
        ids = [request.header("last-event-id") for request in server.requests]
    assert ids == [b"0", b"a", "ü".encode(), "ü".encode(), "ü".encode(), b"7", None]
    assert [event.id for event in events] == ["a", "ü", "ü", " 7 ", ""]


async def test_a_last_event_id_header_of_the_caller_applies_only_to_the_first_connection() -> None:
    async with ScriptedServer([head(), SOON, b"id: 2\ndata: x\n\n"]) as server:
        await events_of(EventSource(server.url, headers={"last-event-id": "1"}))
        assert [request.header("last-event-id") for request in server.requests] == [b"1", b"2"]


async def test_last_event_id_belongs_to_the_event_returned_last() -> None:
    async with (
        ScriptedServer([head(), b"id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\n\n", Do.HOLD]) as server,
        EventSource(server.url) as source,
    ):
        assert (await anext(source)).data == "a"
        assert source.last_event_id == "1"
        assert (await anext(source)).data == "b"
        assert source.last_event_id == "3"


async def test_an_id_without_an_event_counts_after_all_events_before_it_are_returned() -> None:
    seen: list[str] = []
    gate = asyncio.Event()
    async with (
        ScriptedServer([head(), b"id: 1\n\n", gate, b"id: 2\n\n:c\n", Do.HOLD]) as server,
    ):

        def on_comment(_: str) -> None:
            seen.append(source.last_event_id)
            source.close()

        async with EventSource(server.url, on_comment=on_comment, last_event_id="0") as source:
            reader = asyncio.ensure_future(anext(source, None))
            while source.last_event_id != "1":  # noqa: ASYNC110  no event to wait for
                await asyncio.sleep(0)
            gate.set()
            assert await reader is None
    assert seen == ["2"]


@pytest.mark.parametrize(
    "script",
    [
        [head(headers=CHUNKED), chunk(SOON + b"data: x\n\n"), b"ff\r\ndata: y"],
        [head(headers=SSE + b"Content-Length: 999\r\n"), SOON + b"data: x\n\n"],
    ],
    ids=["chunked", "content-length"],
)
async def test_a_body_cut_short_is_a_lost_connection_after_its_complete_events(script: list[bytes]) -> None:
    changes: list[StateChange] = []
    async with ScriptedServer(script) as server:
        assert await data_of(EventSource(server.url, on_state=changes.append)) == ["x"]
        assert len(server.requests) == 2
    waiting = next(change for change in changes if change.state is ConnectionState.WAITING)
    assert type(waiting.error) is ConnectionLostError
    assert waiting.reason == "the connection was cut in the middle of the response"


async def test_a_refused_first_attempt_is_repeated_until_the_server_listens() -> None:
    server = ScriptedServer([head(), b"data: x\n\n", Do.HOLD])
    async with server:
        pass  # its port is now closed
    delays_s: list[float] = []
    twice = asyncio.Event()

    def on_state(change: StateChange) -> None:
        if change.delay_s is not None:
            delays_s.append(change.delay_s)
            if len(delays_s) == 2:
                twice.set()

    async with EventSource(server.url, on_state=on_state) as source:
        hurry(source)
        pending = asyncio.ensure_future(anext(source))
        await twice.wait()
        async with server:
            assert (await pending).data == "x"
            await source.aclose()
    assert all(0.1 <= delay_s <= 0.1 * 2**n for n, delay_s in enumerate(delays_s))


async def test_invalid_http_is_a_network_error_and_reconnects() -> None:
    async with ScriptedServer([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], [head(), b"data: x\n\n", Do.HOLD]) as server:
        errors: list[SseError | None] = []
        source = EventSource(server.url, on_state=lambda change: errors.append(change.error))
        hurry(source)
        async with source:
            assert (await anext(source)).data == "x"
        assert any(type(error) is InvalidResponseError for error in errors)


# Without reconnection


async def test_the_end_of_the_stream_without_reconnection_ends_the_iteration() -> None:
    async with ScriptedServer([head(), b"data: x\n\ndata: incomplete\n"]) as server:
        assert await data_of(EventSource(server.url, reconnect=False)) == ["x"]
        assert len(server.requests) == 1


async def test_a_broken_stream_without_reconnection_raises() -> None:
    async with ScriptedServer([head(headers=CHUNKED), chunk(b"data: x\n\n")]) as server:
        with pytest.raises(ConnectionLostError):
            await events_of(EventSource(server.url, reconnect=False))


async def test_a_closed_port_without_reconnection_raises() -> None:
    port = free_port()
    with pytest.raises(ConnectionRefusedByTargetError, match=f":{port}: is the server running"):
        await events_of(EventSource(f"http://127.0.0.1:{port}", reconnect=False))


async def test_an_unknown_name_without_reconnection_raises() -> None:
    name = "no-such-host.invalid"  # RFC 2606: never a valid name
    with pytest.raises(NameNotResolvedError, match=rf"{name}:80 has no address"):
        await events_of(EventSource(f"http://{name}/", reconnect=False))


async def test_a_server_that_closes_before_it_answers_is_a_lost_connection() -> None:
    async with ScriptedServer([]) as server:
        with pytest.raises(ConnectionLostError, match="closed the connection before it answered"):
            await events_of(EventSource(server.url, reconnect=False))


async def test_https_to_a_server_without_tls_is_a_tls_error() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)  # the first byte of a ClientHello
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(TlsError, match="no TLS connection with 127"):
        await events_of(EventSource(f"https://127.0.0.1:{port}", reconnect=False))
    server.close()
    await server.wait_closed()


# Comments, limits, closing


async def test_comments_keep_their_place_between_the_events() -> None:
    seen: list[str] = []
    async with (
        ScriptedServer([head(), SOON, b": a\ndata: 1\n\n:b\n\ndata: 2\n\n:c\n"]) as server,
        EventSource(server.url, on_comment=seen.append) as source,
    ):
        async for event in source:
            seen.append(event.data)  # noqa: PERF401  the handler appends to the same list
    assert seen == [" a", "1", "b", "2", "c"]


@pytest.mark.parametrize("with_comments", [False, True])
async def test_an_event_that_is_too_large_raises_after_the_events_before_it(with_comments: bool) -> None:
    handler = (lambda _: None) if with_comments else None
    async with (
        ScriptedServer([head(), b"data: 1\n\ndata: " + b"x" * 5000 + b"\n", Do.HOLD]) as server,
        EventSource(server.url, max_event_bytes=1000, on_comment=handler) as source,
    ):
        assert (await anext(source)).data == "1"
        with pytest.raises(EventTooLargeError):
            await anext(source)
        # The connection is closed now, not at the end of the context.
        await server.requests[0].disconnected.wait()


STATES = [
    pytest.param([Do.HOLD], ConnectionState.CONNECTING, id="connecting"),
    pytest.param([head(), b"data: x\n\n", Do.HOLD], ConnectionState.OPEN, id="open"),
    pytest.param([head(), b"retry: 100000\n\n"], ConnectionState.WAITING, id="waiting"),
]


@pytest.mark.parametrize(("script", "state"), STATES)
async def test_close_from_another_task_interrupts_at_once(script: list[bytes | Do], state: ConnectionState) -> None:
    on_state, reached = reaching(state)
    async with ScriptedServer(script) as server:
        source = EventSource(server.url, on_state=on_state)
        reader = asyncio.ensure_future(events_of(source))
        await server.requested(1)
        await reached.wait()
        await source.aclose()
        await reader
        await server.requests[0].disconnected.wait()


async def test_close_at_the_moment_when_the_head_arrives_raises_nothing() -> None:
    """Close in each of the event-loop iterations between the arrival of a head and its check."""
    for steps in range(12):
        async with ScriptedServer([head(404)]) as server, EventSource(server.url) as source:
            reader = asyncio.ensure_future(anext(source, None))
            await server.requested(1)
            for _ in range(steps):
                await asyncio.sleep(0)
            if source.state is ConnectionState.CLOSED:
                with pytest.raises(BadStatusError):
                    await reader
            else:
                source.close()
                assert await reader is None


async def test_thousands_of_comments_do_not_block_the_event_loop() -> None:
    seen = 0
    first = asyncio.Event()

    def on_comment(_: str) -> None:
        nonlocal seen
        seen += 1
        first.set()

    async with (
        ScriptedServer([head(), b":\n" * 20_000, Do.HOLD]) as server,
        EventSource(server.url, on_comment=on_comment) as source,
    ):
        reader = asyncio.ensure_future(anext(source, None))
        await first.wait()
        assert seen < 100
        source.close()
        assert await reader is None


async def test_the_socket_is_closed_soon_after_close_within_the_context() -> None:
    async with (
        ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server,
        EventSource(server.url) as source,
    ):
        assert (await anext(source)).data == "1"
        source.close()
        assert await anext(source, None) is None
        await server.requests[0].disconnected.wait()


async def test_iteration_outside_of_the_context_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="async with"):
        await anext(EventSource("http://127.0.0.1:9/"))


async def test_tasks_that_share_a_source_share_its_events() -> None:
    many = b"".join(b"data: %d\n\n" % n for n in range(100))
    got: dict[str, list[str]] = {"a": [], "b": []}

    async def take(name: str) -> None:
        async for event in source:
            got[name].append(event.data)
            await asyncio.sleep(0)

    async with ScriptedServer([head(), SOON, many]) as server, EventSource(server.url) as source:
        await asyncio.gather(take("a"), take("b"))
    assert all(got.values())
    assert sorted(got["a"] + got["b"], key=int) == [str(n) for n in range(100)]


@pytest.mark.parametrize("host", ["xn--ls8h.invalid", "xn--.invalid"])
async def test_a_host_that_idna_cannot_decode_is_an_error_of_this_package(host: str) -> None:
    with pytest.raises(SseError):
        async with EventSource(f"http://{host}/", reconnect=False) as source:
            await anext(source)

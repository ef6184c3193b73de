"""``close`` in a handler, and handlers that raise: no further events, and no open socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from leftovers import open_sockets
from scripted_server import CHUNKED, SSE, Do, Script, ScriptedServer, chunk, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import BadStatusError, ConnectionLostError

# Everything in one chunk, with each kind of item first.
CHUNK = b": a\n: b\ndata: 1\n\n: c\ndata: 2\n\n: d\n"


@pytest.fixture(autouse=True)
async def no_socket_is_left_open() -> AsyncIterator[None]:
    before = open_sockets()
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    assert open_sockets() == before


async def gone(server: ScriptedServer) -> int:
    """Wait until all clients have disconnected; return the number of connections."""
    async with asyncio.timeout(20):
        await server.deserted()
    return len(server.requests)


@pytest.mark.parametrize(("last", "expected"), [("1", [" a", " b", "1"]), ("2", [" a", " b", "1", " c", "2"])])
async def test_no_event_or_comment_of_the_same_chunk_follows_a_close_in_the_loop(
    last: str, expected: list[str]
) -> None:
    got: list[str] = []
    async with (
        ScriptedServer([head(), CHUNK, Do.HOLD]) as server,
        EventSource(server.url, on_comment=got.append) as source,
    ):
        async for event in source:
            got.append(event.data)
            if event.data == last:
                source.close()
        assert await gone(server) == 1
    assert got == expected


@pytest.mark.parametrize(("last", "expected"), [(" a", [" a"]), (" c", [" a", " b", "1", " c"])])
async def test_no_event_or_comment_of_the_same_chunk_follows_a_close_in_a_comment_handler(
    last: str, expected: list[str]
) -> None:
    got: list[str] = []

    def on_comment(text: str) -> None:
        got.append(text)
        if text == last:
            source.close()

    async with (
        ScriptedServer([head(), CHUNK, Do.HOLD]) as server,
        EventSource(server.url, on_comment=on_comment) as source,
    ):
        async for event in source:
            got.append(event.data)  # noqa: PERF401  comments go to the same list
        assert await gone(server) == 1
    assert got == expected


@pytest.mark.parametrize(
    ("state", "requests", "expected"),
    [
        (ConnectionState.CONNECTING, 0, []),
        (ConnectionState.OPEN, 1, []),
        (ConnectionState.WAITING, 1, ["1"]),
        (ConnectionState.CLOSED, 2, ["1"]),
    ],
)
async def test_no_event_or_request_follows_a_close_in_a_state_handler(
    state: ConnectionState, requests: int, expected: list[str]
) -> None:
    states: list[ConnectionState] = []

    def on_state(change: StateChange) -> None:
        states.append(change.state)
        if change.state is state:
            source.close()

    got: list[str] = []
    async with (
        ScriptedServer([head(), b"retry: 1\ndata: 1\n\n"]) as server,
        EventSource(server.url, on_state=on_state, on_comment=got.append) as source,
    ):
        got += [event.data async for event in source]
        assert await gone(server) == requests
    assert got == expected
    assert states.count(ConnectionState.CLOSED) == 1
    assert states[-1] is ConnectionState.CLOSED


async def test_aclose_in_the_loop_returns_when_the_socket_is_closed() -> None:
    async with (
        ScriptedServer([head(), CHUNK, Do.HOLD]) as server,
        EventSource(server.url) as source,
    ):
        async for event in source:
            assert event.data == "1"
            await source.aclose()
            assert await gone(server) == 1


async def test_a_close_with_many_unread_small_chunks_takes_little_time() -> None:
    body = chunk(b"data: 1\n\n") + chunk(b":") * 100_000
    async with (
        ScriptedServer([head(headers=CHUNKED) + body, Do.HOLD]) as server,
        EventSource(server.url) as source,
    ):
        assert (await anext(source)).data == "1"
        began_s = time.process_time()
        await source.aclose()
        assert time.process_time() - began_s < 2  # h11 would need 6 s for as many chunks


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), ConnectionLostError("mine"), BadStatusError("mine", status=503)]
)
@pytest.mark.parametrize("state", ConnectionState)
async def test_an_exception_of_a_state_handler_propagates_and_closes_everything(
    state: ConnectionState, error: Exception
) -> None:
    def on_state(change: StateChange) -> None:
        if change.state is state:
            raise error

    async with (
        ScriptedServer([head(), b"retry: 1\ndata: 1\n\n"]) as server,
        EventSource(server.url, on_state=on_state, retry_statuses={503}) as source,
    ):
        with pytest.raises(type(error)) as caught:
            async for _ in source:
                pass
        assert caught.value is error
        assert source.state is ConnectionState.CLOSED
        await gone(server)
        assert await anext(source, None) is None


async def test_an_exception_of_a_comment_handler_propagates_and_closes_everything() -> None:
    def on_comment(text: str) -> None:
        raise ValueError(text)

    changes: list[StateChange] = []
    async with (
        ScriptedServer([head(), b"data: 0\n\n" + CHUNK, Do.HOLD]) as server,
        EventSource(server.url, on_comment=on_comment, on_state=changes.append) as source,
    ):
        assert (await anext(source)).data == "0"
        with pytest.raises(ValueError, match=r"^ a$"):
            await anext(source)
        assert await gone(server) == 1
        assert await anext(source, None) is None
    assert changes[-1] == StateChange(ConnectionState.CLOSED, " a")


@pytest.mark.parametrize(
    "script",
    [[head(404, SSE), Do.HOLD], [head(), b"data: 1\n\ndata: " + b"x" * 2000, Do.HOLD]],
    ids=["status", "too-large"],
)
async def test_a_state_handler_that_raises_for_an_error_leaves_no_socket_open(script: Script) -> None:
    def on_state(change: StateChange) -> None:
        if change.state is ConnectionState.CLOSED:
            raise ZeroDivisionError

    async with (
        ScriptedServer(script) as server,
        EventSource(server.url, on_state=on_state, max_event_bytes=99) as source,
    ):
        with pytest.raises(ZeroDivisionError) as caught:
            async for _ in source:
                pass
        assert caught.value.__context__ is not None
        assert await gone(server) == 1


async def test_a_state_handler_that_raises_for_the_close_leaves_no_socket_open() -> None:
    def on_state(change: StateChange) -> None:
        if change.state is ConnectionState.CLOSED:
            raise ZeroDivisionError

    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server:
        source = EventSource(server.url, on_state=on_state)
        async with source:
            await anext(source)
            with pytest.raises(ZeroDivisionError):
                await source.aclose()
            assert await gone(server) == 1


async def test_closing_does_not_change_an_exception_of_the_loop() -> None:
    async with ScriptedServer([head(), CHUNK, Do.HOLD]) as server:
        with pytest.raises(ZeroDivisionError):
            async with EventSource(server.url) as source:
                async for _ in source:
                    raise ZeroDivisionError
        assert await gone(server) == 1


async def test_an_error_is_raised_once_and_ends_the_iteration() -> None:
    async with ScriptedServer([head(500)]) as server, EventSource(server.url) as source:
        with pytest.raises(BadStatusError):
            await anext(source)
        assert [event async for event in source] == []
        assert await gone(server) == 1

"""Cancellation, ``close`` and timeouts at any await leave no socket, task or warning behind.

A sweep runs a scenario repeatedly, and interrupts it at its first suspension, at its second, and so on, until it ends
without an interruption.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import pytest
from certificates import Authority
from http_proxy import HttpProxy
from interruption import Interruption, Moment
from leftovers import nothing_left_behind
from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, ScriptedServer, chunk, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.request.target import Target

GZIP = CHUNKED + b"Content-Encoding: gzip\r\n"

# A redirect, gzip, the end of a stream, a wait, a reconnection, and 204 after the last script.
SCRIPTS: list[Script] = [
    [head(307, b"Location: /real\r\nContent-Length: 0\r\n")],
    [
        head(headers=GZIP),
        chunk(gzip.compress(b"retry: 1\nid: 1\ndata: 1\n\n: a\ndata: 2\n\n")),
        chunk(gzip.compress(b"data: 3\n\n")),
        LAST_CHUNK,
    ],
    [head(headers=SSE), b"data: 4\n\n"],
]
ALL = ["1", " a", "2", "3", "4"]

Setting: TypeAlias = Callable[[list[str]], AbstractAsyncContextManager[tuple[ScriptedServer, EventSource]]]
Consumer: TypeAlias = Callable[[EventSource, list[str]], Coroutine[None, None, None]]


@pytest.fixture(autouse=True, scope="module")
def collecting_garbage_is_quick() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@asynccontextmanager
async def refused(_: list[str]) -> AsyncIterator[tuple[ScriptedServer, EventSource]]:
    """Make a source whose second attempt is refused, and which closes itself before the third."""
    attempts = 0

    def on_state(change: StateChange) -> None:
        nonlocal attempts
        attempts += change.state is ConnectionState.CONNECTING
        if change.state is ConnectionState.WAITING:
            server.refuse()
        elif attempts == 3:
            source.close()

    async with ScriptedServer([head(), b"retry: 1\ndata: 1\n\n"]) as server:
        source = EventSource(server.url, on_state=on_state)
        yield server, source


@pytest.fixture(params=["tcp", "name", "tls", "tunnel", "unix-socket", "posted", "refused"])
def setting(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> Setting:
    """Return a context manager that starts a server and a source, which appends its comments to a list."""
    kind = request.param
    unix_socket = str(tmp_path / "socket") if kind == "unix-socket" else None
    body = b"{}" if kind == "posted" else None
    context = authority.server() if kind in ("tls", "tunnel") else None

    @asynccontextmanager
    async def made(got: list[str]) -> AsyncIterator[tuple[ScriptedServer, EventSource]]:
        async with (
            ScriptedServer(*SCRIPTS, ssl_context=context, unix_socket=unix_socket) as server,
            HttpProxy(server) as proxy,
        ):
            url: str | Target = server.url
            if kind == "name":
                url = server.url.replace("127.0.0.1", "localhost")
            elif kind in ("tls", "tunnel"):
                url = Target.parse(server.url, ca_file=authority.file)
            elif kind == "unix-socket":
                url = Target.parse("http://sse.test/", unix_socket=unix_socket)
            through = proxy.url if kind == "tunnel" else None
            yield server, EventSource(url, body=body, proxy=through, read_timeout_s=30, on_comment=got.append)

    return refused if kind == "refused" else made


async def read_all(source: EventSource, got: list[str]) -> None:
    async with source:
        async for event in source:
            got.append(event.data)  # noqa: PERF401  comments go to the same list


async def leave_early(source: EventSource, got: list[str]) -> None:
    async with source:
        async for event in source:
            got.append(event.data)
            break


async def all_have_left(server: ScriptedServer) -> None:
    async with asyncio.timeout(20):
        await server.deserted()
        for request in server.requests:
            await request.disconnected.wait()


async def sweep(interrupted_at: Callable[[int], Coroutine[None, None, bool]]) -> int:
    """Call it with 1, 2, ... until it returns that it was not interrupted; return the number of suspensions."""
    number, happened = 0, True
    while happened:
        number += 1
        async with nothing_left_behind(f"interrupted at suspension {number}"):
            happened = await interrupted_at(number)
    return number - 1


@pytest.mark.parametrize(
    ("consumer", "moment"),
    [
        (read_all, Moment.WHILE_IT_WAITS),
        (read_all, Moment.AS_THE_RESULT_COMES),
        (leave_early, Moment.WHILE_IT_WAITS),
        (leave_early, Moment.AND_EVER_AFTER),
    ],
)
async def test_cancellation_at_any_await_leaves_nothing_behind(
    setting: Setting, consumer: Consumer, moment: Moment
) -> None:
    async def cancelled_at(number: int) -> bool:
        got: list[str] = []
        async with setting(got) as (server, source):
            interruption = Interruption(number, moment, lambda: task.cancel())
            task = asyncio.ensure_future(interruption.run(consumer(source, got)))
            await asyncio.wait([task])
            assert task.cancelled() == interruption.happened
            assert source.state is ConnectionState.CLOSED
            assert got == ALL[: len(got)]
            await all_have_left(server)
        return interruption.happened

    assert await sweep(cancelled_at) >= 5  # more over TCP and TLS


@pytest.mark.parametrize("setting", ["tcp", "name", "tls", "tunnel", "unix-socket", "posted"], indirect=True)
async def test_cancellation_in_any_iteration_of_the_event_loop_leaves_nothing_behind(setting: Setting) -> None:
    """Between two suspensions of our code, tasks of httpcore and callbacks of the event loop run."""

    async def cancelled_in(number: int) -> bool:
        got: list[str] = []
        async with setting(got) as (server, source):
            task = asyncio.ensure_future(leave_early(source, got))
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert source.state is ConnectionState.CLOSED
            await all_have_left(server)
        return task.cancelled()

    assert await sweep(cancelled_in) > 10


async def test_cancellation_while_the_server_does_not_read_the_body_leaves_nothing_behind() -> None:
    accepted, over = asyncio.Event(), asyncio.Event()

    async def read_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await over.wait()
        writer.transport.abort()

    async with nothing_left_behind("body half sent"):
        server = await asyncio.start_server(read_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        # More than fits into the buffers of two sockets.
        source = EventSource(f"http://127.0.0.1:{port}", body=b"x" * 20_000_000)
        task = asyncio.ensure_future(read_all(source, []))
        await accepted.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        over.set()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("moment", [Moment.WHILE_IT_WAITS, Moment.AS_THE_RESULT_COMES])
async def test_close_at_any_await_ends_the_iteration_without_further_events(setting: Setting, moment: Moment) -> None:
    async def closed_at(number: int) -> bool:
        got: list[str] = []
        got_at_close: list[str] | None = None
        async with setting(got) as (server, source):

            def close() -> None:
                nonlocal got_at_close
                got_at_close = list(got)
                source.close()

            interruption = Interruption(number, moment, close)
            await interruption.run(read_all(source, got))
            assert source.state is ConnectionState.CLOSED
            assert got_at_close in (None, got)
            await all_have_left(server)
        return interruption.happened

    assert await sweep(closed_at) > 5


@pytest.mark.parametrize("setting", ["tcp"], indirect=True)
@pytest.mark.parametrize("closes_first", [True, False])
async def test_a_cancellation_at_the_moment_of_a_close_is_not_swallowed(setting: Setting, closes_first: bool) -> None:
    async def interrupted_at(number: int) -> bool:
        got: list[str] = []
        async with setting(got) as (server, source):

            def close_and_cancel() -> None:
                if closes_first:
                    source.close()
                task.cancel()
                source.close()

            interruption = Interruption(number, Moment.AS_THE_RESULT_COMES, close_and_cancel)
            task = asyncio.ensure_future(interruption.run(read_all(source, got)))
            await asyncio.wait([task])
            assert task.cancelled() == interruption.happened
            await all_have_left(server)
        return interruption.happened

    assert await sweep(interrupted_at) > 5


@pytest.mark.parametrize("setting", ["tcp"], indirect=True)
async def test_a_timeout_at_any_await_closes_the_source_and_the_context_continues(setting: Setting) -> None:
    async def timed_out_at(number: int) -> bool:
        got: list[str] = []
        async with setting(got) as (server, source), source:
            limit = asyncio.timeout(None)

            async def read_for_a_time() -> None:
                async with limit:
                    while event := await anext(source, None):
                        got.append(event.data)

            interruption = Interruption(number, Moment.WHILE_IT_WAITS, lambda: limit.reschedule(0))
            with suppress(TimeoutError):
                await interruption.run(read_for_a_time())
            assert limit.expired() == interruption.happened
            assert source.state is ConnectionState.CLOSED
            assert got == ALL[: len(got)]
            # The socket is already closed, before the end of the context.
            await all_have_left(server)
            assert await anext(source, None) is None
        return interruption.happened

    assert await sweep(timed_out_at) > 5


async def test_wait_for_around_anext_closes_the_source() -> None:
    async with (
        nothing_left_behind("after wait_for"),
        ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server,
        EventSource(server.url) as source,
    ):
        assert (await anext(source)).data == "1"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(source), 0.01)
        await all_have_left(server)
        assert source.state is ConnectionState.CLOSED
        assert await anext(source, None) is None


@pytest.mark.parametrize("setting", ["tcp"], indirect=True)
async def test_a_failing_task_of_the_same_group_cancels_the_source_at_any_await(setting: Setting) -> None:
    async def fail(told: asyncio.Event) -> None:
        await told.wait()
        raise ZeroDivisionError

    async def interrupted_at(number: int) -> bool:
        got: list[str] = []
        told = asyncio.Event()
        async with setting(got) as (server, source):
            interruption = Interruption(number, Moment.WHILE_IT_WAITS, told.set)
            with pytest.raises(ExceptionGroup) as caught:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fail(told))
                    await interruption.run(read_all(source, got))
                    told.set()
            assert [type(member) for member in caught.value.exceptions] == [ZeroDivisionError]
            assert source.state is ConnectionState.CLOSED
            await all_have_left(server)
        return interruption.happened

    assert await sweep(interrupted_at) > 5


@pytest.mark.parametrize("moment", Moment)
async def test_cancelling_aclose_leaves_nothing_behind(moment: Moment) -> None:
    async def cancelled_at(number: int) -> bool:
        async with (
            ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server,
            EventSource(server.url) as source,
        ):
            await anext(source)
            reader = asyncio.ensure_future(anext(source, None))
            await asyncio.sleep(0)
            interruption = Interruption(number, moment, lambda: closer.cancel())
            closer = asyncio.ensure_future(interruption.run(source.aclose()))
            await asyncio.wait([closer])
            assert closer.cancelled() == interruption.happened
            assert await reader is None
            await all_have_left(server)
        return interruption.happened

    assert await sweep(cancelled_at) > 0

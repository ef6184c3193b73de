"""``restart`` closes the connection and reconnects immediately, in any state of the source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from interruption import Interruption, Moment
from leftovers import open_sockets
from scripted_server import SSE, Do, Script, ScriptedServer, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange

# Longer than any test, so that only a restart ends this wait.
NEVER = b"retry: 3600000\n\n"
UNAVAILABLE = head(503, b"Content-Length: 0\r\n")


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    before = open_sockets()
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert open_sockets() == before


async def waiting_for_the_next(source: EventSource) -> asyncio.Future[str | None]:
    """Start to wait for the next event in another task."""

    async def data() -> str | None:
        event = await anext(source, None)
        return None if event is None else event.data

    waiting = asyncio.create_task(data())
    await asyncio.sleep(0)
    return waiting


async def test_a_silent_connection_is_replaced_while_the_iteration_waits() -> None:
    states: list[StateChange] = []
    async with (
        ScriptedServer([head(), b"id: 7\ndata: a\n\n", Do.HOLD], [head(), b"data: b\n\n", Do.HOLD]) as server,
        EventSource(server.url, on_state=states.append) as source,
    ):
        assert (await anext(source)).data == "a"
        waiting = await waiting_for_the_next(source)
        source.restart()
        assert await waiting == "b"
        await server.requests[0].disconnected.wait()
        assert [request.header("last-event-id") for request in server.requests] == [None, b"7"]
    assert [(change.state.value, change.reason) for change in states] == [
        ("connecting", "connecting"),
        ("open", "connected"),
        ("connecting", "restarting"),
        ("open", "connected"),
        ("closed", "closed"),
    ]


async def test_a_restart_ends_the_wait_before_a_reconnection() -> None:
    waits = asyncio.Event()
    async with (
        ScriptedServer([head(), NEVER + b"data: a\n\n"], [head(), b"data: b\n\n", Do.HOLD]) as server,
        EventSource(
            server.url, on_state=lambda change: waits.set() if change.state is ConnectionState.WAITING else None
        ) as source,
    ):
        assert (await anext(source)).data == "a"
        waiting = await waiting_for_the_next(source)
        await waits.wait()
        source.restart()
        assert await waiting == "b"


async def test_a_restart_replaces_an_attempt_without_an_answer() -> None:
    async with (
        ScriptedServer([Do.HOLD], [head(), b"data: a\n\n", Do.HOLD]) as server,
        EventSource(server.url) as source,
    ):
        waiting = await waiting_for_the_next(source)
        await server.requested(1)
        source.restart()
        assert await waiting == "a"
        await server.requests[0].disconnected.wait()


async def test_each_restart_gets_new_headers() -> None:
    tokens = iter(["old", "new"])
    async with (
        ScriptedServer([head(), b"data: a\n\n", Do.HOLD], [head(), b"data: b\n\n", Do.HOLD]) as server,
        EventSource(server.url, headers=lambda: {"Authorization": next(tokens)}) as source,
    ):
        await anext(source)
        source.restart()
        await anext(source)
        assert [request.header("authorization") for request in server.requests] == [b"old", b"new"]


async def test_received_events_are_returned_before_a_restart() -> None:
    first: Script = [head() + b"id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\ndata: unfinished\n", Do.HOLD]
    async with (
        ScriptedServer(first, [head(), b"id: 4\ndata: d\n\n", Do.HOLD]) as server,
        EventSource(server.url) as source,
    ):
        got = [(await anext(source)).data]
        source.restart()
        assert source.last_event_id == "1"
        got += [(await anext(source)).data for _ in range(3)]
        assert got == ["a", "b", "c", "d"]
        assert server.requests[1].header("last-event-id") == b"3"


@pytest.mark.parametrize("state", [ConnectionState.CONNECTING, ConnectionState.OPEN, ConnectionState.WAITING])
async def test_a_state_handler_may_restart(state: ConnectionState) -> None:
    asked = 0

    def on_state(change: StateChange) -> None:
        nonlocal asked
        if change.state is state and not asked:
            asked += 1
            source.restart()

    script = [head(), NEVER + b"data: a\n\n"]
    async with ScriptedServer(script, script) as server, EventSource(server.url, on_state=on_state) as source:
        assert (await anext(source)).data == "a"
        if state is ConnectionState.WAITING:
            assert (await anext(source)).data == "a"
    assert asked == 1


async def test_a_restart_before_the_first_connection_makes_no_additional_connection() -> None:
    async with ScriptedServer([head(), b"data: a\n\n", Do.HOLD]) as server, EventSource(server.url) as source:
        source.restart()
        assert (await anext(source)).data == "a"
        assert len(server.requests) == 1


class FromLastEventId(list[Any]):
    """The events 1 to 4 that follow the Last-Event-ID of the latest request."""

    server: ScriptedServer

    def __iter__(self) -> Iterator[Any]:
        first = int(self.server.requests[-1].header("last-event-id") or 0) + 1
        yield head()
        yield b"retry: 1\n: comment\n"
        for number in range(first, 5):
            yield b"id: %d\ndata: %d\n\n" % (number, number)
            yield 0.01  # one read per event
        yield Do.HOLD


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("moment", [Moment.WHILE_IT_WAITS, Moment.AS_THE_RESULT_COMES])
async def test_a_restart_at_any_await_loses_and_repeats_no_event(moment: Moment, given: bool) -> None:
    number, happened = 0, True
    while happened:
        number += 1
        script = FromLastEventId()
        async with ScriptedServer(*[script] * 9) as server, httpx.AsyncClient() as client:
            script.server = server
            source = EventSource(server.url, client=client if given else None)
            interruption = Interruption(number, moment, source.restart)
            async with source, asyncio.timeout(20):
                got = await interruption.run(first_of(source, 4))
        happened = interruption.happened
        assert got == ["1", "2", "3", "4"], number
    assert number > 3


async def first_of(source: EventSource, count: int) -> list[str]:
    return [(await anext(source)).data for _ in range(count)]


async def test_a_closed_source_stays_closed() -> None:
    async with ScriptedServer([head(), b"data: a\n\n", Do.HOLD]) as server, EventSource(server.url) as source:
        await anext(source)
        source.close()
        source.restart()
        assert await anext(source, None) is None
        assert source.state is ConnectionState.CLOSED
        assert len(server.requests) == 1


async def test_close_takes_precedence_over_a_restart() -> None:
    async with ScriptedServer([head(), b"data: a\n\n", Do.HOLD]) as server, EventSource(server.url) as source:
        await anext(source)
        waiting = await waiting_for_the_next(source)
        source.restart()
        source.close()
        assert await waiting is None
        assert len(server.requests) == 1


async def test_an_explicit_restart_repeats_a_post_and_needs_no_reconnect() -> None:
    script: Script = [head(), b"data: a\n\n", Do.HOLD]
    async with (
        ScriptedServer(script, script) as server,
        EventSource(server.url, json={"q": 1}, reconnect=False, max_reconnects=0) as source,
    ):
        await anext(source)
        source.restart()
        await anext(source)
        assert [request.body for request in server.requests] == [b'{"q": 1}'] * 2


async def test_the_backoff_grows_up_to_its_limit() -> None:
    delays_s: list[float] = []

    def on_state(change: StateChange) -> None:
        if change.delay_s is not None:
            delays_s.append(change.delay_s)
            source.restart()  # the test does not wait

    async with ScriptedServer(*[[UNAVAILABLE]] * 8, [head(headers=SSE), b"data: a\n\n", Do.HOLD]) as server:
        source = EventSource(
            server.url, retry_statuses={503}, reconnection_time_s=0.5, max_backoff_s=2, on_state=on_state
        )
        async with source:
            assert (await anext(source)).data == "a"
    assert len(delays_s) == 8
    assert all(0.5 <= delay_s <= 2 for delay_s in delays_s)
    # 0.5 s doubled seven times is 64 s, and at most half of a wait is random.
    assert min(delays_s[2:]) >= 1

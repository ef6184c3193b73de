"""``read_timeout_s``, with a clock that the test advances."""

from __future__ import annotations

import asyncio
import time

import pytest
from scripted_server import Do, Script, ScriptedServer, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import ConnectionLostError, ReadTimeoutError

TIMEOUT_S = 30.0


class Clock:
    """The clock of the running event loop."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead_s = 0.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: time.monotonic() + self._ahead_s)

    async def advance(self, seconds: float) -> None:
        """Let the source reach its next read, advance the clock, and run the timers that are due."""
        for ahead_s in (0, seconds):
            self._ahead_s += ahead_s
            for _ in range(10):
                await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_silence_reconnects_after_the_reconnection_time_with_the_last_event_id(clock: Clock) -> None:
    changes: list[StateChange] = []
    scripts: list[Script] = [[head(), b"retry: 50\nid: 7\ndata: x\n\n", Do.HOLD], [head(), b"data: y\n\n", Do.HOLD]]
    async with (
        ScriptedServer(*scripts) as server,
        EventSource(server.url, read_timeout_s=TIMEOUT_S, on_state=changes.append) as source,
    ):
        assert (await anext(source)).data == "x"
        pending = asyncio.ensure_future(anext(source))
        silent_s = time.monotonic()
        await clock.advance(TIMEOUT_S + 1)
        assert (await pending).data == "y"
        await server.requests[0].disconnected.wait()
        assert server.requests[1].header("last-event-id") == b"7"
        assert server.requests[1].arrived_s >= silent_s + 0.05
    waiting = next(change for change in changes if change.state is ConnectionState.WAITING)
    assert type(waiting.error) is ReadTimeoutError
    assert waiting.reason == str(waiting.error)
    assert waiting.delay_s == 0.05


async def test_a_heartbeat_restarts_the_timeout(clock: Clock) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    beats = [asyncio.Event() for _ in range(4)]
    script = [step for beat in beats for step in (beat, b":\n")]
    async with (
        ScriptedServer([head(), b"data: 1\n\n", *script, b"data: 2\n\n", Do.HOLD]) as server,
        EventSource(server.url, read_timeout_s=TIMEOUT_S, on_comment=heard.put_nowait) as source,
    ):
        assert (await anext(source)).data == "1"
        pending = asyncio.ensure_future(anext(source))
        for beat in beats:
            await clock.advance(TIMEOUT_S * 0.6)
            beat.set()
            await heard.get()
        assert (await pending).data == "2"
        assert len(server.requests) == 1


async def test_the_time_of_the_consumer_does_not_count(clock: Clock) -> None:
    go_on = asyncio.Event()
    async with (
        ScriptedServer([head(), b"data: 1\n\n", go_on, b"data: 2\n\n", Do.HOLD]) as server,
        EventSource(server.url, read_timeout_s=TIMEOUT_S) as source,
    ):
        assert (await anext(source)).data == "1"
        await clock.advance(TIMEOUT_S * 2)
        go_on.set()
        assert (await anext(source)).data == "2"
        assert len(server.requests) == 1


async def test_a_request_without_an_answer_is_repeated(clock: Clock) -> None:
    changes: list[StateChange] = []
    waiting = asyncio.Event()

    def on_state(change: StateChange) -> None:
        changes.append(change)
        if change.state is ConnectionState.WAITING:
            waiting.set()

    async with (
        ScriptedServer([Do.HOLD], [head(), b"data: x\n\n", Do.HOLD]) as server,
        EventSource(server.url, read_timeout_s=TIMEOUT_S, on_state=on_state) as source,
    ):
        pending = asyncio.ensure_future(anext(source))
        await server.requested(1)
        await clock.advance(TIMEOUT_S + 1)
        await waiting.wait()
        await clock.advance(changes[1].delay_s or 0)
        assert (await pending).data == "x"
        await server.requests[0].disconnected.wait()
    assert [change.state.value for change in changes[:4]] == ["connecting", "waiting", "connecting", "open"]
    assert type(changes[1].error) is ReadTimeoutError


@pytest.mark.parametrize("in_body", [False, True])
async def test_silence_without_reconnection_raises(clock: Clock, in_body: bool) -> None:
    changes: list[StateChange] = []
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with (
        ScriptedServer([head(), b":\n", Do.HOLD] if in_body else [Do.HOLD]) as server,
        EventSource(
            server.url,
            read_timeout_s=TIMEOUT_S,
            reconnect=False,
            on_comment=heard.put_nowait,
            on_state=changes.append,
        ) as source,
    ):
        pending = asyncio.ensure_future(anext(source))
        await server.requested(1)
        if in_body:
            await heard.get()
        await clock.advance(TIMEOUT_S + 1)
        with pytest.raises(ReadTimeoutError) as caught:
            await pending
        assert isinstance(caught.value, ConnectionLostError)
        assert caught.value.kind == "read-timeout"
        assert changes[-1].state is ConnectionState.CLOSED
        assert changes[-1].error is caught.value
        await server.requests[0].disconnected.wait()

"""``SyncEventSource``: the same events, for code without an event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, get_type_hints

import httpx
import pytest
from leftovers import open_sockets
from scripted_server import Do, Script, ScriptedServer, head

from sseclient_cli import BadStatusError, ConnectionState, EventSource, StateChange, SyncEventSource, UsageError
from sseclient_cli.client.sync_source import SourceOptions

EVENT = b"data: a\n\n"
MANY = 20_000


@contextmanager
def serving(*scripts: Script) -> Iterator[ScriptedServer]:
    """Run a scripted server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ScriptedServer(*scripts)

    def done(coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    done(server.start())
    try:
        yield server
    finally:
        done(server.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    sockets, threads = open_sockets(), threading.active_count()
    yield
    assert (open_sockets(), threading.active_count()) == (sockets, threads)


def until(is_true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_events_of_several_connections_are_returned() -> None:
    states: list[str] = []
    with serving([head(), b"retry: 1\nid: 7\ndata: a\n\nid: 8\ndata: b\n\n"], [head(), b"data: c\n\n"]) as server:
        with SyncEventSource(server.url, on_state=lambda change: states.append(change.state.value)) as source:
            assert source.url == server.url
            assert [(event.data, source.last_event_id) for event in source] == [("a", "7"), ("b", "8"), ("c", "8")]
            assert list(source) == []
            assert (source.response_status, source.response_url) == (204, server.url)
        assert server.requests[1].header("last-event-id") == b"8"
    assert states[-1] == "closed"
    assert source.state is ConnectionState.CLOSED
    assert list(source) == []


def test_the_arguments_are_those_of_the_async_source_without_client() -> None:
    arguments = get_type_hints(EventSource.__init__)
    assert get_type_hints(SourceOptions) == {
        name: kind for name, kind in arguments.items() if name not in ("url", "client", "return")
    }
    options: Any = {"client": httpx.AsyncClient()}
    with pytest.raises(UsageError, match="client"):
        SyncEventSource("http://127.0.0.1:9/", **options)


def test_it_has_every_property_and_method_of_the_async_source() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(EventSource) - public(SyncEventSource) == {"aclose", "take_received", "take_received_events"}


def test_the_errors_are_those_of_the_async_source() -> None:
    with pytest.raises(UsageError, match="read_timeout_s"):
        SyncEventSource("http://127.0.0.1:9/", read_timeout_s=0)
    with serving([head(404, b"Content-Length: 0\r\n")]) as server, SyncEventSource(server.url) as source:
        with pytest.raises(BadStatusError):
            next(source)
        assert list(source) == []


def test_iteration_outside_of_the_context_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="with SyncEventSource"):
        next(SyncEventSource("http://127.0.0.1:9/"))


def test_comments_keep_their_place_also_with_a_coroutine_function() -> None:
    got: list[str] = []

    async def on_comment(text: str) -> None:
        await asyncio.sleep(0)
        got.append(text)

    script: Script = [head(), b":1\ndata: 2\n\n:3\ndata: 4\n\n", Do.HOLD]
    with serving(script) as server, SyncEventSource(server.url, on_comment=on_comment) as source:
        for event in source:
            got.append(event.data)
            if event.data == "4":
                break
    assert got == ["1", "2", "3", "4"]


def test_headers_may_be_a_coroutine_function() -> None:
    async def headers() -> dict[str, str]:
        return {"X-A": "1"}

    with serving([head(), EVENT, Do.HOLD]) as server, SyncEventSource(server.url, headers=headers) as source:
        next(source)
        assert server.requests[0].header("x-a") == b"1"


def test_a_slow_consumer_loses_nothing_and_slows_the_server_down() -> None:
    # More than fits into the socket buffers.
    pad = b"x" * 1000
    parts = [b"".join(b"id: %d\ndata: %b\n\n" % (n, pad) for n in range(i, i + 100)) for i in range(0, MANY, 100)]
    sent = asyncio.Event()

    class Noting(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield from super().__iter__()
            sent.set()

    with serving(Noting([head(), *parts])) as server, SyncEventSource(server.url, reconnect=False) as source:
        assert next(source).id == "0"
        time.sleep(0.3)
        assert not sent.is_set()
        assert [int(event.id) for event in source] == list(range(1, MANY))


@pytest.mark.parametrize("end", ["close", "exit"])
def test_another_thread_can_end_the_wait(end: str) -> None:
    with serving([head(), EVENT, Do.HOLD]) as server, ThreadPoolExecutor() as pool:
        source = SyncEventSource(server.url)
        source.__enter__()
        assert next(source).data == "a"
        waiting = pool.submit(list, source)
        time.sleep(0.1)
        assert not waiting.done()
        if end == "close":
            source.close()
        else:
            source.__exit__(None, None, None)
        assert waiting.result(20) == []
        source.__exit__(None, None, None)
        source.close()
        source.restart()


def test_a_close_between_two_received_events_ends_the_iteration() -> None:
    with serving([head() + EVENT * 9, Do.HOLD]) as server, SyncEventSource(server.url) as source:
        next(source)
        threading.Thread(target=source.close).start()
        until(lambda: source._is_closing)
        assert list(source) == []
        assert source.state is ConnectionState.CLOSED


def test_another_thread_can_restart_a_silent_connection() -> None:
    script: Script = [head(), EVENT, Do.HOLD]
    with serving(script, script) as server, SyncEventSource(server.url) as source, ThreadPoolExecutor() as pool:
        next(source)
        waiting = pool.submit(next, source)
        time.sleep(0.1)
        assert not waiting.done()
        source.restart()
        assert waiting.result(20).data == "a"


def test_several_threads_share_the_events() -> None:
    body = b"".join(b"id: %d\ndata: x\n\n" % number for number in range(2000))
    with (
        serving([head() + body]) as server,
        ThreadPoolExecutor() as pool,
        SyncEventSource(server.url, reconnect=False) as source,
    ):
        parts = [pool.submit(list, source) for _ in range(3)]
        ids = [int(event.id) for part in parts for event in part.result(20)]
    assert sorted(ids) == list(range(2000))


def test_a_close_in_a_handler_ends_the_iteration() -> None:
    got: list[str] = []

    def on_comment(text: str) -> None:
        got.append(text)
        source.close()

    script: Script = [head(), b":1\n:2\ndata: 3\n\n", Do.HOLD]
    with serving(script) as server, SyncEventSource(server.url, on_comment=on_comment) as source:
        assert list(source) == []
    assert got == ["1"]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_an_exception_of_a_state_handler_propagates(elsewhere: bool) -> None:
    def on_state(change: StateChange) -> None:
        if change.state is ConnectionState.CLOSED:
            raise ZeroDivisionError

    with serving([head(), EVENT, Do.HOLD]) as server, ThreadPoolExecutor() as pool:
        source = SyncEventSource(server.url, on_state=on_state)
        with pytest.raises(ZeroDivisionError), source:
            next(source)
            if elsewhere:
                waiting = pool.submit(next, source)
                time.sleep(0.1)
                source.close()
                assert isinstance(waiting.exception(20), ZeroDivisionError)
                raise waiting.exception(20) or AssertionError
    assert source.state is ConnectionState.CLOSED


async def test_use_in_a_thread_with_a_running_event_loop_is_a_usage_error() -> None:
    source = SyncEventSource("http://127.0.0.1:9/")
    with pytest.raises(UsageError, match="would block the event loop"):
        source.__enter__()
    with pytest.raises(UsageError, match="would block the event loop"):
        next(source)

    def first(url: str) -> str:
        with SyncEventSource(url) as source:
            return next(source).data

    async with ScriptedServer([head(), EVENT, Do.HOLD]) as server:
        assert await asyncio.to_thread(first, server.url) == "a"
        await server.deserted()


def test_a_handler_that_requests_the_next_event_raises_and_does_not_deadlock() -> None:
    def on_comment(_: str) -> None:
        next(source)

    script: Script = [head(), b":1\n\n", Do.HOLD]
    with (
        serving(script) as server,
        SyncEventSource(server.url, on_comment=on_comment) as source,
        pytest.raises(UsageError),
    ):
        next(source)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGALRM")
def test_a_signal_handler_may_close_the_source() -> None:
    with serving([head(), EVENT, Do.HOLD]) as server, SyncEventSource(server.url) as source:
        before = signal.signal(signal.SIGALRM, lambda *_: source.close())
        try:
            next(source)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            assert list(source) == []
        finally:
            signal.signal(signal.SIGALRM, before)


PROGRAM = """
import sys
from sseclient_cli import SyncEventSource

source = SyncEventSource(sys.argv[1])
try:
    with source:
        for event in source:
            print(event.data, flush=True)
except KeyboardInterrupt:
    print(source.state.value, flush=True)
"""


def test_ctrl_c_ends_the_program_without_a_traceback() -> None:
    with serving([head(), EVENT, Do.HOLD]) as server:
        command = [sys.executable, "-W", "error", "-c", PROGRAM, server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "a\n"
            time.sleep(0.2)  # the program waits for the next event
            os.kill(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("closed\n", "", 0)

"""What the type checker of a user sees of the public API. mypy reads this file; nothing runs it.

``# type: ignore`` stands where mypy must find an error: mypy's strict mode reports one that is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

import httpx

from sseclient_cli import (
    BadStatusError,
    ConnectionState,
    Event,
    EventSource,
    EventStreamParser,
    SseError,
    StateChange,
    SyncEventSource,
    Target,
    UnexpectedResponseError,
)


async def asynchronous(client: httpx.AsyncClient) -> None:
    async with EventSource("http://a/", json={"q": 1}, params={"a": 1}, client=client) as source:
        assert_type(source, EventSource)
        async for event in source:
            assert_type(event, Event)
        assert_type(await anext(source, None), Event | None)
        assert_type(source.restart(), None)
        assert_type(source.close(), None)
        assert_type(await source.aclose(), None)
    assert_type(source.url, str)
    assert_type(source.state, ConnectionState)
    assert_type(source.last_event_id, str)
    assert_type(source.response_status, int | None)
    assert_type(source.response_url, str | None)
    assert_type(source.response_headers, Mapping[str, str])
    assert_type(source.reconnection_time_s, float)
    assert_type(source.arrived_ns, int)


def synchronous() -> None:
    with SyncEventSource(Target.parse("http://a/"), reconnect=False, last_event_id="7") as source:
        assert_type(source, SyncEventSource)
        for event in source:
            assert_type(event, Event)
            assert_type((event.type, event.data, event.id, event.arrived_ns), tuple[str, str, str, int])
            assert_type(event.json(), Any)
        assert_type(next(source, None), Event | None)
        assert_type(source.restart(), None)
    assert_type(source.response_status, int | None)


async def fresh() -> dict[str, str]:
    return {}


def on_state(change: StateChange) -> None:
    assert_type(change.error, SseError | None)
    assert_type(change.delay_s, float | None)
    if isinstance(change.error, UnexpectedResponseError):
        assert_type(change.error.body, bytes)
        assert_type(change.error.status, int)


async def on_comment(text: str) -> None: ...


def accepted() -> None:
    EventSource("http://a/", headers={"a": "b", "c": None})
    EventSource("http://a/", headers={b"a": b"b"})
    EventSource("http://a/", headers=[("a", "b"), (b"c", b"d")])
    EventSource("http://a/", headers=lambda: {"a": "b"})
    EventSource("http://a/", headers=fresh, on_state=on_state, on_comment=on_comment, on_trace=print)
    SyncEventSource("http://a/", headers=fresh, on_state=on_state, on_comment=print, retry_statuses={503})
    BadStatusError("", status=404)


def refused(client: httpx.Client) -> None:
    EventSource("http://a/", client=client)  # type: ignore[arg-type]
    EventSource("http://a/", read_timeout_s="5")  # type: ignore[arg-type]
    EventSource("http://a/", timeout=5)  # type: ignore[call-arg]
    SyncEventSource("http://a/", client=client)  # type: ignore[call-arg]
    SyncEventSource("http://a/", last_event_id=7)  # type: ignore[arg-type]


def parser() -> None:
    parser = EventStreamParser()
    assert_type(parser.feed(b""), list[Event])
    assert_type(parser.feed(b"", 1_790_000_000_000_000_000), list[Event])
    assert_type(parser.reconnection_time_ms, int | None)

"""The types of the public API, as a user's type checker sees them. mypy reads this file; nothing runs it.

``# type: ignore`` stands where mypy must find an error: mypy's strict mode reports one that is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, assert_type

import httpx

from sseclient_cli import (
    BadStatusError,
    ConnectError,
    ConnectionLostError,
    ConnectionState,
    Event,
    EventSource,
    EventStreamParser,
    EventTooLargeError,
    InvalidResponseError,
    SseError,
    StateChange,
    StreamFormat,
    SyncEventSource,
    Target,
    UnexpectedResponseError,
    UsageError,
    WrongContentTypeError,
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
    assert_type(source.retry_s, float | None)
    assert_type(source.arrived_ns, int)
    assert_type(source.arrived_by_kernel, bool)
    assert_type(source.take_received(), Event | None)
    assert_type(source.take_received_events(), list[Event])


def other_formats() -> None:
    for stream_format in (StreamFormat.AUTO, StreamFormat.SSE, StreamFormat.NDJSON, StreamFormat.JSON):
        assert_type(Target.parse("http://a/", stream_format=stream_format), Target)
    assert_type(Target(url="http://a/", stream_format=StreamFormat.LINES).stream_format, StreamFormat)
    assert_type(Target(url="http://a/", stream_format=StreamFormat.CHUNKS).stream_format, StreamFormat)
    assert_type(Target.parse("ws://a/", stream_format=StreamFormat.WEBSOCKET).stream_format, StreamFormat)


def synchronous() -> None:
    with SyncEventSource(Target.parse("http://a/"), reconnect=False, last_event_id="7") as source:
        assert_type(source, SyncEventSource)
        for event in source:
            assert_type(event, Event)
            assert_type((event.type, event.data, event.id, event.arrived_ns), tuple[str, str, str, int])
            assert_type(event.json(), Any)
        assert_type(next(source, None), Event | None)
        assert_type(source.restart(), None)
        assert_type(source.close(), None)
    assert_type((source.url, source.last_event_id), tuple[str, str])
    assert_type(source.state, ConnectionState)
    assert_type(source.response_status, int | None)
    assert_type(source.response_url, str | None)
    assert_type(source.response_headers, Mapping[str, str])
    assert_type(source.reconnection_time_s, float)
    assert_type(source.retry_s, float | None)
    assert_type(source.arrived_ns, int)
    assert_type(source.arrived_by_kernel, bool)


def errors(
    narrow: ConnectError | ConnectionLostError | EventTooLargeError | InvalidResponseError | UsageError,
    response: BadStatusError | WrongContentTypeError,
) -> None:
    general: SseError = narrow
    assert_type(general.kind, str)
    assert_type(general.exit_code, int)
    unexpected: UnexpectedResponseError = response
    assert_type((unexpected.status, unexpected.body), tuple[int, bytes])


async def fresh() -> dict[str, str]:
    return {}


def on_state(change: StateChange) -> None:
    assert_type(change.error, SseError | None)
    assert_type(change.delay_s, float | None)
    assert_type((change.reason, change.diagnosis), tuple[str, str])
    assert_type(change.stop is None, bool)
    match change.state:
        case ConnectionState.CONNECTING | ConnectionState.OPEN | ConnectionState.WAITING:
            pass
        case other:
            assert_type(other, Literal[ConnectionState.CLOSED])
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
    assert_type(parser.finish(), list[Event])
    assert_type(parser.feed(b"", 1_790_000_000_000_000_000), list[Event])
    assert_type(parser.finish(), list[Event])
    assert_type(parser.reconnection_time_ms, int | None)
    assert_type(parser.last_event_id, str)
    assert_type((parser.comment_count, parser.held_bytes), tuple[int, int])
    assert_type((parser.ends_with_event, parser.has_unfinished_event), tuple[bool, bool])

"""Arguments of ``EventSource`` and their effect on the wire."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from scripted_server import SSE, Do, ScriptedServer, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import BadStatusError, ConnectError, ConnectionLostError, UsageError
from sseclient_cli.sse.event_stream import Event

SOON = b"retry: 1\n\n"
EVENT = b"data: x\n\n"


async def events_of(source: EventSource) -> list[Event]:
    async with source:
        return [event async for event in source]


async def handler(_: object) -> None: ...


class Asynchronous:
    async def __call__(self, _: object) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"read_timeout_s": 0}, "read_timeout_s must be a number of seconds above 0"),
        ({"read_timeout_s": -1.0}, "read_timeout_s"),
        ({"read_timeout_s": math.nan}, "read_timeout_s"),
        ({"read_timeout_s": "5"}, "read_timeout_s"),
        ({"read_timeout_s": True}, "read_timeout_s"),
        ({"reconnection_time_s": math.inf}, "reconnection_time_s"),
        ({"reconnection_time_s": -1}, "reconnection_time_s"),
        ({"max_backoff_s": -1}, "max_backoff_s must be a number of seconds, 0 or more, not -1"),
        ({"max_backoff_s": math.nan}, "max_backoff_s"),
        ({"reconnect": "yes"}, "reconnect must be True, False, or None"),
        ({"retry_statuses": 503}, "retry_statuses must be a collection of numbers"),
        ({"retry_statuses": "503"}, "retry_statuses must be a collection of numbers"),
        ({"method": 7}, "method must be a str, not int"),
        ({"on_comment": 1}, "on_comment must be a function"),
        ({"on_state": Asynchronous()}, "on_state is never awaited"),
        ({"max_event_bytes": -1}, "max_event_bytes"),
        ({"max_event_bytes": 1.5}, "max_event_bytes"),
        ({"max_reconnects": -1}, "max_reconnects"),
        ({"last_event_id": 7}, "last_event_id must be a str, not 7"),
        ({"last_event_id": "a\nb"}, "last_event_id must not contain a line end"),
        ({"on_state": handler}, "on_state is never awaited"),
        ({"on_trace": 1}, "on_trace must be a function"),
        ({"headers": {"a b": "x"}}, "headers: 'a b' is not a valid header name"),
        ({"headers": {"a:b": "x"}}, "headers: 'a:b' is not a valid header name"),
        ({"headers": {"a": "x\ny"}}, "control character"),
        ({"headers": {"a": 1}}, "headers: 'a' must be a str or bytes, not int"),
        ({"headers": {"a": b"\xff"}}, "not UTF-8"),
        ({"headers": ["a: b"]}, "headers must be a mapping, or pairs"),
        ({"body": {"a": 1}}, "body must be bytes or a str, not dict: use json for other objects"),
        ({"body": "x", "json": {}}, "body and json cannot be used together"),
        ({"json": {"a": math.nan}}, "json cannot be encoded as JSON"),
        ({"json": {"a": object()}}, "json cannot be encoded as JSON"),
        ({"params": 7}, "params must be a mapping"),
    ],
)
def test_an_invalid_argument_raises_at_the_call(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        EventSource("http://127.0.0.1:9/", **arguments)
    assert words in str(caught.value)
    assert "--" not in str(caught.value)  # no command-line option in a message of the library


@pytest.mark.parametrize(
    "headers",
    [
        {b"X-A": b"1", b"X-B": "\u00e4".encode()},
        [("X-A", "1"), (b"X-B", "\u00e4"), ("X-C", None)],
        lambda: {"X-A": "1", "X-B": "\u00e4"},
    ],
)
async def test_headers_are_bytes_or_text_a_mapping_or_pairs_or_a_function(headers: Any) -> None:
    async with ScriptedServer() as server:
        await events_of(EventSource(server.url, headers=headers))
        request = server.requests[0]
    assert (request.header("x-a"), request.header("x-b")) == (b"1", "\u00e4".encode())
    assert request.header("x-c") is None


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_function_returns_new_headers_for_each_connection(is_async: bool) -> None:
    tokens = iter(["first", "second", "third"])

    def fresh() -> dict[str, str]:
        return {"Authorization": f"Bearer {next(tokens)}", "Accept": "x/y"}

    async def fresh_later() -> dict[str, str]:
        await asyncio.sleep(0)
        return fresh()

    async with ScriptedServer([head(), SOON], [head(), SOON]) as server:
        await events_of(EventSource(server.url, headers=fresh_later if is_async else fresh))
        seen = [request.header("authorization") for request in server.requests]
        assert seen == [b"Bearer first", b"Bearer second", b"Bearer third"]
        assert {request.header("accept") for request in server.requests} == {b"x/y"}


async def test_an_exception_of_the_function_propagates_and_closes_the_source() -> None:
    def fail() -> dict[str, str]:
        raise KeyError("no token")

    source = EventSource("http://127.0.0.1:9/", headers=fail)
    with pytest.raises(KeyError):
        await events_of(source)
    assert source.state is ConnectionState.CLOSED


async def test_json_and_params_are_sent() -> None:
    async with ScriptedServer() as server:
        url = f"{server.url}/a?b=%20c#fragment"
        await events_of(EventSource(url, json={"q": "\u00e4"}, params={"d": "e f", "g": 1}))
        request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/a?b=%20c&d=e+f&g=1")
    assert request.body == '{"q": "\u00e4"}'.encode()
    assert request.header("content-type") == b"application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_only_get_and_head_are_repeated_by_default(method: str) -> None:
    async with ScriptedServer([head(), SOON + EVENT], [head(), SOON + EVENT]) as server:
        assert len(await events_of(EventSource(server.url, method=method))) == 1
        assert len(server.requests) == 1
        assert len(await events_of(EventSource(server.url, method=method, reconnect=True))) == 1


async def test_a_post_whose_connection_breaks_raises() -> None:
    async with ScriptedServer([head(), EVENT, 0.1, Do.RESET]) as server:
        with pytest.raises(ConnectionLostError):
            await events_of(EventSource(server.url, json={}))


async def test_a_post_is_repeated_after_a_retry_status() -> None:
    async with ScriptedServer([head(503, b"Content-Length: 0\r\n")], [head(), EVENT]) as server:
        source = EventSource(server.url, json={}, retry_statuses={503}, reconnection_time_s=0)
        assert [event.data for event in await events_of(source)] == ["x"]
        assert len(server.requests) == 2


async def test_max_reconnects_limits_consecutive_reconnections_without_an_event() -> None:
    script = [head(), SOON]
    async with ScriptedServer(script, [head(), SOON + EVENT], script, script, script) as server:
        source = EventSource(server.url, max_reconnects=2)
        assert len(await events_of(source)) == 1
        # Two more are allowed after the event: the third and the fourth request.
        assert len(server.requests) == 4


async def test_max_reconnects_limits_failed_attempts() -> None:
    changes: list[StateChange] = []
    async with ScriptedServer() as server:
        server.refuse()
        source = EventSource(server.url, max_reconnects=2, reconnection_time_s=0.01, on_state=changes.append)
        with pytest.raises(ConnectError):
            await events_of(source)
    assert [change.state for change in changes].count(ConnectionState.WAITING) == 2


async def test_the_reconnection_time_is_the_argument_until_the_stream_sets_one() -> None:
    delays_s = []
    async with ScriptedServer([head(), EVENT], [head(), b"retry: 20\n\n" + EVENT]) as server:
        source = EventSource(
            server.url, reconnection_time_s=0.05, on_state=lambda change: delays_s.append(change.delay_s)
        )
        assert source.reconnection_time_s == 0.05
        await events_of(source)
    assert source.reconnection_time_s == 0.02
    assert [delay_s for delay_s in delays_s if delay_s is not None] == [0.05, 0.02]


async def test_status_and_url_belong_to_the_response_after_redirects() -> None:
    async with ScriptedServer([head(307, b"Location: /b\r\n")], [head(), EVENT, Do.HOLD]) as server:
        source = EventSource(f"{server.url}/a")
        assert (source.response_status, source.response_url) == (None, None)
        async with source:
            await anext(source)
            assert (source.response_status, source.response_url) == (200, f"{server.url}/b")
            assert source.url == f"{server.url}/a"


async def test_the_body_of_an_error_is_the_start_of_the_responses_body() -> None:
    async with ScriptedServer([head(500, b""), b"x" * 10_000]) as server:
        with pytest.raises(BadStatusError) as caught:
            await events_of(EventSource(server.url))
    assert caught.value.body == b"x" * 4096


async def test_a_state_change_explains_why_a_body_had_no_event() -> None:
    changes: list[StateChange] = []
    async with ScriptedServer([head(headers=SSE), b"data: x\n"]) as server:
        await events_of(EventSource(server.url, reconnect=False, on_state=changes.append))
    assert changes[-1].diagnosis == "8 bytes received but no event: no blank line ends the event"


def test_json_parses_the_data() -> None:
    assert Event("message", '{"a": [1]}', "").json() == {"a": [1]}
    with pytest.raises(ValueError, match="Expecting value"):
        Event("message", "no", "").json()

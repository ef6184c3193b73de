"""An ``EventSource`` of newline-delimited JSON, lines and chunks, with a real server."""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import LAST_CHUNK, Do, Script, ScriptedServer, chunk, head

from sseclient_cli.client import connection as client_connection
from sseclient_cli.client.preflight import preflight
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import ConnectionLostError, EventTooLargeError, WrongContentTypeError
from sseclient_cli.request.target import Target
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.stream_format import StreamFormat

NDJSON = b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
TEXT = b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"


def target(server: ScriptedServer, stream_format: StreamFormat = StreamFormat.AUTO) -> Target:
    return Target(url=server.url, stream_format=stream_format)


async def events_of(source: EventSource) -> list[Event]:
    async with source:
        return [event async for event in source]


async def test_ndjson_ends_with_the_body_and_its_last_record_needs_no_line_end() -> None:
    body = [chunk(b'{"a":1}\r\n\n{"b"'), chunk(b":2}\n3"), LAST_CHUNK]
    async with ScriptedServer([head(headers=NDJSON), *body]) as server:
        source = EventSource(target(server))
        assert await events_of(source) == [Event("message", data, "") for data in ('{"a":1}', '{"b":2}', "3")]
        assert (source.state, len(server.requests)) == (ConnectionState.CLOSED, 1)


async def test_a_body_without_length_ends_with_its_connection() -> None:
    async with ScriptedServer([head(headers=b"Content-Type: text/plain\r\n"), b"a\n\nb"]) as server:
        assert [event.data for event in await events_of(EventSource(target(server)))] == ["a", "", "b"]


async def test_lines_reconnect_on_request_with_the_last_event_id_of_the_caller() -> None:
    script: Script = [head(headers=TEXT), chunk(b"a\nb"), LAST_CHUNK]
    async with ScriptedServer(script, script) as server:
        source = EventSource(target(server), reconnect=True, reconnection_time_s=0.01, last_event_id="5")
        events = await events_of(source)  # status 204 ends it
        assert [(event.data, event.id) for event in events] == [("a", "5"), ("b", "5")] * 2
        assert [request.header("last-event-id") for request in server.requests] == [b"5"] * 3


async def test_a_cut_body_raises_after_its_complete_lines_and_without_a_reconnection() -> None:
    changes: list[StateChange] = []
    async with ScriptedServer([head(headers=NDJSON), chunk(b"1\n2")], []) as server:
        async with EventSource(target(server), on_state=changes.append) as source:
            assert (await anext(source)).data == "1"
            with pytest.raises(ConnectionLostError):
                await anext(source)
        assert len(server.requests) == 1
    assert changes[-1].diagnosis == "the stream was cut inside an event, which is dropped"


async def test_a_restart_drops_the_start_of_a_line() -> None:
    async with (
        ScriptedServer([head(headers=TEXT), chunk(b"a\nb"), Do.HOLD], [head(headers=TEXT), chunk(b"c\n")]) as server,
        EventSource(target(server)) as source,
    ):
        assert (await anext(source)).data == "a"
        asyncio.get_running_loop().call_later(0.05, source.restart)
        assert (await anext(source)).data == "c"


async def test_chunks_are_events_as_they_are_read() -> None:
    written = asyncio.Event()
    whole = "data: a\n\n€".encode()
    async with ScriptedServer([head(headers=TEXT), chunk(whole[:-1]), written, chunk(whole[-1:])]) as server:
        source = EventSource(target(server, StreamFormat.CHUNKS))
        async with source:
            assert (await anext(source)).data == "data: a\n\n"
            written.set()
            assert (await anext(source)).data == "€"


async def test_chunks_of_http_in_one_read_are_one_event() -> None:
    async with ScriptedServer([head(headers=TEXT) + chunk(b"a") + chunk(b"b") + LAST_CHUNK]) as server:
        events = await events_of(EventSource(target(server, StreamFormat.CHUNKS)))
        assert [event.data for event in events] == ["ab"]


@pytest.mark.parametrize("stream_format", [StreamFormat.LINES, StreamFormat.NDJSON, StreamFormat.CHUNKS])
async def test_a_given_format_accepts_any_content_type(stream_format: StreamFormat) -> None:
    async with ScriptedServer([head(), b"data: x\n"]) as server:
        [event] = await events_of(EventSource(target(server, stream_format)))
        assert event.data.rstrip("\n") == "data: x"
        assert server.requests[0].header("accept") != b"text/event-stream"


async def test_text_that_begins_as_an_event_stream_is_refused_like_another_content_type() -> None:
    script: Script = [head(headers=TEXT), 0.05, chunk(b"da"), 0.05, chunk(b"ta: x\n\n"), Do.HOLD]
    async with ScriptedServer(script, script) as server:
        with pytest.raises(WrongContentTypeError) as refused:
            await events_of(EventSource(target(server)))
        assert (refused.value.status, refused.value.body[:6]) == (200, b"data: ")
        with pytest.raises(WrongContentTypeError, match="the server says: data: x"):
            await preflight(target(server))


async def test_the_request_before_a_run_accepts_lines_and_waits_for_the_first_a_limited_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_connection, "ERROR_BODY_TIMEOUT_S", 0.2)
    lines: Script = [head(headers=TEXT), chunk(b"12:00 up\n"), Do.HOLD]
    silent: Script = [head(headers=TEXT), Do.HOLD]
    async with ScriptedServer(lines, silent) as server:
        assert (await preflight(target(server))).status == 200
        assert (await preflight(target(server))).status == 200


async def test_by_default_other_formats_are_refused_as_by_a_browser() -> None:
    async with ScriptedServer([head(headers=NDJSON), chunk(b"{}\n"), LAST_CHUNK]) as server:
        with pytest.raises(WrongContentTypeError, match="newline-delimited JSON"):
            await events_of(EventSource(server.url))


async def test_a_line_beyond_the_limit_raises_also_at_the_end_and_with_a_comment_handler() -> None:
    script = [head(headers=TEXT), chunk(b"abc\nabcde"), LAST_CHUNK]
    async with ScriptedServer(script) as server:
        source = EventSource(target(server), max_event_bytes=4, on_comment=lambda _: None)
        async with source:
            assert (await anext(source)).data == "abc"
            with pytest.raises(EventTooLargeError):
                await anext(source)

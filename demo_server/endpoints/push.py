"""The ways to push events from FastAPI, side by side: the same events, the same parameters, and when to use which.

All hold what they need inside of a ``with``, and so let go of it however the stream ends: its count is reached, the
client has left, or the server goes down. docs/demo-server.md says what each way costs. One more is in load.py: a plain
ASGI application, without FastAPI.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

import fastapi.sse
import sse_starlette
from fastapi import APIRouter, Depends, Request, WebSocket, WebSocketDisconnect
from starlette.responses import PlainTextResponse, StreamingResponse

from demo_server.streams.parameters import LastEventId, Push, PushParameters, next_seq
from demo_server.streams.stream import EVENTS_PER_TURN, SEND_TIMEOUT_S, Notice, Stream, opened

GOING_AWAY = 1001  # RFC 6455, section 7.4.1: "such as a server going down"

ways = APIRouter(tags=["ways to push"])


EVENT_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}
NDJSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {}}}}
UPGRADE: dict[int | str, dict[str, Any]] = {426: {"description": "Not a WebSocket's request."}}


@ways.get(
    "/stream",
    summary="Events, by sse-starlette",
    response_class=sse_starlette.EventSourceResponse,
    responses=EVENT_STREAM,
)
async def stream(request: Request, push: Push, last_event_id: LastEventId = None) -> sse_starlette.EventSourceResponse:
    """Events by sse-starlette's EventSourceResponse."""
    # When to use it: browsers are to get events from FastAPI. It pings, sees a client leave, and hangs up on one that
    # does not read.
    first_seq = next_seq(last_event_id)

    async def events() -> AsyncIterator[sse_starlette.ServerSentEvent]:
        with opened(request) as stream:
            async for tick in stream.ticks(first_seq, push.count, push.interval_s):
                if isinstance(tick, Notice):
                    yield sse_starlette.ServerSentEvent(comment=tick.value)
                    continue
                # Not for each event: it costs twice what an event does, and sse-starlette, which looks for itself, ends
                # what waits. Ask before a step that is dear (a query, say), and now and then where nothing ever waits.
                if tick % EVENTS_PER_TURN == 0 and await request.is_disconnected():
                    return
                data, retry = json.dumps(content(tick, push)), push.retry if tick == first_seq else None
                yield sse_starlette.ServerSentEvent(data, id=str(tick), event=push.event, retry=retry)
                stream.count_event()  # back from the yield: it has been sent

    return sse_starlette.EventSourceResponse(events(), ping=push.heartbeat, send_timeout=SEND_TIMEOUT_S)


async def native_stream(request: Request, push: Push) -> AsyncIterator[tuple[Stream, PushParameters]]:
    """Hold the stream of /native."""
    # A dependency, which FastAPI lets go of with the response. The generator below it does not close: it lies half-way,
    # with all that it holds, until the garbage collector comes by.
    with opened(request) as stream:
        yield stream, push


@ways.get("/native", summary="Events, by FastAPI itself", response_class=fastapi.sse.EventSourceResponse)
async def native(
    held: Annotated[tuple[Stream, PushParameters], Depends(native_stream)], last_event_id: LastEventId = None
) -> AsyncIterable[fastapi.sse.ServerSentEvent]:
    """Events by FastAPI's own fastapi.sse."""
    # When to use it: as /stream, without another dependency and with the types of the events in the OpenAPI schema.
    # Each event passes two queues and is encoded by FastAPI's rules: the dearest way, by far.
    # After 15 silent seconds it pings by itself, whatever `heartbeat` says.
    stream, push = held
    first_seq = next_seq(last_event_id)
    async for tick in stream.ticks(first_seq, push.count, push.interval_s, push.heartbeat):
        if isinstance(tick, Notice):
            yield fastapi.sse.ServerSentEvent(comment=tick.value)
            continue
        retry = push.retry if tick == first_seq else None
        yield fastapi.sse.ServerSentEvent(data=content(tick, push), id=str(tick), event=push.event, retry=retry)
        stream.count_event()  # handed over, to be exact: up to two are still in FastAPI's queues


@ways.get("/streaming-response", summary="Lines of text", response_class=StreamingResponse, responses=TEXT)
async def streaming_response(request: Request, push: Push) -> StreamingResponse:
    """Lines of plain text, as they come, by Starlette's StreamingResponse; not an event stream."""
    # When to use it: a program reads it once from start to end (a log, an export). There are no types, ids or
    # reconnection, and a browser's EventSource refuses it.

    async def lines() -> AsyncIterator[str]:
        with opened(request) as stream:
            if push.retry is not None:
                yield f"retry {push.retry}\n"
            async for tick in stream.ticks(1, push.count, push.interval_s, push.heartbeat):
                if isinstance(tick, Notice):
                    yield f"{tick.value}\n"
                    continue
                yield f"{push.event or 'data'} {tick}{' ' * bool(push.size)}{'x' * push.size}\n"
                stream.count_event()

    return StreamingResponse(lines(), media_type="text/plain")


@ways.get("/ndjson", summary="Lines of JSON", response_class=StreamingResponse, responses=NDJSON)
async def ndjson(request: Request, push: Push) -> StreamingResponse:
    """One JSON object per line, by Starlette's StreamingResponse; not an event stream."""
    # When to use it: programs exchange records, and each line is to be parsed alone. The reader must reconnect, and
    # say where it was, by itself.

    async def lines() -> AsyncIterator[str]:
        with opened(request) as stream:
            async for message in messages(stream, push):
                yield json.dumps(message) + "\n"
                if "seq" in message:
                    stream.count_event()

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@ways.websocket("/ws")
async def ws(websocket: WebSocket, push: Push) -> None:
    """Send the objects of /ndjson as messages."""
    # When to use it: the client has much to say, too. Otherwise an event stream does the same over plain HTTP, and
    # reconnects by itself with the id of the last event; here that is the page's work.
    await websocket.accept()
    # WebSocketDisconnect: the send's word for a client that has left.
    with opened(websocket, websocket.receive) as stream, suppress(WebSocketDisconnect):
        async for message in messages(stream, push):
            await websocket.send_json(message)
            if "seq" in message:
                stream.count_event()
        if stream.is_farewell:
            await websocket.close(GOING_AWAY, Notice.FAREWELL.value)
        elif not stream.ended:
            await websocket.close()


@ways.get(
    "/ws", summary="JSON messages, by WebSocket", status_code=426, response_class=PlainTextResponse, responses=UPGRADE
)
async def ws_without_upgrade() -> PlainTextResponse:
    """Use a WebSocket client: the objects of /ndjson as messages, with the same parameters as every other way."""
    text = "this is a WebSocket endpoint: connect with ws://\n"
    return PlainTextResponse(text, status_code=426, headers={"Upgrade": "websocket", "Connection": "Upgrade"})


async def messages(stream: Stream, push: PushParameters) -> AsyncIterator[dict[str, int | str]]:
    """Yield what /ndjson and /ws send: events, and what an event stream would say in comments and fields."""
    if push.retry is not None:
        yield {"retry": push.retry}
    async for tick in stream.ticks(1, push.count, push.interval_s, push.heartbeat):
        if isinstance(tick, Notice):
            yield {"comment": tick.value}
        else:
            yield content(tick, push) if push.event is None else {"event": push.event, **content(tick, push)}


def content(seq: int, push: PushParameters) -> dict[str, int | str]:
    """Return what an event says: its number, the time in ns since 1970 and, if asked for, padding."""
    data: dict[str, int | str] = {"seq": seq, "ts": time.time_ns()}
    if push.size:
        data["pad"] = "x" * push.size
    return data

"""Push endpoints with FastAPI and Starlette, to compare: the same events, the same parameters, and when to use each.

Each holds its resources in a ``with`` block, which releases them however the stream ends: after `count` events, when
the client disconnects, or at shutdown. docs/demo-server.md has the cost of each. One more push endpoint is in load.py:
a plain ASGI application without FastAPI.
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
from demo_server.streams.registry import open_stream
from demo_server.streams.stream import EVENTS_PER_TURN, SEND_TIMEOUT_S, Notice, Stream

GOING_AWAY = 1001  # RFC 6455, section 7.4.1: "such as a server going down"

TAG = "push endpoints"

router = APIRouter(tags=[TAG])


EVENT_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}
NDJSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {}}}}
UPGRADE: dict[int | str, dict[str, Any]] = {426: {"description": "Not a WebSocket request."}}


@router.get(
    "/stream",
    summary="Events with sse-starlette",
    response_class=sse_starlette.EventSourceResponse,
    responses=EVENT_STREAM,
)
async def stream(request: Request, push: Push, last_event_id: LastEventId = None) -> sse_starlette.EventSourceResponse:
    """Send events with sse-starlette's EventSourceResponse."""
    # Use it to send events from FastAPI to browsers. It sends pings, notices disconnects and has a send timeout.
    first_seq = next_seq(last_event_id)

    async def events() -> AsyncIterator[sse_starlette.ServerSentEvent]:
        with open_stream(request) as stream:
            async for tick in stream.ticks(first_seq, push.count, push.interval_s):
                if isinstance(tick, Notice):
                    yield sse_starlette.ServerSentEvent(comment=tick.value)
                    continue
                # Not for each event: the check costs twice as much as an event, and sse-starlette cancels a waiting
                # generator by itself. Check before an expensive step such as a query, and in loops that never wait.
                if tick % EVENTS_PER_TURN == 0 and await request.is_disconnected():
                    return
                data, retry = json.dumps(content(tick, push)), push.retry if tick == first_seq else None
                yield sse_starlette.ServerSentEvent(data, id=str(tick), event=push.event, retry=retry)
                stream.count_event()  # the generator continues after the event was sent

    return sse_starlette.EventSourceResponse(events(), ping=push.heartbeat, send_timeout=SEND_TIMEOUT_S)


async def native_stream(request: Request, push: Push) -> AsyncIterator[tuple[Stream, PushParameters]]:
    """Hold the stream of /native."""
    # A dependency, because FastAPI closes it with the response. It does not close the generator of the events, which
    # would hold its resources until the garbage collector runs.
    with open_stream(request) as stream:
        yield stream, push


@router.get("/native", summary="Events with fastapi.sse", response_class=fastapi.sse.EventSourceResponse)
async def native(
    held: Annotated[tuple[Stream, PushParameters], Depends(native_stream)], last_event_id: LastEventId = None
) -> AsyncIterable[fastapi.sse.ServerSentEvent]:
    """Send events with FastAPI's own fastapi.sse."""
    # Use it like /stream, without another dependency and with the types of the events in the OpenAPI schema. It is by
    # far the most expensive: each event passes two queues and FastAPI's encoder.
    # FastAPI sends a ping after 15 s of silence, independently of `heartbeat`.
    stream, push = held
    first_seq = next_seq(last_event_id)
    async for tick in stream.ticks(first_seq, push.count, push.interval_s, push.heartbeat):
        if isinstance(tick, Notice):
            yield fastapi.sse.ServerSentEvent(comment=tick.value)
            continue
        retry = push.retry if tick == first_seq else None
        yield fastapi.sse.ServerSentEvent(data=content(tick, push), id=str(tick), event=push.event, retry=retry)
        stream.count_event()  # at this point, up to two events are still in FastAPI's queues


@router.get("/streaming-response", summary="Lines of text", response_class=StreamingResponse, responses=TEXT)
async def streaming_response(request: Request, push: Push) -> StreamingResponse:
    """Send lines of plain text with Starlette's StreamingResponse; not an event stream."""
    # Use it for text that a program reads once, such as a log or an export. It has no event types, ids or
    # reconnection, and EventSource refuses it.

    async def lines() -> AsyncIterator[str]:
        with open_stream(request) as stream:
            if push.retry is not None:
                yield f"retry {push.retry}\n"
            async for tick in stream.ticks(1, push.count, push.interval_s, push.heartbeat):
                if isinstance(tick, Notice):
                    yield f"{tick.value}\n"
                    continue
                yield f"{push.event or 'data'} {tick}{' ' * bool(push.size)}{'x' * push.size}\n"
                stream.count_event()

    return StreamingResponse(lines(), media_type="text/plain")


@router.get("/ndjson", summary="Lines of JSON", response_class=StreamingResponse, responses=NDJSON)
async def ndjson(request: Request, push: Push) -> StreamingResponse:
    """Send one JSON object per line with Starlette's StreamingResponse; not an event stream."""
    # Use it for records between programs, which parse each line separately. The client must reconnect, and tell the
    # server where to continue, by itself.

    async def lines() -> AsyncIterator[str]:
        with open_stream(request) as stream:
            async for message in messages(stream, push):
                yield json.dumps(message) + "\n"
                if "seq" in message:
                    stream.count_event()

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.websocket("/ws")
async def ws(websocket: WebSocket, push: Push) -> None:
    """Send the objects of /ndjson as messages."""
    # Use it if the client also sends a lot. Otherwise an event stream is simpler: plain HTTP, and clients reconnect
    # with the last event id by themselves.
    await websocket.accept()
    # Starlette's send raises WebSocketDisconnect when the client has disconnected.
    with open_stream(websocket, websocket.receive) as stream, suppress(WebSocketDisconnect):
        async for message in messages(stream, push):
            await websocket.send_json(message)
            if "seq" in message:
                stream.count_event()
        if stream.is_shutdown:
            await websocket.close(GOING_AWAY, Notice.SHUTDOWN.value)
        elif not stream.ended:
            await websocket.close()


@router.get(
    "/ws",
    summary="JSON messages over WebSocket",
    status_code=426,
    response_class=PlainTextResponse,
    responses=UPGRADE,
)
async def ws_without_upgrade() -> PlainTextResponse:
    """Send the objects of /ndjson as WebSocket messages, with the parameters of all push endpoints."""
    text = "this is a WebSocket endpoint: connect with ws://\n"
    return PlainTextResponse(text, status_code=426, headers={"Upgrade": "websocket", "Connection": "Upgrade"})


async def messages(stream: Stream, push: PushParameters) -> AsyncIterator[dict[str, int | str]]:
    """Yield the objects of /ndjson and /ws: events, comments and retry."""
    if push.retry is not None:
        yield {"retry": push.retry}
    async for tick in stream.ticks(1, push.count, push.interval_s, push.heartbeat):
        if isinstance(tick, Notice):
            yield {"comment": tick.value}
        else:
            yield content(tick, push) if push.event is None else {"event": push.event, **content(tick, push)}


def content(seq: int, push: PushParameters) -> dict[str, int | str]:
    """Return the data of an event: its number, the time in ns since 1970 and, if requested, padding."""
    data: dict[str, int | str] = {"seq": seq, "ts": time.time_ns()}
    if push.size:
        data["pad"] = "x" * push.size
    return data

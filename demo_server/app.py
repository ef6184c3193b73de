"""The ASGI application: three ways to stream, and two endpoints about the server itself."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict
from itertools import count, islice
from typing import Annotated

from fastapi import FastAPI, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import AppStatus
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo_server.load import LoadApp
from demo_server.page import add_page
from demo_server.parameters import EventParameters, LineParameters, next_seq
from demo_server.streams import TRANSPORT_EXTENSION, Streams

# Proxies commonly drop a connection after 30 to 60 silent seconds.
PING_INTERVAL_S = 15
# Without one, a client that stops reading holds its generator, and whatever that has open, for ever.
SEND_TIMEOUT_S = 5.0


def create_app(streams: Streams) -> ASGIApp:
    """Return the application with all endpoints."""
    # At shutdown sse-starlette would cancel responses, even in the middle of their last chunk. Ours end by
    # themselves (streams.py).
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
    api = create_api(streams)
    load = LoadApp(streams)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Not `api.mount`: FastAPI's middleware would put itself between an event's timestamp and its socket.
        is_load = scope["type"] == "http" and scope["path"] == "/load"
        await (load if is_load else api)(scope, receive, send)

    return app


def create_api(streams: Streams) -> FastAPI:
    """Return the endpoints that FastAPI routes."""
    api = FastAPI(title="sse demo server", description="Also `/load?rate=10&size=0&count=`: outside of FastAPI.")

    @api.get("/stream")
    async def stream(
        request: Request,
        parameters: Annotated[EventParameters, Query()],
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventSourceResponse:
        """Events with an id, a sequence number and a timestamp; goes on after Last-Event-ID."""
        # The way to stream events to browsers from FastAPI: pings, disconnects and encoding are taken care
        # of. load.py says when its cost per event is too much.
        return PatientEventSourceResponse(
            generate_events(request, streams, parameters, next_seq(last_event_id)), ping=PING_INTERVAL_S
        )

    @api.get("/streaming-response")
    async def streaming_response(request: Request, parameters: Annotated[LineParameters, Query()]) -> StreamingResponse:
        """Lines of plain text, as they come; not an event stream."""
        # For what a program reads once from start to end (a log, an export, NDJSON). There are no event
        # types, no ids, no pings and no reconnection: a browser's EventSource refuses it.
        return StreamingResponse(generate_lines(request, streams, parameters), media_type="text/plain")

    @api.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the server answers."""
        return {"status": "ok"}

    @api.get("/stats")
    async def stats() -> dict[str, int]:
        """Count the streams and events of /stream, /streaming-response and /load since the start."""
        return asdict(streams.stats)

    add_page(api)
    return api


async def generate_events(
    request: Request, streams: Streams, parameters: EventParameters, first_seq: int
) -> AsyncGenerator[ServerSentEvent, None]:
    """Yield one event per interval."""
    deadline_s = asyncio.get_running_loop().time()
    with streams.open(request.scope) as stream:
        for seq in islice(count(first_seq), parameters.count):
            await stream.sleep_until(deadline_s)
            if stream.ended or await request.is_disconnected():
                return
            data: dict[str, int | str] = {"seq": seq, "ts": time.time_ns()}
            if parameters.size:
                data["pad"] = "x" * parameters.size
            yield ServerSentEvent(json.dumps(data), id=str(seq), event=parameters.event)
            stream.count_event()  # back from the yield: it has been sent
            deadline_s += parameters.interval


async def generate_lines(request: Request, streams: Streams, parameters: LineParameters) -> AsyncGenerator[str, None]:
    """Yield one line per interval."""
    deadline_s = asyncio.get_running_loop().time()
    with streams.open(request.scope) as stream:
        for number in islice(count(), parameters.count):
            await stream.sleep_until(deadline_s)
            if stream.ended:
                return
            yield f"data {number}\n"
            stream.count_event()
            deadline_s += parameters.interval


class PatientEventSourceResponse(EventSourceResponse):
    """Hangs up on a client that has not taken what was sent within SEND_TIMEOUT_S.

    sse-starlette's own `send_timeout` raises through the application, and leaves the last chunk out.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the generator ends, the client leaves or a send takes too long."""
        transport = scope["extensions"][TRANSPORT_EXTENSION]
        loop = asyncio.get_running_loop()

        async def send_or_hang_up(message: Message) -> None:
            timer = loop.call_later(SEND_TIMEOUT_S, transport.abort)
            try:
                await send(message)  # returns after an abort, too: to uvicorn, the client has left
            finally:
                timer.cancel()

        await super().__call__(scope, receive, send_or_hang_up)

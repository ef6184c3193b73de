"""``/load``: the cheapest event stream in Python, for load tests.

A plain ASGI application: no routing, no middleware and no response class between an event and the server's ``send``. It
pays off when thousands of streams share a process. For hundreds, ``/stream`` is easier to maintain.

The ``ts`` of an event is taken directly before its bytes go to the kernel, never before a wait. An event is counted
when the kernel has taken all of it.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from demo_server.endpoints.push import EVENT_STREAM, TAG
from demo_server.middleware.access_log import logged
from demo_server.options import AccessLog
from demo_server.streams.encoding import comment, event_encoder, retry_field
from demo_server.streams.messages import DRAIN, END, body, head
from demo_server.streams.parameters import LastEventId, LoadParameters, error_response, next_seq
from demo_server.streams.registry import Streams
from demo_server.streams.stream import Notice, Stream

router = APIRouter(tags=[TAG])


@router.get("/load", summary="Events with plain ASGI", response_class=Response, responses=EVENT_STREAM)
async def load(parameters: Annotated[LoadParameters, Query()], last_event_id: LastEventId = None) -> None:
    """Send events from a plain ASGI application outside FastAPI, at the lowest cost."""
    raise NotImplementedError("only for the OpenAPI schema: app.py sends these requests to LoadApp")


class LoadApp:
    """The ASGI application behind /load."""

    def __init__(self, streams: Streams, access_log: AccessLog) -> None:
        self._streams = streams
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request and send the response."""
        app: ASGIApp
        try:
            app = partial(self.stream, parse(scope))
        except ValidationError as exc:
            app = error_response(exc)
        if scope["method"] != "GET":
            app = PlainTextResponse("/load answers GET only\n", status_code=405, headers={"Allow": "GET"})
        # The access log wraps `send`. It is left out for streams that are not logged.
        if isinstance(app, Response) or self._access_log is AccessLog.ALL:
            app = logged(app, self._access_log)
        await app(scope, receive, send)

    async def stream(self, parameters: LoadParameters, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the event stream."""
        first_seq = next_seq(Headers(scope=scope).get("last-event-id"))
        with self._streams.open(scope, receive) as stream:
            await send(head())
            await send_events(stream, send, parameters, first_seq)
            await send(END)


def parse(scope: Scope) -> LoadParameters:
    """Return the parameters of a request."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return LoadParameters.model_validate(dict(query))


async def send_events(stream: Stream, send: Send, parameters: LoadParameters, first_seq: int) -> None:
    """Send one event per interval until the count is reached or the stream is ended."""
    encode = event_encoder(parameters.size, parameters.event)
    if parameters.retry is not None:
        await send(body(retry_field(parameters.retry)))
    async for tick in stream.ticks(first_seq, parameters.count, parameters.interval_s, parameters.heartbeat):
        if isinstance(tick, Notice):
            await send(body(comment(tick)))
            continue
        await send(body(encode(tick, time.time_ns())))
        if stream.transport.get_write_buffer_size():
            # The client is slower than its events. This event counts, and the next one gets its timestamp, only when
            # the kernel has taken the rest.
            await send(DRAIN)
        stream.count_event()

"""``/channels/{name}``: publish and subscribe. The delivery in between is in the package ``channels``."""

from __future__ import annotations

import json
from typing import Annotated, NoReturn

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from demo_server.channels.channels import MAX_CHANNELS, Channels
from demo_server.channels.events import RESERVED_TYPES, format_id
from demo_server.channels.fan_out import FanOut
from demo_server.channels.subscriber import Subscriber
from demo_server.streams.encoding import retry_field
from demo_server.streams.messages import END, body, head
from demo_server.streams.parameters import EventType, LastEventId, StreamParameters
from demo_server.streams.registry import Streams

MAX_MESSAGE_BYTES = 65_536
RETRY_AFTER = {"Retry-After": "5"}  # a stalled subscriber is disconnected after 8 s

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="The channel; the first request creates it.")]

router = APIRouter(prefix="/channels", tags=["channels"])


def check_not_reserved(event_type: str | None) -> str | None:
    """Refuse the event types of the server's own announcements."""
    if event_type in RESERVED_TYPES:
        raise ValueError(f"{event_type} is reserved for announcements of this server: use another type")
    return event_type


class PublishParameters(BaseModel):
    """The query of a POST."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Annotated[EventType | None, AfterValidator(check_not_reserved), Field(description="Event type.")] = None


class SubscribeParameters(StreamParameters):
    """The query of a GET."""

    last_event_id: Annotated[
        str,
        Field(description="Like the header Last-Event-ID, which has precedence. EventSource cannot set it at first."),
    ] = ""


class Publication(BaseModel):
    """The result of a POST."""

    id: str
    subscribers: Annotated[
        int | None,
        Field(
            description="Number of subscribers, including slow ones; null with Redis, where other servers have some."
        ),
    ]


@router.post(
    "/{name}",
    summary="Publish an event",
    status_code=201,
    responses={
        413: {"description": f"More than {MAX_MESSAGE_BYTES} bytes."},
        503: {"description": f"There are {MAX_CHANNELS} channels, and all have subscribers; or Redis does not answer."},
    },
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}}},
)
async def publish(request: Request, name: Name, parameters: Annotated[PublishParameters, Query()]) -> Publication:
    """Publish the body, JSON or text, as the data of an event."""
    data = await read_message(request)
    refuse_new_channel(request.app.state.channels, name)
    fan_out: FanOut = request.app.state.fan_out
    published = await fan_out.publish(name, parameters.event, data)
    return Publication(id=format_id(published.number), subscribers=published.subscribers)


@router.get(
    "/{name}",
    summary="Subscribe",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "New events, or all events after an id."},
        503: {"description": "Too many channels have subscribers, or slow subscribers are too far behind."},
    },
)
async def subscribe(
    request: Request,
    name: Name,
    parameters: Annotated[SubscribeParameters, Query()],
    last_event_id: LastEventId = None,
) -> Response:
    """Stream the published events, beginning with the events after the last event id.

    An event of type `gap` announces events that are no longer in the history. An event of type `dropped` tells a slow
    subscriber why it is disconnected.
    """
    channels: Channels = request.app.state.channels
    refuse_new_channel(channels, name)
    if channels.backlog.is_full:
        detail = f"the subscribers of this server are {channels.backlog.size_bytes} bytes behind: try again later"
        raise HTTPException(503, detail, RETRY_AFTER)
    return Subscription(request, name, parameters, last_event_id or parameters.last_event_id)


class Subscription(Response):
    """The response to a subscriber. It is plain ASGI, so that the publishing task can write to it directly."""

    def __init__(self, request: Request, name: str, parameters: SubscribeParameters, last_event_id: str) -> None:
        super().__init__()
        self._streams: Streams = request.app.state.streams
        self._channels: Channels = request.app.state.channels
        self._name, self._parameters, self._last_event_id = name, parameters, last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client disconnects, the subscriber is dropped, or the server shuts down."""
        with self._streams.open(scope, receive) as stream:
            await send(head())
            if self._parameters.retry is not None:
                await send(body(retry_field(self._parameters.retry)))
            subscriber = Subscriber(stream, send, self._channels.backlog)
            with self._channels.subscribed(self._name, subscriber, self._last_event_id):
                await subscriber.run(self._parameters.heartbeat)
            await send(END)


async def read_message(request: Request) -> str:
    """Return the body as text. JSON is validated, but not changed."""
    content = b""
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_MESSAGE_BYTES:
                raise HTTPException(413, f"a message may have {MAX_MESSAGE_BYTES} bytes at most")
    except ClientDisconnect as exc:  # the response reaches no client, but without one there would be a traceback
        raise HTTPException(400, "the client disconnected before its message was complete") from exc
    try:
        text = content.decode()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            json.loads(text, parse_constant=refuse_constant)
    except UnicodeDecodeError as exc:
        raise body_error("the body is not UTF-8") from exc
    except (ValueError, RecursionError) as exc:
        raise body_error(f"the Content-Type is application/json, but the body is not JSON: {exc}") from exc
    return text


def refuse_new_channel(channels: Channels, name: str) -> None:
    """Refuse a new channel when all existing ones have subscribers."""
    if channels.is_full_for(name):
        detail = f"all {MAX_CHANNELS} channels have subscribers, so {name} cannot be created: use one of them, or wait"
        raise HTTPException(503, detail, RETRY_AFTER)


def refuse_constant(text: str) -> NoReturn:
    """Refuse NaN and infinity: Python reads them as JSON, JSON.parse does not."""
    raise ValueError(f"{text} is not JSON")


def body_error(problem: str) -> RequestValidationError:
    """Return the error of a body in the form of parameter errors."""
    return RequestValidationError([{"type": "value_error", "loc": ("body",), "msg": problem, "input": None}])

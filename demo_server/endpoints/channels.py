"""``/channels/{name}``: publish and subscribe. What happens in between is in channels.py."""

from __future__ import annotations

import json
from typing import Annotated, NoReturn

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from demo_server.channels.registry import MAX_CHANNELS, RESERVED_TYPES, Channels, Subscriber, format_id
from demo_server.streams.encoding import retry_field
from demo_server.streams.messages import END, body, head
from demo_server.streams.parameters import EventType, LastEventId, StreamParameters
from demo_server.streams.stream import Streams
from demo_server.workers.peers import Peers

MAX_MESSAGE_BYTES = 65_536
RETRY_AFTER = {"Retry-After": "5"}  # a subscriber that does not read is gone in 8 s

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="The channel; it need not exist before.")]

channel_endpoints = APIRouter(prefix="/channels", tags=["channels"])


def check_not_reserved(event_type: str | None) -> str | None:
    """Refuse the types of the server's own announcements."""
    if event_type in RESERVED_TYPES:
        raise ValueError(f"{event_type} is how this server announces something itself: take another type")
    return event_type


class PublishParameters(BaseModel):
    """The query of a POST."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Annotated[EventType | None, AfterValidator(check_not_reserved), Field(description="Its type.")] = None


class SubscribeParameters(StreamParameters):
    """The query of a GET."""

    last_event_id: Annotated[
        str, Field(description="As the header of this name, which counts first: a page cannot set that at its start.")
    ] = ""


class Publication(BaseModel):
    """What became of a published event."""

    id: str
    subscribers: Annotated[int, Field(description="How many subscribers there were, slow ones included.")]


@channel_endpoints.post(
    "/{name}",
    summary="Publish an event",
    status_code=201,
    responses={
        413: {"description": f"More than {MAX_MESSAGE_BYTES} bytes."},
        503: {"description": f"There are {MAX_CHANNELS} channels, and each has subscribers."},
    },
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}}},
)
async def publish(request: Request, name: Name, parameters: Annotated[PublishParameters, Query()]) -> Publication:
    """Publish the body, JSON or text, as the data of an event."""
    data = await read_message(request)
    refuse_new_channel(request.app.state.channels, name)
    peers: Peers = request.app.state.peers
    gathered = await peers.ask("deliver", name, parameters.event, data, counter=f"channel {name}")
    assert gathered.number is not None
    return Publication(id=format_id(gathered.number), subscribers=sum(gathered.answers))


@channel_endpoints.get(
    "/{name}",
    summary="Subscribe",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events, from now on or after an id."},
        503: {"description": "There are too many channels with subscribers, or too many events for slow ones."},
    },
)
async def subscribe(
    request: Request,
    name: Name,
    parameters: Annotated[SubscribeParameters, Query()],
    last_event_id: LastEventId = None,
) -> Response:
    """Stream what is published, beginning with what was missed since the last event id.

    `gap` is an event that announces what is no longer in the history, and `dropped` one that says why a subscriber who
    does not keep up is sent away.
    """
    channels: Channels = request.app.state.channels
    refuse_new_channel(channels, name)
    if channels.backlog.is_full:
        detail = f"the subscribers of this server are {channels.backlog.size_bytes} bytes behind: try again later"
        raise HTTPException(503, detail, RETRY_AFTER)
    return Subscription(request, name, parameters, last_event_id or parameters.last_event_id)


class Subscription(Response):
    """The response to a subscriber: plain ASGI, so that whoever publishes an event can write it."""

    def __init__(self, request: Request, name: str, parameters: SubscribeParameters, last_event_id: str) -> None:
        super().__init__()
        self._streams: Streams = request.app.state.streams
        self._channels: Channels = request.app.state.channels
        self._name, self._parameters, self._last_event_id = name, parameters, last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client leaves, is dropped, or the server goes down."""
        with self._streams.open(scope, receive) as stream:
            await send(head())
            if self._parameters.retry is not None:
                await send(body(retry_field(self._parameters.retry)))
            subscriber = Subscriber(stream, send, self._channels.backlog)
            with self._channels.subscribed(self._name, subscriber, self._last_event_id):
                await subscriber.run(self._parameters.heartbeat)
            await send(END)


async def read_message(request: Request) -> str:
    """Return the body as text; JSON is checked, and otherwise left as it is."""
    content = b""
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_MESSAGE_BYTES:
                raise HTTPException(413, f"a message may have {MAX_MESSAGE_BYTES} bytes at most")
    except ClientDisconnect as exc:  # nobody reads the answer; without one there would be a traceback
        raise HTTPException(400, "the client left in the middle of its message") from exc
    try:
        text = content.decode()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            json.loads(text, parse_constant=refuse_constant)
    except UnicodeDecodeError as exc:
        raise refuse("the body is not UTF-8") from exc
    except (ValueError, RecursionError) as exc:
        raise refuse(f"the body is said to be application/json, and is not: {exc}") from exc
    return text


def refuse_new_channel(channels: Channels, name: str) -> None:
    """Refuse a channel that there is no room for."""
    if channels.is_full_for(name):
        detail = (
            f"there are {MAX_CHANNELS} channels with subscribers, and no room for {name}: take one of them, or wait"
        )
        raise HTTPException(503, detail, RETRY_AFTER)


def refuse_constant(text: str) -> NoReturn:
    """Refuse what Python reads as JSON and JSON.parse does not."""
    raise ValueError(f"{text} is no value of JSON")


def refuse(problem: str) -> RequestValidationError:
    """Return the error of a body, in the shape of those of parameters."""
    return RequestValidationError([{"type": "value_error", "loc": ("body",), "msg": problem, "input": None}])

"""The ASGI application: what is put together from the other modules, and the endpoints about the server itself."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated

from anyio import BrokenResourceError
from fastapi import FastAPI, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from sse_starlette.sse import AppStatus, SendTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from demo_server.channels.registry import Channels
from demo_server.endpoints.channels import channel_endpoints
from demo_server.endpoints.completions import completions
from demo_server.endpoints.faults import faults
from demo_server.endpoints.load import LoadApp
from demo_server.endpoints.page import add_page
from demo_server.endpoints.push import EVENT_STREAM, ways
from demo_server.faults.fault_log import Runs
from demo_server.middleware.access_log import logged
from demo_server.middleware.hosts import Hosts
from demo_server.middleware.origins import closed_to_foreign_pages, readable_by_own_pages
from demo_server.options import Options
from demo_server.streams.messages import going_down
from demo_server.streams.parameters import LastEventId, LoadParameters, unprocessable
from demo_server.streams.stream import TRANSPORT_EXTENSION, Stats, Streams
from demo_server.workers.peers import Peers, PeersLostError

DESCRIPTION = """Every way of server push, to look at, to load and to test clients with.

The ways to push send the same events and take the same parameters. `/channels` is a small hub, `/faults` breaks the
rules on request and `/truth` says which, `/v1/chat/completions` streams as LLM servers do. The page is at `/`."""


def create_app(streams: Streams, peers: Peers, options: Options) -> ASGIApp:
    """Return the application with all endpoints."""
    # At shutdown sse-starlette would cancel responses, even in the middle of their last chunk. Ours end by
    # themselves (streams.py).
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
    api = logged(closed_to_foreign_pages(create_api(streams, peers)), options.access_log)
    load = LoadApp(streams, options.access_log)
    hosts = Hosts(options.host, options.allow_hosts)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Not `api.mount`: FastAPI's middleware would put itself between an event's timestamp and its socket.
        is_load = scope["type"] == "http" and scope["path"] == "/load"
        refusal = hosts.refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is not None:
            await logged(refusal, options.access_log)(scope, receive, send)
            return
        try:
            await (load if is_load else api)(scope, receive, send)
        except* SendTimeoutError:
            # sse-starlette's word for a client that does not read. What it was sent is not complete: no last chunk.
            scope["extensions"][TRANSPORT_EXTENSION].abort()
            await asyncio.sleep(0)  # until uvicorn knows: it complains of responses that are left incomplete
        except* BrokenResourceError:
            # What comes of fastapi.sse when its client leaves while an event waits in the queue:
            # https://github.com/fastapi/fastapi/discussions/15725
            if not scope["extensions"][TRANSPORT_EXTENSION].is_closing():
                raise

    return readable_by_own_pages(app)


def create_api(streams: Streams, peers: Peers) -> FastAPI:
    """Return the endpoints that FastAPI routes."""
    api = FastAPI(title="sse demo server", description=DESCRIPTION)
    api.state.streams, api.state.peers = streams, peers
    api.state.channels, api.state.runs = Channels(), Runs()
    peers.answers["stats"] = streams.read_stats
    peers.answers["deliver"] = api.state.channels.deliver
    peers.answers["enter_run"] = api.state.runs.enter
    peers.answers["report_run"] = api.state.runs.report
    peers.answers["forget_run"] = api.state.runs.forget
    api.include_router(ways)
    api.include_router(completions)
    api.include_router(channel_endpoints)
    api.include_router(faults)
    api.get(
        "/load",
        tags=["ways to push"],
        summary="Events, by plain ASGI",
        response_class=Response,
        responses=EVENT_STREAM,
    )(load)
    api.get("/stats", tags=["the server"], summary="How many streams and events there were")(stats)
    api.get("/healthz", tags=["the server"], summary="Whether the server answers")(healthz)
    add_page(api)
    api.exception_handler(HTTPStatus.NOT_FOUND)(name_endpoints)
    api.exception_handler(RequestValidationError)(refuse)
    api.exception_handler(WebSocketRequestValidationError)(refuse_websocket)
    api.exception_handler(PeersLostError)(give_up)
    return api


async def load(parameters: Annotated[LoadParameters, Query()], last_event_id: LastEventId = None) -> None:
    """Events from a plain ASGI application, outside of FastAPI: the cheapest way."""
    raise NotImplementedError("only for the schema: create_app sends such requests to LoadApp")


async def stats(request: Request) -> Stats:
    """Count the streams and the events sent since the start."""
    gathered = await request.app.state.peers.ask("stats")
    return Stats(*map(sum, zip(*gathered.answers, strict=True)))


async def healthz() -> dict[str, str]:
    """Say that the server answers."""
    return {"status": "ok"}


async def name_endpoints(request: Request, exc: Exception) -> Response:
    """Answer what is not found; a path without an endpoint is told which there are."""
    assert isinstance(exc, HTTPException)
    detail = exc.detail
    if detail == HTTPStatus.NOT_FOUND.phrase:  # what Starlette says; our endpoints have words of their own
        paths = ", ".join(sorted([*request.app.openapi()["paths"], "/", "/docs", "/ws"]))
        detail = f"there is no endpoint {request.url.path}; there are {paths}"
    return JSONResponse({"detail": detail}, status_code=HTTPStatus.NOT_FOUND)


async def refuse(request: Request, exc: Exception) -> Response:
    """Answer bad parameters and bodies."""
    assert isinstance(exc, RequestValidationError)
    return unprocessable(exc.errors())


async def give_up(_: Request, __: Exception) -> Response:
    """Answer what needs the other workers when they are gone."""
    return going_down()


async def refuse_websocket(websocket: WebSocket, exc: Exception) -> None:
    """Answer bad parameters as over HTTP; FastAPI's own would be a 403 without a word."""
    assert isinstance(exc, WebSocketRequestValidationError)
    await websocket.send_denial_response(unprocessable(exc.errors()))

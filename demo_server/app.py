"""The ASGI application: endpoints, middleware, and the handling of their errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from anyio import BrokenResourceError
from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from sse_starlette.sse import AppStatus, SendTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from demo_server.channels.channels import Channels
from demo_server.channels.fan_out import FanOut, NotPublishedError, PeersFanOut
from demo_server.endpoints import channels, completions, faults, llm_truth, load, other_llm_apis, push, status
from demo_server.endpoints.page import add_page
from demo_server.faults.fault_log import FaultLog
from demo_server.llm.truth_log import TruthLog
from demo_server.middleware.access_log import logged
from demo_server.middleware.hosts import Hosts
from demo_server.middleware.origins import allow_local_origins, refuse_other_origins
from demo_server.options import Options
from demo_server.streams.messages import shutting_down
from demo_server.streams.parameters import unprocessable
from demo_server.streams.registry import Streams
from demo_server.streams.scope_keys import TRANSPORT_EXTENSION
from demo_server.workers.peers import LocalPeers, Peers, PeersLostError

DESCRIPTION = """Server push with FastAPI: to read, to load-test, and to test clients with.

All push endpoints send the same events and take the same parameters. `/channels` is publish and subscribe. `/faults`
injects faults, and `/truth` returns its fault log. `/v1/chat/completions`, `/v1/responses`, `/v1/messages` and
`/v1/completions` stream like LLM servers. The page is at `/`."""


def create_app(streams: Streams, peers: Peers, options: Options) -> ASGIApp:
    """Return the application with all endpoints."""
    # At shutdown, sse-starlette would cancel responses, even inside a chunk. Here, Streams.end_all ends them.
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
    api = logged(refuse_other_origins(create_api(streams, peers, options)), options.access_log)
    load_app = load.LoadApp(streams, options.access_log)
    hosts = Hosts(options.host, options.allow_hosts)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Not `api.mount`: FastAPI's middleware would wrap the `send` of /load.
        is_load = scope["type"] == "http" and scope["path"] == "/load"
        error_response = hosts.error_response(scope) if scope["type"] in ("http", "websocket") else None
        if error_response is not None:
            await logged(error_response, options.access_log)(scope, receive, send)
            return
        try:
            await (load_app if is_load else api)(scope, receive, send)
        except* SendTimeoutError:
            # sse-starlette's send timeout for a slow client. Its response is incomplete and must get no last chunk.
            scope["extensions"][TRANSPORT_EXTENSION].abort()
            await asyncio.sleep(0)  # uvicorn must notice first, otherwise it logs an error for the incomplete response
        except* BrokenResourceError:
            # Raised by fastapi.sse (FastAPI 0.165) when the client disconnects while an event is queued:
            # https://github.com/fastapi/fastapi/discussions/15725
            if not scope["extensions"][TRANSPORT_EXTENSION].is_closing():
                raise

    return allow_local_origins(app)


def create_api(streams: Streams, peers: Peers, options: Options) -> FastAPI:
    """Return the endpoints that FastAPI routes."""
    api = FastAPI(title="sse demo server", description=DESCRIPTION, lifespan=running_fan_out)
    api.state.streams, api.state.peers = streams, peers
    api.state.channels, api.state.fault_log = Channels(), FaultLog()
    api.state.truth_log = TruthLog()
    api.state.fan_out = choose_fan_out(options, peers, api.state.channels)
    peers.handlers["stats"] = streams.read_stats
    peers.handlers["enter_run"] = api.state.fault_log.enter
    peers.handlers["report_run"] = api.state.fault_log.report
    peers.handlers["forget_run"] = api.state.fault_log.forget
    peers.handlers["enter_llm_run"] = api.state.truth_log.enter
    peers.handlers["report_llm_run"] = api.state.truth_log.report
    peers.handlers["forget_llm_run"] = api.state.truth_log.forget
    for endpoint in (push, completions, other_llm_apis, llm_truth, channels, faults, load, status):
        api.include_router(endpoint.router)
    add_page(api)
    api.exception_handler(HTTPStatus.NOT_FOUND)(answer_not_found)
    api.exception_handler(RequestValidationError)(answer_invalid)
    api.exception_handler(WebSocketRequestValidationError)(refuse_websocket)
    api.exception_handler(PeersLostError)(answer_shutting_down)
    api.exception_handler(NotPublishedError)(answer_not_published)
    return api


def choose_fan_out(options: Options, peers: Peers, channels: Channels) -> FanOut:
    """Return the fan-out of the options: through Redis, not at all, or to all workers of this server."""
    if options.redis_url:
        from demo_server.channels.redis_fan_out import RedisFanOut  # redis-py is an optional dependency

        return RedisFanOut(options.redis_url, channels)
    if options.separate_channels:
        peers = LocalPeers()
    peers.handlers["deliver"] = channels.deliver
    return PeersFanOut(peers)


@asynccontextmanager
async def running_fan_out(api: FastAPI) -> AsyncIterator[None]:
    """Run the fan-out from before the first connection to the end of the last one."""
    async with api.state.fan_out.running():
        yield


async def answer_not_found(request: Request, exc: Exception) -> Response:
    """Return a 404; for a path without an endpoint, it lists all endpoints."""
    assert isinstance(exc, HTTPException)
    detail = exc.detail
    if detail == HTTPStatus.NOT_FOUND.phrase:  # Starlette's detail; the endpoints of this server set their own
        paths = ", ".join(sorted([*request.app.openapi()["paths"], "/", "/docs"]))
        detail = f"there is no endpoint {request.url.path}; there are {paths}"
    return JSONResponse({"detail": detail}, status_code=HTTPStatus.NOT_FOUND)


async def answer_invalid(request: Request, exc: Exception) -> Response:
    """Return a 422 for invalid parameters or an invalid body."""
    assert isinstance(exc, RequestValidationError)
    return unprocessable(exc.errors())


async def refuse_websocket(websocket: WebSocket, exc: Exception) -> None:
    """Refuse a WebSocket with the 422 of HTTP. FastAPI would send a 403 without a body."""
    assert isinstance(exc, WebSocketRequestValidationError)
    await websocket.send_denial_response(unprocessable(exc.errors()))


async def answer_shutting_down(_: Request, __: Exception) -> Response:
    """Return a 503 for a request that needs the other workers during a shutdown."""
    return shutting_down()


async def answer_not_published(_: Request, exc: Exception) -> Response:
    """Return a 503 for an event that Redis did not take."""
    return JSONResponse({"detail": str(exc)}, status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "1"})

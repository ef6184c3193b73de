"""``/faults``: a stream with injected faults; ``/truth/{run}``: the fault log of a run.

This module injects the faults of the response head: delay, content type, status, redirects. Faults of the body are in
faults/injection.py.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Path, Query, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from demo_server.faults.fault_log import FaultLog, StreamLog
from demo_server.faults.injection import FaultInjector
from demo_server.faults.parameters import STATUSES_WITHOUT_BODY, FaultParameters
from demo_server.faults.report import RunReport, merge_reports
from demo_server.streams.parameters import RUN_NAME, LastEventId, next_seq
from demo_server.streams.registry import Streams, open_stream
from demo_server.workers.peers import Peers

router = APIRouter(tags=["faults"])


class EventStreamResponse(Response):
    """The content type for the OpenAPI schema."""

    media_type = "text/event-stream"


@router.get("/faults", summary="Stream events with injected faults", response_class=EventStreamResponse)
async def inject_faults(
    request: Request, query: Annotated[FaultParameters, Query()], last_event_id: LastEventId = None
) -> Response:
    """Stream the events of /load with the faults of the query. `GET /truth/{run}` returns the fault log."""
    fault_log: FaultLog = request.app.state.fault_log
    peers: Peers = request.app.state.peers
    number = (await peers.ask("enter_run", query.run, bool(query.redirect))).values[0]
    if query.redirect:
        fault_log.redirect(query.run)
        await wait(request, query.header_delay)
        return redirection(request, query)
    log = fault_log.begin(query.run, number, last_event_id, time.time_ns())
    if query.refuses(number):
        if await wait(request, query.header_delay):
            log.answered(query.status or 0)
            log.end("refused")
        else:
            log.end("client")
        return status_response(query, number)
    return FaultResponse(request.app.state.streams, query, log, next_seq(last_event_id))


RunName = Annotated[str, Path(pattern=RUN_NAME, description="The `run` of the requests to /faults.")]


@router.get(
    "/truth/{run}",
    summary="Get the fault log of a run",
    response_model=RunReport,
    responses={404: {"description": "The run is unknown."}},
)
async def get_fault_log(request: Request, run: RunName) -> dict[str, Any]:
    """Return the events and faults that each request of a run was sent."""
    peers: Peers = request.app.state.peers
    report = merge_reports((await peers.ask("report_run", run)).values)
    if report is None:
        raise HTTPException(404, f"run {run!r} is unknown: request /faults?run={run} first")
    return report


@router.delete("/truth/{run}", summary="Delete the fault log of a run", status_code=204)
async def forget(request: Request, run: RunName) -> None:
    """Delete the fault log of a run; its requests are numbered from 1 again."""
    peers: Peers = request.app.state.peers
    await peers.ask("forget_run", run)


async def wait(request: Request, seconds: float) -> bool:
    """Delay a response that is not a stream, until a shutdown at most; say whether its client is still connected."""
    if not seconds:
        return True
    with open_stream(request, request.receive) as stream:
        await stream.sleep_until(asyncio.get_running_loop().time() + seconds)
    return stream.is_shutdown or not stream.ended


def redirection(request: Request, query: FaultParameters) -> Response:
    """Redirect to the same URL with one redirect less."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    rest = urlencode([(name, (query.redirect or 0) - 1 if name == "redirect" else value) for name, value in pairs])
    # no-store: browsers cache 301 and 308, and would skip this server on the next request.
    # A relative location: a proxy may serve this server under a prefix.
    headers = {"Location": f"?{rest}", "Cache-Control": "no-store"}
    return PlainTextResponse(f"{query.redirect} more to go\n", query.redirect_status, headers)


def status_response(query: FaultParameters, number: int) -> Response:
    """Answer with a status instead of events."""
    status = query.status or 0
    headers = {"Cache-Control": "no-store"}
    if query.retry_after is not None:
        headers["Retry-After"] = str(query.retry_after)
    if status in STATUSES_WITHOUT_BODY:
        return Response(None, status, headers)
    return PlainTextResponse(f"request {number} of run {query.run}: injected status {status}\n", status, headers)


class FaultResponse(Response):
    """A response with injected faults: its head here, its body from a FaultInjector."""

    def __init__(self, streams: Streams, faults: FaultParameters, log: StreamLog, first_seq: int) -> None:
        super().__init__()
        self._streams, self._faults, self._log, self._first_seq = streams, faults, log, first_seq

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and log how it ended."""
        with self._streams.open(scope, receive) as stream:
            how = "client"
            try:
                await stream.sleep_until(asyncio.get_running_loop().time() + self._faults.header_delay)
                if not stream.ended or stream.is_shutdown:
                    await send(self._head())
                    self._log.answered(200)
                    how = await FaultInjector(stream, send, self._faults, self._log).run(self._first_seq)
            finally:
                self._log.end(how)

    def _head(self) -> Message:
        headers = [(b"content-type", self._faults.content_type.encode()), (b"cache-control", b"no-store")]
        if self._faults.close is not None:
            headers.append((b"connection", b"close"))  # `close` ends the connection, not only the response
        return {"type": "http.response.start", "status": 200, "headers": headers}

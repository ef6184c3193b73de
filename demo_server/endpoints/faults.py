"""``/faults``: a stream on which goes wrong what its query asks for; ``/truth/{run}``: what it did.

Here are the faults of the head: late, another content type, a status or redirects in place of events. Those of the body
are in faulty_stream.py.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Path, Query, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from demo_server.faults.fault_log import Account, Runs, RunTruth, merge_reports
from demo_server.faults.injection import FaultyStream
from demo_server.faults.parameters import RUN_NAME, STATUSES_WITHOUT_BODY, FaultParameters
from demo_server.streams.parameters import LastEventId, next_seq
from demo_server.streams.stream import Streams, opened
from demo_server.workers.peers import Peers

faults = APIRouter(tags=["faults"])


class EventStreamResponse(Response):
    """For the schema."""

    media_type = "text/event-stream"


@faults.get("/faults", summary="Events that go wrong as asked for", response_class=EventStreamResponse)
async def faulty_stream(
    request: Request, query: Annotated[FaultParameters, Query()], last_event_id: LastEventId = None
) -> Response:
    """Events as from /load, and what is asked for goes wrong. `GET /truth/{run}` tells what did."""
    runs: Runs = request.app.state.runs
    peers: Peers = request.app.state.peers
    number = (await peers.ask("enter_run", query.run, bool(query.redirect))).answers[0]
    if query.redirect:
        runs.redirect(query.run)
        await wait(request, query.header_delay)
        return redirection(request, query)
    account = runs.begin(query.run, number, last_event_id, time.time_ns())
    if query.refuses(number):
        if await wait(request, query.header_delay):
            account.answered(query.status or 0)
            account.end("refused")
        else:
            account.end("client")
        return refusal(query, number)
    return FaultyResponse(request.app.state.streams, query, account, next_seq(last_event_id))


RunName = Annotated[str, Path(pattern=RUN_NAME, description="What the requests to /faults gave as `run`.")]


@faults.get(
    "/truth/{run}",
    summary="What a run was really sent",
    response_model=RunTruth,
    responses={404: {"description": "Nothing is known of such a run."}},
)
async def truth(request: Request, run: RunName) -> dict[str, Any]:
    """Tell what the requests of a run were really sent."""
    peers: Peers = request.app.state.peers
    report = merge_reports((await peers.ask("report_run", run)).answers)
    if report is None:
        raise HTTPException(404, f"nothing is known of a run {run!r}: request /faults?run={run} first")
    return report


@faults.delete("/truth/{run}", summary="Begin a run anew", status_code=204)
async def forget(request: Request, run: RunName) -> None:
    """Forget a run, so that it begins anew; its requests are numbered from 1 again."""
    peers: Peers = request.app.state.peers
    await peers.ask("forget_run", run)


async def wait(request: Request, seconds: float) -> bool:
    """Delay an answer that is no stream, unless the server goes down; say whether its client is still there."""
    if not seconds:
        return True
    with opened(request, request.receive) as stream:
        await stream.sleep_until(asyncio.get_running_loop().time() + seconds)
    return stream.is_farewell or not stream.ended


def redirection(request: Request, query: FaultParameters) -> Response:
    """Send the client to the same address, with one redirect less to come."""
    asked = parse_qsl(request.url.query, keep_blank_values=True)
    left = urlencode([(name, (query.redirect or 0) - 1 if name == "redirect" else value) for name, value in asked])
    # no-store: 301 and 308 would otherwise be kept, and the next request would not come here at all.
    # And relative: a proxy may serve this server under a prefix.
    headers = {"Location": f"?{left}", "Cache-Control": "no-store"}
    return PlainTextResponse(f"{query.redirect} more to go\n", query.redirect_status, headers)


def refusal(query: FaultParameters, number: int) -> Response:
    """Answer with a status in place of events."""
    status = query.status or 0
    headers = {"Cache-Control": "no-store"}
    if query.retry_after is not None:
        headers["Retry-After"] = str(query.retry_after)
    if status in STATUSES_WITHOUT_BODY:
        return Response(None, status, headers)
    return PlainTextResponse(f"request {number} of run {query.run}: as asked for, no events\n", status, headers)


class FaultyResponse(Response):
    """The response that goes wrong: late, with any content type, and with a FaultyStream for a body."""

    def __init__(self, streams: Streams, faults: FaultParameters, account: Account, first_seq: int) -> None:
        super().__init__()
        self._streams, self._faults, self._account, self._first_seq = streams, faults, account, first_seq

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream, whatever that means here, and note how it ended."""
        with self._streams.open(scope, receive) as stream:
            how = "client"
            try:
                await stream.sleep_until(asyncio.get_running_loop().time() + self._faults.header_delay)
                if not stream.ended or stream.is_farewell:
                    await send(self._head())
                    self._account.answered(200)
                    how = await FaultyStream(stream, send, self._faults, self._account).run(self._first_seq)
            finally:
                self._account.end(how)

    def _head(self) -> Message:
        headers = [(b"content-type", self._faults.content_type.encode()), (b"cache-control", b"no-store")]
        if self._faults.close is not None:
            headers.append((b"connection", b"close"))  # not the response alone is to end, the connection is, too
        return {"type": "http.response.start", "status": 200, "headers": headers}

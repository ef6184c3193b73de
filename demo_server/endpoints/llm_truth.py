"""``/v1/truth/{run}``: when each part of the answers of a run was sent."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from starlette.responses import Response

from demo_server.llm.report import LlmRunReport, merge_reports
from demo_server.streams.parameters import RUN_NAME
from demo_server.workers.peers import Peers

router = APIRouter(tags=["LLM"])

RunName = Annotated[str, Path(pattern=RUN_NAME, description="The `run` of the LLM requests.")]


@router.get(
    "/v1/truth/{run}",
    summary="Get the log of the LLM requests of a run",
    response_model=LlmRunReport,
    responses={404: {"description": "The run is unknown."}},
)
async def get_truth(request: Request, run: RunName) -> Response:
    """Return when each request of a run arrived, and when the parts of its answer were sent."""
    peers: Peers = request.app.state.peers
    report = merge_reports((await peers.ask("report_llm_run", run)).values)
    if report is None:
        raise HTTPException(404, f"run {run!r} is unknown: request /v1/chat/completions?run={run} first")
    # Not validated: with hundreds of thousands of gaps, that would block all streams for long.
    return Response(json.dumps(report, separators=(",", ":")), media_type="application/json")


@router.delete("/v1/truth/{run}", summary="Delete the log of the LLM requests of a run", status_code=204)
async def forget(request: Request, run: RunName) -> None:
    """Delete the log of a run; its requests are numbered from 1 again."""
    peers: Peers = request.app.state.peers
    await peers.ask("forget_llm_run", run)

"""``/stats`` and ``/healthz``: the state of the server itself."""

from __future__ import annotations

from fastapi import APIRouter, Request

from demo_server.streams.stream import Stats

router = APIRouter(tags=["the server"])


@router.get("/stats", summary="Count streams and events")
async def stats(request: Request) -> Stats:
    """Return the number of streams and events since the start of the server."""
    answers = await request.app.state.peers.ask("stats")
    return Stats(*map(sum, zip(*answers.values, strict=True)))


@router.get("/healthz", summary="Check that the server answers")
async def healthz() -> dict[str, str]:
    """Return a constant response."""
    return {"status": "ok"}

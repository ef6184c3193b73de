"""An event stream whose server keeps memory and open files of each stream, if the query says so; with /metrics."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.exposition import generate_latest

registry = CollectorRegistry()
ProcessCollector(registry=registry)
subscribers = Gauge("app_subscribers", "Open streams.", registry=registry)
kept_memory: list[bytes] = []
kept_files: list[int] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"] == "/metrics":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": generate_latest(registry)})
        return
    if b"memory" in scope["query_string"]:
        kept_memory.append(os.urandom(1_000_000))
    if b"files" in scope["query_string"]:
        kept_files.append(os.open(os.devnull, os.O_RDONLY))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    left = asyncio.ensure_future(_left(receive))
    with subscribers.track_inprogress():
        while not left.done():
            await send({"type": "http.response.body", "body": b"data: x\n\n", "more_body": True})
            await asyncio.wait([left], timeout=0.2)


async def _left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

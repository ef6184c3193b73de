"""An ASGI application for hypercorn, by HTTP/1.1 and HTTP/2: each response is a stream with an event per second."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

INTERVAL_S = 1.0


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Send events like those of the demo server, without end."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    sequence, due_s = 0, asyncio.get_running_loop().time()
    while True:
        sequence += 1
        data = json.dumps({"seq": sequence, "ts": time.time_ns()})
        body = f"id: {sequence}\ndata: {data}\n\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        due_s += INTERVAL_S
        await asyncio.sleep(due_s - asyncio.get_running_loop().time())

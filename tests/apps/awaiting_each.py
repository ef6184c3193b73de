"""A broadcast that awaits the send to each subscriber in turn: one client that does not read blocks all the others."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

INTERVAL_S = 0.05
PADDING = "x" * 100_000
"""Events of this size fill the send buffer of the kernel within a second."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_subscribers: set[Send] = set()
_broadcasts: set[asyncio.Task[None]] = set()
"""The running task; asyncio keeps no reference of its own."""


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Subscribe until the client disconnects."""
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    _subscribers.add(send)
    if not _broadcasts:
        _broadcasts.add(asyncio.create_task(_broadcast()))
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        _subscribers.discard(send)


async def _broadcast() -> None:
    number = 0
    while True:
        await asyncio.sleep(INTERVAL_S)
        number += 1
        data = json.dumps({"ts": time.time(), "pad": PADDING})
        body = f"id: {number}\ndata: {data}\n\n".encode()
        for send in list(_subscribers):
            await send({"type": "http.response.body", "body": body, "more_body": True})

"""Three events with the version of HTTP, then the end; ``/hold`` goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Send the events a moment apart, after the last event ID."""
    if scope["type"] != "http":
        return
    after = int(dict(scope["headers"]).get(b"last-event-id", b"0"))
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(after + 1, after + 4):
        body = f"retry: 10\nid: {number}\ndata: {scope['http_version']}\n\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0.01)
    if scope["path"] == "/hold":
        await asyncio.sleep(60)
    await send({"type": "http.response.body", "body": b""})

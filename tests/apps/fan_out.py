"""A publish/subscribe inside the server's process: the classic mistake, as soon as there are two processes."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

queues: set[asyncio.Queue[bytes]] = set()
published = 0


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """GET / subscribes, POST / publishes, GET /subscribers counts those of this process."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/subscribers":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"%d" % len(queues)})
        return
    if scope["method"] == "POST":
        publish()
        headers = [(b"connection", b"close"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    queues.add(queue)
    try:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while True:
            await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})
    finally:
        queues.discard(queue)


def publish() -> None:
    """Give an event to the subscribers of this process."""
    global published
    published += 1
    data = json.dumps({"price": published, "from": os.getpid()})
    for queue in queues:
        queue.put_nowait(f"id: {published}\ndata: {data}\n\n".encode())

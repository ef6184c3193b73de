"""A hub that holds each event back, and loses every second event of every tenth subscriber. ``/truth`` tells it all.

The environment variables LOSES_EVERY_SUBSCRIBER, LOSES_EVERY_EVENT and HOLDS_BACK_S choose other numbers.
"""

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

SUBSCRIBERS = int(os.environ.get("LOSES_EVERY_SUBSCRIBER", "10"))
EVENTS = int(os.environ.get("LOSES_EVERY_EVENT", "2"))
HOLD_BACK_S = float(os.environ.get("HOLDS_BACK_S", "0.2"))

queues: list[asyncio.Queue[str]] = []
truth: dict[str, Any] = {"lost": {}, "losing": 0, "least_delay_ns": 2**63}
"""``lost``: how many subscribers lost each event, by its number."""
tasks: set[asyncio.Task[None]] = set()


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """GET / subscribes, POST / publishes, GET /truth returns the counts."""
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        task = asyncio.create_task(deliver(await body_of(receive)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await answer(send, 202, b"")
    elif scope["path"] == "/truth":
        await answer(send, 200, json.dumps(truth).encode())
    else:
        await subscribe(send)


async def answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def subscribe(send: Send) -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()
    queues.append(queue)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b": hello\n\n", "more_body": True})
    while True:
        data = await queue.get()
        await send({"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True})


async def deliver(body: str) -> None:
    began_ns = time.monotonic_ns()
    await asyncio.sleep(HOLD_BACK_S)
    token = re.search(r"sse-[0-9a-f]{8}-([0-9]{7})-[0-9]{19}", body)
    assert token is not None
    event = int(token[1])
    truth["losing"], truth["lost"][event] = len(queues) // SUBSCRIBERS, 0
    truth["least_delay_ns"] = min(truth["least_delay_ns"], time.monotonic_ns() - began_ns)
    for number, queue in enumerate(queues, 1):
        if number % SUBSCRIBERS == 0 and event % EVENTS == 0:
            truth["lost"][event] += 1
        else:
            queue.put_nowait(json.dumps({"message": body}))


async def body_of(receive: Receive) -> str:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return str(body, "utf-8")

"""A server with a known limit: it needs 2 ms for each event, so 50 streams of 10 events per second fill it."""

import asyncio
import json
import time
from typing import Any

NEEDED_S = 0.002
INTERVAL_S = 0.1


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Send ten events per second until the client disconnects."""
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    sending = asyncio.create_task(_send_events(send))
    while (await receive())["type"] != "http.disconnect":
        pass
    sending.cancel()


async def _send_events(send: Any) -> None:
    due_s = time.time()
    while True:
        due_s += INTERVAL_S
        await asyncio.sleep(max(due_s - time.time(), 0))
        time.sleep(NEEDED_S)  # noqa: ASYNC251 - it blocks all streams, as work of the server does
        event = b"data: " + json.dumps({"ts": due_s}).encode() + b"\n\n"
        await send({"type": "http.response.body", "body": event, "more_body": True})

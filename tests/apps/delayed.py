"""A server with a known delay: 20 events per second, each sent ``?late_s=`` s after its timestamp. /log counts."""

import asyncio
import json
import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

INTERVAL_S = 0.05

_log: Counter[str] = Counter()
"""The number of streams by query."""


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Stream until the client disconnects; refuse with ?refuse=1; answer /log with the log."""
    query = scope["query_string"].decode()
    parameters = parse_qs(query)
    if scope["path"] == "/log" or "refuse" in parameters:
        status = 200 if scope["path"] == "/log" else 503
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(_log).encode()})
        return
    _log[query] += 1
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    sending = asyncio.create_task(_send_events(send, float(parameters.get("late_s", ["0"])[0])))
    while (await receive())["type"] != "http.disconnect":
        pass
    sending.cancel()


async def _send_events(send: Any, late_s: float) -> None:
    number = 0
    while True:
        await asyncio.sleep(INTERVAL_S)
        number += 1
        event = f"id: {number}\ndata: {json.dumps({'ts': time.time() - late_s})}\n\n"
        await send({"type": "http.response.body", "body": event.encode(), "more_body": True})

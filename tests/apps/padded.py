"""Large events that hardly compress: plain, and behind a middleware that compresses and does not flush.

Starlette's GZipMiddleware did that before 1.0.
"""

import asyncio
import json
import random
import time
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Send 20 events of 1.5 KB per second; ``/compressed`` does so through gzip."""
    if scope["type"] != "http":
        return
    compressor = zlib.compressobj(wbits=31) if scope["path"] == "/compressed" else None
    headers = [(b"content-type", b"text/event-stream")]
    if compressor is not None:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(100_000):
        data = {"ts": time.time_ns(), "pad": random.randbytes(750).hex()}
        piece = f"id: {number}\ndata: {json.dumps(data)}\n\n".encode()
        if compressor is not None:
            piece = compressor.compress(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0.05)

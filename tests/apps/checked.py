"""One broadcast of numbered events, with one fault per path; ``/ok`` has none.

Event N happens N tenths of a second after the start. A subscriber receives new events, or all after Last-Event-ID.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

INTERVAL_S = 0.1
START_S = time.monotonic()
ENDS_AFTER = 8
"""The events of a stream that ends."""

HEADERS = {"content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no"}
CHANGED_HEADERS: dict[str, dict[str, str]] = {
    "/charset": {"content-type": "text/event-stream; charset=iso-8859-1"},
    "/cached": {"cache-control": "public, max-age=60"},
    "/without-cache-control": {"cache-control": ""},
    "/without-buffering-header": {"x-accel-buffering": ""},
    "/buffered": {"x-accel-buffering": "yes"},
    "/content-length": {"content-length": "100000"},
    "/reflected-origin": {
        "access-control-allow-origin": "https://example.com",
        "access-control-allow-credentials": "true",
    },
    "/without-preflight": {"access-control-allow-origin": "*"},
}


def now() -> int:
    """Return the number of the latest event."""
    return int((time.monotonic() - START_S) / INTERVAL_S)


async def events(path: str, last_event_id: str) -> AsyncIterator[bytes]:
    """Yield the events of a subscriber."""
    number = int(last_event_id) if last_event_id.isdigit() and int(last_event_id) <= now() else now()
    resumed, first = bool(last_event_id) and number < now(), number + 1
    if path == "/only-new":
        number = now()
    elif path == "/from-start":
        number = 0
    elif (path == "/includes-the-given-one" and resumed) or (path == "/late-head" and not resumed):
        number -= 1
    while True:
        number += 1
        is_old = number <= now()
        if not is_old:
            await asyncio.sleep(max(START_S + number * INTERVAL_S - time.monotonic(), 0))
        for piece in shaped(path, number, number - first, resumed=resumed):
            yield piece
        if path.startswith("/ends") and number - first >= ENDS_AFTER:
            return


def shaped(path: str, number: int, place: int, *, resumed: bool) -> list[bytes]:
    """Return an event with the fault of the path. ``place`` counts the events of the connection."""
    event = b"id: %d\ndata: event %d\n\n" % (number, number)
    if resumed and place == 1:
        replayed = {
            "/loses-one": [],
            "/foreign": [b"id: other-7\ndata: of another user\n\n", event],
            "/twice": [event, event.replace(b"data:", b"data:")],
            "/changed": [b"id: %d\ndata: something else\n\n" % number],
        }
        if path in replayed:
            return replayed[path]
    if resumed and path == "/reordered" and place in (0, 1):
        return [] if place == 0 else [event, b"id: %d\ndata: event %d\n\n" % (number - 1, number - 1)]
    always: dict[str, bytes] = {
        "/without-ids": b"data: event\n\n",
        "/same-id": b"id: 7\ndata: event %d\n\n" % number,
        "/unknown-field": event.replace(b"data", b"Data: lost\ndata"),
        "/cr": event.replace(b"\n", b"\r"),
        "/mixed": event.replace(b"\n", b"\r\n", number % 2),
        "/latin": b"id: %d\ndata: caf\xe9\n\n" % number,
        "/bad-retry": b"retry: 5s\n" + event,
        "/short-retry": b"retry: 1\n" + event,
        "/error-event": b"id: %d\nevent: error\ndata: no\n\n" % number,
        "/large": b"id: %d\ndata: %b\n\n" % (number, b"x" * (1 if number % 8 else 300_000)),
        "/bom": b"\xef\xbb\xbf" + event if place == 0 else event,
    }
    if path == "/ends-unfinished" and place == ENDS_AFTER:
        return [event[:-1]]
    return [always.get(path, event)]


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer a request with the fault of its path."""
    if scope["type"] != "http":
        return
    path, method = scope["path"], scope["method"]
    sent = {name.decode(): value.decode() for name, value in scope["headers"]}
    last_event_id = sent.get("last-event-id", "")
    headers = {name: value for name, value in {**HEADERS, **CHANGED_HEADERS.get(path, {})}.items() if value}
    if method == "HEAD" and path == "/hanging-head":
        await closed(receive)
    if method != "GET":
        await respond(send, 405)
    elif path == "/fails-to-resume" and last_event_id.isdigit() and int(last_event_id) <= now():
        await respond(send, 500)
    elif path == "/refuses-unknown-id" and last_event_id and int(last_event_id) > now():
        await respond(send, 400)
    elif path == "/ends-for-good" and last_event_id:
        await respond(send, 204)
    else:
        if path == "/late-head":
            await asyncio.sleep(1.5)
        is_compressed = path.startswith("/gzip") and "gzip" in sent.get("accept-encoding", "")
        if is_compressed:
            headers["content-encoding"] = "gzip"
        await stream(path, headers, last_event_id, receive, send, is_compressed=is_compressed)


async def stream(
    path: str, headers: dict[str, str], last_event_id: str, receive: Receive, send: Send, *, is_compressed: bool
) -> None:
    """Send the events until the client disconnects."""
    compressor = zlib.compressobj(wbits=31) if is_compressed else None
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": pairs})
    disconnected = asyncio.create_task(closed(receive))
    group = b""
    async for event in events(path, last_event_id):
        if disconnected.done():
            return
        piece = event
        if compressor is not None:
            piece = compressor.compress(event)
            piece += compressor.flush(zlib.Z_SYNC_FLUSH) if path == "/gzip-flushed" else b""
        group += piece
        if path == "/bursts" and group.count(b"\n\n") < 4:
            continue
        await send({"type": "http.response.body", "body": group, "more_body": True})
        group = b""
    disconnected.cancel()
    await send({"type": "http.response.body", "body": group})


async def respond(send: Send, status: int) -> None:
    """Answer with a status and an empty body."""
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")] * (status != 204)}
    )
    await send({"type": "http.response.body", "body": b""})


async def closed(receive: Receive) -> None:
    """Wait until the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass

"""ASGI messages that several endpoints send: the parts of an event stream, and the 503 of a shutdown."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Message

from demo_server.streams.stream import Notice

HEADERS = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))


def head() -> Message:
    """Return the start of an event stream. The list is new each time: the CORS middleware appends to it."""
    return {"type": "http.response.start", "status": 200, "headers": list(HEADERS)}


def body(content: bytes) -> Message:
    """Return a part of a body that continues."""
    return {"type": "http.response.body", "body": content, "more_body": True}


def shutting_down() -> JSONResponse:
    """Return the 503 for a request that a shutdown has interrupted."""
    return JSONResponse({"detail": Notice.SHUTDOWN.value}, status_code=503)


# uvicorn waits for the client before it writes, not after. Sending this therefore waits until the kernel has taken the
# bytes of the message before.
DRAIN = body(b"")
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}

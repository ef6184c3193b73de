"""What is sent alike by several endpoints, in the words of ASGI: the parts of an event stream, and a last refusal."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Message

from demo_server.streams.stream import Notice

HEADERS = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))


def head() -> Message:
    """Return what an event stream begins with; anew each time, for the CORS middleware adds to the list."""
    return {"type": "http.response.start", "status": 200, "headers": list(HEADERS)}


def body(content: bytes) -> Message:
    """Return a part of a response that goes on."""
    return {"type": "http.response.body", "body": content, "more_body": True}


def going_down() -> JSONResponse:
    """Return the answer to a request that is no stream and that the end of the server has overtaken."""
    return JSONResponse({"detail": Notice.FAREWELL.value}, status_code=503)


# Sent when the kernel has not taken everything, this waits until it has: the server's `send` waits before it writes.
NOTHING = body(b"")
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}

"""What a response that is an event stream consists of, in the words of ASGI; whoever sends it."""

from __future__ import annotations

from starlette.types import Message

HEADERS = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))


def head() -> Message:
    """Return what an event stream begins with; anew each time, for the CORS middleware adds to the list."""
    return {"type": "http.response.start", "status": 200, "headers": list(HEADERS)}


def body(content: bytes) -> Message:
    """Return a part of a response that goes on."""
    return {"type": "http.response.body", "body": content, "more_body": True}


# Sent when the kernel has not taken everything, this waits until it has: the server's `send` waits before it writes.
NOTHING = body(b"")
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}

"""The access log: one JSON object per request on stderr, when the response is complete.

Streams are left out by default. A load test would log thousands of them, each long after its request.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from asyncio import WriteTransport
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo_server.options import AccessLog
from demo_server.streams.scope_keys import DIRECT_BYTES, STREAM_MARK, TRANSPORT_EXTENSION

logger = logging.getLogger("demo_server.access")


def logged(app: ASGIApp, which: AccessLog) -> ASGIApp:
    """Add an access log to an application."""
    if which is AccessLog.NONE:
        return app
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stderr))
        logger.setLevel(logging.INFO)
        logger.propagate = False

    async def logging_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await app(scope, receive, send)
            return
        entry = Entry(scope)
        try:
            await app(scope, receive, entry.recording(send))
        finally:
            if which is AccessLog.ALL or STREAM_MARK not in scope:
                logger.info(entry.line())

    return logging_app


class Entry:
    """The log entry of one request."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._transport: WriteTransport = scope["extensions"][TRANSPORT_EXTENSION]
        self._started_ns = time.monotonic_ns()
        self._status: int | None = None
        self._bytes = 0

    def recording(self, send: Send) -> Send:
        """Return a `send` that also records the status and the number of bytes."""

        async def send_and_record(message: Message) -> None:
            if self._transport.is_closing():
                pass  # the transport drops the message
            elif message["type"].endswith("http.response.body"):  # also sent to refuse a WebSocket
                self._bytes += len(message.get("body", b""))
            elif message["type"] == "websocket.send":
                self._bytes += len(message.get("text") or message.get("bytes") or "")
            elif message["type"] == "websocket.accept":
                self._status = 101
            else:
                self._status = message.get("status", self._status)
            await send(message)

        return send_and_record

    def line(self) -> str:
        """Return the line of the log. The status is null if the client disconnected before the response."""
        scope = self._scope
        host, port = scope["client"] or ("", 0)
        return json.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": f"{host}:{port}",
                "method": scope.get("method", "GET"),
                "path": scope["path"],
                "query": scope["query_string"].decode("latin-1"),
                "status": self._status,
                "bytes": self._bytes + scope.get(DIRECT_BYTES, 0),
                "duration_ms": round((time.monotonic_ns() - self._started_ns) / 1e6, 3),
            }
        )

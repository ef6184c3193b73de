"""Which pages may ask: those of this server, and those of this machine on any port.

CORS keeps a page from elsewhere from reading an answer. It keeps none from asking: a POST of plain text and a WebSocket
go through without a question to the server. So what such a page could do is refused here.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# A page that is opened as `localhost` and asks `127.0.0.1`, or another port of this machine.
OF_THIS_MACHINE = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"

READING = ("GET", "HEAD", "OPTIONS")


def readable_by_own_pages(app: ASGIApp) -> ASGIApp:
    """Return the application with CORS headers for the pages of this machine."""
    return CORSMiddleware(
        app,
        allow_origin_regex=OF_THIS_MACHINE,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Retry-After"],
    )


def closed_to_foreign_pages(app: ASGIApp) -> ASGIApp:
    """Return an application that lets pages from elsewhere neither write nor open a WebSocket."""

    async def closed_app(scope: Scope, receive: Receive, send: Send) -> None:
        is_reading = scope["type"] == "http" and scope["method"] in READING
        if is_reading or scope["type"] == "lifespan" or not is_foreign(Headers(scope=scope)):
            await app(scope, receive, send)
        else:
            refusal = JSONResponse({"detail": "pages of other origins may not do this"}, status_code=403)
            await refusal(scope, receive, send)

    return closed_app


def is_foreign(headers: Headers) -> bool:
    """Say whether a page of another origin asks; programs name none."""
    origin = headers.get("origin")
    if origin is None or origin.partition("://")[2] == headers.get("host"):
        return False
    return re.fullmatch(OF_THIS_MACHINE, origin) is None

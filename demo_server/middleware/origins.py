"""Allow requests from pages of this server and of this machine on any port; refuse those of other origins.

CORS prevents pages of other origins from reading responses. It does not prevent their requests: browsers send a POST of
plain text and open a WebSocket without a preflight request. These are therefore refused here.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# For example, a page at `localhost` that requests `127.0.0.1`, or one at another port.
LOCAL_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def allow_local_origins(app: ASGIApp) -> ASGIApp:
    """Add CORS headers for pages of this machine."""
    return CORSMiddleware(
        app,
        allow_origin_regex=LOCAL_ORIGIN,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Retry-After"],
    )


def refuse_other_origins(app: ASGIApp) -> ASGIApp:
    """Refuse writing requests and WebSockets from pages of other origins."""

    async def checked_app(scope: Scope, receive: Receive, send: Send) -> None:
        is_safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if is_safe or scope["type"] == "lifespan" or not is_other_origin(Headers(scope=scope)):
            await app(scope, receive, send)
        else:
            error_response = JSONResponse({"detail": "pages of other origins may only read"}, status_code=403)
            await error_response(scope, receive, send)

    return checked_app


def is_other_origin(headers: Headers) -> bool:
    """Say whether the request is from a page of another origin. Programs send no Origin header."""
    origin = headers.get("origin")
    if origin is None or origin.partition("://")[2] == headers.get("host"):
        return False
    return re.fullmatch(LOCAL_ORIGIN, origin) is None

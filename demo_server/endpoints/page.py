"""The page at ``/``: plain files under ``page/``, sent as they are, without a build step.

Nothing here knows about streams: the page is a client like any other, and reads what anybody may read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parents[1] / "page"

# Event data comes from anybody who may publish to a channel. The page shows it as text; should it ever fail to, the
# browser runs no script and loads no style but these files.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self' ws: wss:",  # older browsers do not count a WebSocket of this origin as 'self'
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "cache-control": "no-cache",  # kept, but asked for again each time: a new version shows at once
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
}
# Not left to the machine: on Windows a registry entry can make text/plain of a script, which no browser then runs.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def add_page(api: FastAPI) -> None:
    """Serve the page at ``/`` and its files under ``/page/``."""
    api.add_route("/", send_index, include_in_schema=False)
    api.mount("/page", PageFiles(directory=FOLDER), name="page")


async def send_index(_: Request) -> Response:
    """Send the page itself."""
    index = FOLDER / "index.html"
    return FileResponse(index, headers=HEADERS, media_type=MEDIA_TYPES[index.suffix])


class PageFiles(StaticFiles):
    """Static files with our headers."""

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        """Send a file, or 304 if the browser has it."""
        response = super().file_response(full_path, *args, **kwargs)
        response.headers.update(HEADERS)
        media_type = MEDIA_TYPES.get(Path(full_path).suffix)
        if media_type is not None and "content-type" in response.headers:
            response.headers["content-type"] = media_type
        return response

"""The page at ``/``: plain files of the folder ``page/``, without a build step.

The page is an ordinary client and uses only public endpoints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parents[1] / "page"

# Any client can publish event data to a channel. The page shows it as text. As a second line of defence, the browser
# runs only the scripts and styles of this folder.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self' ws: wss:",  # in older browsers, 'self' does not include WebSockets of the same origin
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "cache-control": "no-cache",  # cached, but revalidated each time, so that a new version is used at once
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
}
# Not from `mimetypes`: on Windows, the registry can map .js to text/plain, and browsers refuse such scripts.
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
    """Send the HTML of the page."""
    index = FOLDER / "index.html"
    return FileResponse(index, headers=HEADERS, media_type=MEDIA_TYPES[index.suffix])


class PageFiles(StaticFiles):
    """Static files with HEADERS and MEDIA_TYPES."""

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        """Return a file, or 304 if the browser has it."""
        response = super().file_response(full_path, *args, **kwargs)
        response.headers.update(HEADERS)
        media_type = MEDIA_TYPES.get(Path(full_path).suffix)
        if media_type is not None and "content-type" in response.headers:
            response.headers["content-type"] = media_type
        return response

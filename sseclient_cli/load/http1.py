"""HTTP/1.1 for a stream that is measured: request bytes out, response head and body in. Sans-I/O, around httptools.

What this file must not know: sockets, clocks, and what a body means.
"""

from __future__ import annotations

import httptools

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.target import Target

MAX_HEAD_BYTES = 256 * 1024
"""Chromium's limit for a response head (kMaxHeaderBufSize in its HTTP stream parser)."""


def request_bytes(target: Target) -> bytes:
    """Return the whole request, head and body (RFC 9112 3)."""
    url = target.parsed_url
    headers = target.stream_headers()
    names = {name.lower() for name, _ in headers}
    lines = [target.method.encode() + b" " + url.raw_path + b" HTTP/1.1"]
    if "host" not in names:
        lines.append(b"Host: " + url.netloc)
    lines += [f"{name}: {value}".encode() for name, value in headers]
    # RFC 9110 8.6: a method that means a body says the length of one that is empty.
    has_body = target.body is not None or target.method in ("POST", "PUT", "PATCH")
    if has_body and "content-length" not in names:
        lines.append(b"Content-Length: %d" % len(target.body or b""))
    return b"\r\n".join([*lines, b"", target.body or b""])


class ResponseReader:
    """Reads one response: bytes in any pieces -> ``status``, ``headers``, and its body piece by piece.

    It is its own httptools protocol object: ``on_*`` are called by ``feed``. Interim responses (1xx) are skipped
    (RFC 9110 15.2). Header names are lower case; of a repeated header the last value counts.
    """

    __slots__ = ("_body", "_head_bytes", "_headers", "_parser", "complete", "error", "headers", "status")

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._body: list[bytes] = []
        self.status = 0
        """The final status; 0 until the head is complete."""
        self.headers: dict[str, str] | None = None
        """The headers, once the head is complete."""
        self.complete = False
        """Whether the message has ended by its own framing (not by the connection's end)."""
        self.error: InvalidResponseError | None = None
        """Why no more of this can be read; what ``feed`` returned until then counts."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the connection and return the body bytes among them; look at ``error`` afterwards."""
        if self.headers is None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.error = InvalidResponseError(f"the head of the answer is larger than {MAX_HEAD_BYTES:,} bytes")
                return b""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.error = InvalidResponseError("the server switches to another protocol (status 101)")
        except httptools.HttpParserError as exc:
            self.error = InvalidResponseError(f"the answer is not valid HTTP/1.1: {exc}")
        body = self._body
        if not body:
            return b""
        whole = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        return whole

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection is this body's proper end (RFC 9112 6.3, point 8)."""
        headers = self.headers or {}
        return "transfer-encoding" not in headers and "content-length" not in headers

    # Called by httptools.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer says nothing that matters here."""
        if self.headers is None:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Publish the head of the final response."""
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
            self.headers = self._headers
        self._headers = {}

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body for ``feed``."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the final response."""
        self.complete = self.status != 0

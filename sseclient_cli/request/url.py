"""Parse a URL from a user or a server: the result is valid for all later steps, or a UsageError.

httpx (0.28) checks some parts of a URL only on access, and then also raises ValueErrors of idna and urllib. This module
therefore checks every part once, and rejects hosts that a resolver or a TLS library would reject.
"""

from __future__ import annotations

import re

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.redaction import redacted_url

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""The schemes of a stream's URL, each with the scheme of the HTTP request that opens the stream (RFC 6455 3)."""

MAX_LABEL_CHARS = 63
MAX_HOST_CHARS = 253
"""RFC 1035 2.3.4, without the length bytes. For longer names, Python's resolver raises UnicodeError."""


def parse_request_url(text: str) -> tuple[str, bytes]:
    """Return the URL without its userinfo and fragment, and the userinfo. Raises UsageError."""
    # As in curl, `localhost:8000/stream` is an http URL; `mailto:me@example.com` is not.
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9])", text):
        text = f"http://{text}"
    url = _read(text)
    if url.scheme not in SCHEMES:
        raise UsageError(f"cannot read {url.scheme}:// URLs: give an http://, https://, ws:// or wss:// URL")
    shown = redacted_url(text, malformed=True)
    # httpx percent-encodes invalid characters of a host; browsers reject such a URL, and so does this function.
    if not _is_host(url.raw_host.decode("ascii")):
        raise UsageError(f"{shown!a} names no valid host: write it like http://127.0.0.1:8000/stream")
    if url.port is not None and not 0 < url.port < 65536:
        raise UsageError(f"{shown!a} has port {url.port}: ports are 1 to 65535")
    userinfo = f"{url.username}:{url.password}".encode() if url.userinfo else b""
    return str(url.copy_with(userinfo=b"", fragment=None)), userinfo


def joined_url(base: httpx.URL, location: str) -> httpx.URL:
    """Resolve a Location (each byte as one character) against the requested URL. Raises UsageError."""
    # Percent-encode bytes beyond ASCII unchanged, in any encoding.
    reference = "".join(c if c < "\x80" else f"%{ord(c):02X}" for c in location)
    try:
        return base.join(reference)
    except (httpx.InvalidURL, ValueError) as exc:
        raise UsageError(f"{redacted_url(location, malformed=True)!a} is not a URL") from exc


def _read(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as exc:
        shown = redacted_url(text, malformed=True)
        if "@" in shown:
            # Without the reason of httpx, which quotes the supposed port: it may be a part of the password.
            reason = "write @, /, ?, # and : in a user name or password as %40, %2F, %3F, %23 and %3A"
        else:
            reason = str(exc)
        raise UsageError(f"{shown!a} is not a URL: {reason}") from exc


def _is_host(host: str) -> bool:
    if ":" in host:  # IPv6, which httpx has checked; a zone is only valid on one machine
        return "%" not in host
    labels = host.removesuffix(".").split(".")
    return (
        "%" not in host and len(host) <= MAX_HOST_CHARS and all(0 < len(label) <= MAX_LABEL_CHARS for label in labels)
    )

"""Compute the next request of a redirect, by the rules of the Fetch standard (4.4 HTTP-redirect fetch).

https://fetch.spec.whatwg.org/#http-redirect-fetch

httpx (0.28) is not used for it, because it reads the body of each redirect to its end, which may never come. Each
request of a redirect chain is a ``Target`` of its own, so later requests do not regain dropped credentials. This module
must not know connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sseclient_cli.errors import BadStatusError, UsageError
from sseclient_cli.redaction import carries_credential, redacted_url
from sseclient_cli.request.cookies import with_set_cookies
from sseclient_cli.request.target import Target
from sseclient_cli.request.url import joined_url

MAX_REDIRECTS = 20
"""The limit of the Fetch standard (4.4, step 5), and of httpx."""

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
"""Fetch 2.2.3: "A redirect status is a status that is 301, 302, 303, 307, or 308"."""

# "Request-body-header name" (Fetch 2.2.2), and the headers that frame a body.
_BODY_HEADERS = frozenset(
    {
        *("content-encoding", "content-language", "content-location", "content-type"),
        *("content-length", "transfer-encoding"),
    }
)


_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}
"""Servers redirect a WebSocket to the http:// URL of its handshake, too (RFC 6455 3)."""


def redirected(target: Target, status: int, headers: Mapping[str, str]) -> Target:
    """Return the next request. Raises BadStatusError for an invalid redirect.

    Names of ``headers`` are lower case, and each byte of a value is one character.
    """
    moved = replace(target, url=_location(target, status, headers))
    if target.shown_url is not None:  # the path may repeat a value of the stream
        scheme, host, _ = moved.origin
        moved = replace(moved, shown_url=f"{scheme}://{host}/...")
    if (status in (301, 302) and target.method == "POST") or (status == 303 and target.method not in ("GET", "HEAD")):
        moved = _without(replace(moved, method="GET", body=None), _BODY_HEADERS)
    if moved.origin != target.origin:
        return _to_another_origin(target, moved, status, headers)
    return _with_cookies(moved, headers["set-cookie"], target) if "set-cookie" in headers else moved


def _to_another_origin(target: Target, moved: Target, status: int, headers: Mapping[str, str]) -> Target:
    """Drop everything that is only for the first origin."""
    if moved.body:
        # The Fetch standard and curl send it again. But a body may contain credentials for the server that the user
        # named.
        raise BadStatusError(
            f"{target.redacted_url} redirects ({status}) the {target.method} to another origin, {moved.redacted_url}: "
            "its body is not sent there; give that URL if you trust it",
            status=status,
            headers=headers,
        )
    # Step 13 drops Authorization; unlike a browser, users also set other credentials (X-Api-Key). Host, connect_to and
    # unix_socket belong to the first origin. A client certificate is kept: its private key never leaves the client.
    kept = tuple(
        (name, value) for name, value in moved.headers if name.lower() != "host" and not carries_credential(name, value)
    )
    return replace(moved, headers=kept, connect_to=None, unix_socket=None)


def too_many_redirects(target: Target, status: int, headers: Mapping[str, str]) -> BadStatusError:
    """Build the error for a redirect beyond the limit."""
    return BadStatusError(
        f"more than {MAX_REDIRECTS} redirects, the last one to {target.redacted_url}: give the stream's own URL",
        status=status,
        headers=headers,
    )


def _location(target: Target, status: int, headers: Mapping[str, str]) -> str:
    """Resolve the Location against the requested URL; drop its userinfo and fragment."""
    location = headers.get("location", "").strip()
    # An empty Location is valid, but means the same URL: it would be a redirect loop.
    problem, cause = "without a Location", None
    if location:
        shown = ascii(redacted_url(location, malformed=True)[:200])
        problem = f"to {shown}, which is not an http:// or https:// URL"
        try:
            url = joined_url(target.parsed_url, location)
            # Target.parse alone would accept `javascript:1` as a host and a port.
            if target.is_websocket:
                url = url.copy_with(scheme=_WEBSOCKET_SCHEMES.get(url.scheme, url.scheme))
            if url.scheme in (("ws", "wss") if target.is_websocket else ("http", "https")):
                return Target.parse(str(url)).url
        except UsageError as exc:
            cause = exc
            if "://" in location:
                problem = f"to {shown}, which is not a valid URL"
    raise BadStatusError(
        f"{target.redacted_url} redirects ({status}) {problem}: give the stream's own URL",
        status=status,
        headers=headers,
    ) from cause


def _without(target: Target, names: frozenset[str]) -> Target:
    return replace(target, headers=tuple(pair for pair in target.headers if pair[0].lower() not in names))


def _with_cookies(moved: Target, set_cookie: str, asked: Target) -> Target:
    """Add the cookies that the redirect has set."""
    before = "; ".join(value for name, value in moved.headers if name.lower() == "cookie")
    url = moved.parsed_url
    cookie = with_set_cookies(
        before, set_cookie, asked.parsed_url.path, url.path, is_https=moved.http_scheme == "https"
    )
    if cookie == before:
        return moved
    others = _without(moved, frozenset({"cookie"}))
    return replace(others, headers=(*others.headers, ("Cookie", cookie))) if cookie else others

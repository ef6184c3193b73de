"""Where a redirect leads, by the rules of the Fetch standard (4.4 HTTP-redirect fetch).

https://fetch.spec.whatwg.org/#http-redirect-fetch

Not left to httpx, which reads the body of each redirect to its end: a server that sends none would be waited for
for ever. Every hop is a ``Target`` of its own, so that what is dropped on the way stays dropped. This file must not
know connections.
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

# "Request-body-header name" (Fetch 2.2.2), and what frames a body.
_BODY_HEADERS = frozenset(
    {
        *("content-encoding", "content-language", "content-location", "content-type"),
        *("content-length", "transfer-encoding"),
    }
)


def redirected(target: Target, status: int, headers: Mapping[str, str]) -> Target:
    """Return what to request next; raises BadStatusError for a redirect that leads nowhere.

    ``headers`` have names in lower case, and each byte of a value as one character.
    """
    moved = replace(target, url=_location(target, status, headers))
    if (status in (301, 302) and target.method == "POST") or (status == 303 and target.method not in ("GET", "HEAD")):
        moved = _without(replace(moved, method="GET", body=None), _BODY_HEADERS)
    if moved.origin != target.origin:
        return _to_another_origin(target, moved, status, headers)
    return _with_cookies(moved, headers["set-cookie"], target) if "set-cookie" in headers else moved


def _to_another_origin(target: Target, moved: Target, status: int, headers: Mapping[str, str]) -> Target:
    """Leave behind what was given for one origin alone."""
    if moved.body:
        # The Fetch standard and curl send it again. But a body may hold credentials, and the user named one server.
        raise BadStatusError(
            f"{target.redacted_url} redirects ({status}) the {target.method} to another origin, {moved.redacted_url}: "
            "its body is not sent there; give that URL if you trust it",
            status=status,
            headers=headers,
        )
    # Step 13 has it for Authorization; a browser never has others among a request's own headers, but people do
    # (X-Api-Key). Host names the origin that it was given for, and so does where that origin is found. A client
    # certificate stays: nobody can take it from a handshake.
    kept = tuple(
        (name, value) for name, value in moved.headers if name.lower() != "host" and not carries_credential(name, value)
    )
    return replace(moved, headers=kept, connect_to=None, unix_socket=None)


def too_many_redirects(target: Target, status: int, headers: Mapping[str, str]) -> BadStatusError:
    """Build the error for one redirect more than are followed."""
    return BadStatusError(
        f"more than {MAX_REDIRECTS} redirects, the last one to {target.redacted_url}: give the stream's own URL",
        status=status,
        headers=headers,
    )


def _location(target: Target, status: int, headers: Mapping[str, str]) -> str:
    """Resolve the Location against the URL that was asked; its userinfo and fragment are not sent."""
    location = headers.get("location", "").strip()
    # An empty one is valid and means the same URL again: 20 times, for nothing.
    problem, cause = "without a Location", None
    if location:
        shown = ascii(redacted_url(location, malformed=True)[:200])
        problem = f"to {shown}, which is not an http:// or https:// URL"
        try:
            url = joined_url(target.parsed_url, location)
            # Parsing, it would be given the benefit of the doubt: `javascript:1` has the shape of a host and port.
            if url.scheme in ("http", "https"):
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
    """Send back what the redirect has set."""
    before = "; ".join(value for name, value in moved.headers if name.lower() == "cookie")
    url = moved.parsed_url
    cookie = with_set_cookies(before, set_cookie, asked.parsed_url.path, url.path, is_https=url.scheme == "https")
    if cookie == before:
        return moved
    others = _without(moved, frozenset({"cookie"}))
    return replace(others, headers=(*others.headers, ("Cookie", cookie))) if cookie else others

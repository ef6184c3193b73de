"""A response that is no event stream, as an error: what it is, what the server says of it, and what to do.

Pure. Both clients build these errors here, so that one stream and one of thousands are refused in the same words. Text
from the server comes in escaped and cut. Messages name facts and arguments; the command line adds its options
(``cli/advice.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus

from sseclient_cli.errors import BadStatusError, UnexpectedResponseError, WrongContentTypeError
from sseclient_cli.escaping import visible
from sseclient_cli.redaction import redacted_text
from sseclient_cli.request.target import Target
from sseclient_cli.sse.reconnection import StopReason

MAX_BODY_BYTES = 4096
"""As much of a refusal's body is read: error documents of APIs are smaller, and pages say what matters first."""

# What nginx, Apache and Go answer to plain HTTP on a port for TLS.
_TLS_PORT = re.compile(rb"plain HTTP|HTTP request to an HTTPS server", re.IGNORECASE)

MAX_SHOWN_CHARS = 300
"""As much of it is shown."""

_ADVICE = {
    400: "check the request's parameters, headers and body",
    401: "give valid credentials",
    403: "give credentials that allow this",
    404: "check the path",
    405: "use another method",
    406: "send an Accept header with the types that the server offers",
    407: "give the proxy's user and password in its URL, http://USER:PASSWORD@HOST:PORT",
    415: "check the body's Content-Type",
    421: "this server does not answer for that host",
    422: "check the request's parameters and body",
    426: "the server wants another protocol",
    429: "the server wants fewer requests",
    502: "the proxy has no answer from the server behind it; it may be restarting",
    503: "the server is not available now",
    504: "the proxy waited too long for the server behind it",
}

# Where an API's error document says what went wrong: the usual names, the most specific first.
_MESSAGE_NAMES = ("message", "msg", "detail", "error_description", "error", "title", "reason")

_TYPES = {
    "text/plain": "the server has not set the type of an event stream",
    "text/html": "this is a web page: check the URL",
    "application/octet-stream": "the server has not set the type of an event stream",
    "application/x-ndjson": "this is newline-delimited JSON, which is another format",
    "application/ndjson": "this is newline-delimited JSON, which is another format",
    "application/jsonl": "this is newline-delimited JSON, which is another format",
    "application/json-seq": "this is a JSON text sequence, which is another format",
}


TLS_PORT_ADVICE = "this port speaks TLS: write https:// instead of http://"


def tls_hint(target: Target) -> str:
    """Return the question to add where a connection ends without an answer: so do many servers of TLS."""
    is_plain = target.parsed_url.scheme == "http" and target.proxy is None
    return "; does this port speak TLS (https://)?" if is_plain else ""


def refused(
    target: Target, status: int, headers: Mapping[str, str], body: bytes, reason: StopReason, *, led_from: Target | None
) -> UnexpectedResponseError:
    """Build the error for a response to a request for ``target``, which a redirect from ``led_from`` may have led to.

    ``body`` is the beginning of the response's body, as far as it is here; ``headers`` have names in lower case.
    """
    # Where a proxy passes requests on, either of the two may have answered.
    through = "" if target.proxy is None or target.is_tunnelled else f" through {target.proxy}"
    asked = f"{target.method} {target.redacted_url}{through} answered {status}"
    said = words_of(body)
    says = f"; the {'proxy' if status == 407 else 'server'} says: {said}" if said else ""
    body = body[:MAX_BODY_BYTES]
    if reason is StopReason.WRONG_CONTENT_TYPE:
        content_type = headers.get("content-type", "")[:100]
        found = f"{content_type!a}" if content_type else "no Content-Type"
        cause = _cause_of_type(content_type, target)
        message = f"{asked} with {found}, not text/event-stream: {cause}{says}"
        return WrongContentTypeError(message, status=status, headers=headers, body=body)
    # The phrase is the standard's: the server's own would be text from outside in a message of ours.
    with suppress(ValueError):
        asked += f" {HTTPStatus(status).phrase}"
    default = "look at the server's log" if status >= 500 else "check the URL"
    has_other_method = led_from is not None and led_from.method != target.method
    redirect_facts = _redirect_facts(target, led_from)
    advice = _ADVICE.get(status, default)
    if status == 405 and has_other_method:
        advice = redirect_facts.pop()  # it explains the status; another method would not help
    facts = [*_header_facts(status, headers), *redirect_facts]
    if status == 400 and target.parsed_url.scheme == "http" and _TLS_PORT.search(body):
        advice = TLS_PORT_ADVICE
    return BadStatusError(
        "; ".join([f"{asked}: {advice}", *facts]) + says,
        status=status,
        headers=headers,
        body=body,
        code="redirect-changed-method" if has_other_method else "",
    )


def _cause_of_type(content_type: str, target: Target) -> str:
    essence = content_type.partition(";")[0].strip().lower()
    if not essence:
        return "the server must send Content-Type: text/event-stream"
    if essence == "application/json" or essence.endswith("+json"):
        if target.body is not None and b'"stream"' not in target.body:
            return 'this is one JSON answer: does the request need "stream": true?'
        return "this is one JSON answer, not a stream: it may be an error, or the endpoint does not stream"
    return _TYPES.get(essence, "check the URL and what it needs to stream")


def _header_facts(status: int, headers: Mapping[str, str]) -> Iterable[str]:
    """Yield what headers say that matters for this status."""
    wanted = {401: ("www-authenticate", "WWW-Authenticate"), 405: ("allow", "Allow"), 426: ("upgrade", "Upgrade")}
    name, shown = wanted.get(status, ("retry-after", "Retry-After"))
    value = headers.get(name, "").strip()
    if value:
        yield f"{shown}: {visible(value[:MAX_SHOWN_CHARS], keep_lines=False)}"


def _redirect_facts(target: Target, led_from: Target | None) -> list[str]:
    """Return what a redirect changed in the request; the method is the last."""
    facts: list[str] = []
    if led_from is None:
        return facts
    names = {name.lower() for name, _ in target.headers}
    dropped = [name for name, _ in led_from.headers if name.lower() not in names]
    if dropped and led_from.origin != target.origin:
        facts.append(f"a redirect to another origin dropped {', '.join(dropped)}: give the stream's own URL")
    if led_from.method != target.method:
        facts.append(f"a redirect turned {led_from.method} into {target.method}: give the stream's own URL")
    return facts


def words_of(body: bytes) -> str:
    """Return what a response's body says, in one line, escaped and cut; empty for an empty one."""
    text = body.decode("utf-8", "replace").strip()
    found = None
    with suppress(ValueError, RecursionError):
        found = _message_in(json.loads(text), depth=4)
    shown = redacted_text(" ".join((found or text).split()))
    return visible(shown[:MAX_SHOWN_CHARS] + ("…" if len(shown) > MAX_SHOWN_CHARS else ""), keep_lines=False)


def _place_of(error: dict[str, object]) -> str:
    """Return what FastAPI says is wrong: ``{"loc": ["query", "rate"], "msg": ...}``."""
    place = error.get("loc")
    if not isinstance(place, list) or not all(isinstance(part, str | int) for part in place):
        return ""
    return ".".join(map(str, place)) + ": "


def _message_in(value: object, depth: int) -> str | None:
    """Look for the message in an API's error document."""
    if isinstance(value, str):
        return value or None
    if depth and isinstance(value, list):
        return next((found for each in value if (found := _message_in(each, depth - 1))), None)
    if depth and isinstance(value, dict):
        for name in _MESSAGE_NAMES:
            found = _message_in(value.get(name), depth - 1)
            if found:
                return _place_of(value) + found
    return None

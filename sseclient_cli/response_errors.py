"""Build the error for a response that is not an event stream: the facts, the server's own message, and a hint.

Pure. Both clients (one stream, many streams) build their errors here, so their messages are the same. Text from the
server is escaped and truncated. Messages mention facts and arguments; the command line adds its options
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
from sseclient_cli.redaction import MAX_SHOWN_CHARS, shown_text
from sseclient_cli.request.target import Target
from sseclient_cli.sse.response_check import StopReason

MAX_BODY_BYTES = 4096
"""How much of the response's body is read. JSON errors of APIs are smaller, and pages have the message at the top."""

# The answer of nginx, Apache and Go to plain HTTP on a TLS port.
_TLS_PORT = re.compile(rb"plain HTTP|HTTP request to an HTTPS server", re.IGNORECASE)


_ADVICE = {
    400: "check the request's parameters, headers and body",
    401: "give valid credentials",
    403: "give credentials that allow this",
    404: "check the path",
    405: "use another method",
    406: "send an Accept header with the types that the server offers",
    407: "give the proxy's user and password in its URL, http://USER:PASSWORD@HOST:PORT",
    415: "check the body's Content-Type",
    421: "this server is not responsible for that host",
    422: "check the request's parameters and body",
    426: "the server requires another protocol",
    429: "send fewer requests",
    502: "the proxy got no valid response from the server behind it, which may be restarting",
    503: "the server is temporarily unavailable",
    504: "the server behind the proxy did not respond in time",
}

# The usual names of the message in a JSON error, the most specific first.
_MESSAGE_NAMES = ("message", "msg", "detail", "error_description", "error", "title", "reason")

_TYPES = {
    "text/plain": "the server must send Content-Type: text/event-stream",
    "text/html": "this is a web page: check the URL",
    "application/octet-stream": "the server must send Content-Type: text/event-stream",
    "application/x-ndjson": "this is newline-delimited JSON, which is another format",
    "application/ndjson": "this is newline-delimited JSON, which is another format",
    "application/jsonl": "this is newline-delimited JSON, which is another format",
    "application/json-seq": "this is a JSON text sequence, which is another format",
}


TLS_PORT_ADVICE = "this port speaks TLS: write https:// instead of http://"

NO_WEBSOCKET = "this URL does not open a WebSocket: check it, or write http:// for an event stream"


def response_error(
    target: Target,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    reason: StopReason,
    *,
    redirected_from: Target | None,
) -> UnexpectedResponseError:
    """Build the error for the response to ``target``. ``redirected_from`` is the start of a redirect chain, if any.

    ``body`` is the start of the response's body, as far as it has arrived; header names are lower case.
    """
    # With a forwarding proxy, the response may come from the proxy or the server.
    through = "" if target.proxy is None or target.is_tunnelled else f" through {target.proxy}"
    asked = f"{target.method} {target.redacted_url}{through} answered {status}"
    said = target.masked(body_message(body))
    says = f"; the {'proxy' if status == 407 else 'server'} says: {said}" if said else ""
    body = body[:MAX_BODY_BYTES]
    if reason is StopReason.WRONG_CONTENT_TYPE:
        content_type = headers.get("content-type", "")[:100]
        found = f"{content_type!a}" if content_type else "no Content-Type"
        cause = _cause_of_type(content_type, target)
        message = f"{asked} with {found}, not text/event-stream: {cause}{says}"
        return WrongContentTypeError(message, status=status, headers=headers, body=body)
    # The standard reason phrase, because the server's own phrase is untrusted text.
    with suppress(ValueError):
        asked += f" {HTTPStatus(status).phrase}"
    default = "check the server's log" if status >= 500 else "check the URL"
    if target.is_websocket and status < 400:
        default = NO_WEBSOCKET
    has_other_method = redirected_from is not None and redirected_from.method != target.method
    redirect_facts = _redirect_facts(target, redirected_from)
    advice = _ADVICE.get(status, default)
    if status == 405 and has_other_method:
        advice = redirect_facts.pop()  # it explains the status; another method would not help
    facts = [*_header_facts(status, headers), *redirect_facts]
    if status == 400 and target.http_scheme == "http" and _TLS_PORT.search(body):
        advice = TLS_PORT_ADVICE if not target.is_websocket else "this port speaks TLS: write wss:// instead of ws://"
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
            return 'this is a single JSON response: does the request need "stream": true?'
        return "this is a single JSON response, not a stream: it may be an error, or the endpoint does not stream"
    return _TYPES.get(essence, "check the URL, and whether it needs parameters to stream")


def _header_facts(status: int, headers: Mapping[str, str]) -> Iterable[str]:
    """Yield the headers that are relevant for this status."""
    wanted = {401: ("www-authenticate", "WWW-Authenticate"), 405: ("allow", "Allow"), 426: ("upgrade", "Upgrade")}
    name, shown = wanted.get(status, ("retry-after", "Retry-After"))
    value = headers.get(name, "").strip()
    if value:
        yield f"{shown}: {visible(value[:MAX_SHOWN_CHARS], keep_lines=False)}"
    if status == 426 and value.lower() == "websocket":
        yield "write ws:// or wss:// for a WebSocket"


def _redirect_facts(target: Target, redirected_from: Target | None) -> list[str]:
    """Return the changes that redirects made to the request; the method is the last."""
    facts: list[str] = []
    if redirected_from is None:
        return facts
    names = {name.lower() for name, _ in target.headers}
    dropped = [name for name, _ in redirected_from.headers if name.lower() not in names]
    if dropped and redirected_from.origin != target.origin:
        facts.append(f"a redirect to another origin dropped {', '.join(dropped)}: give the stream's own URL")
    if redirected_from.method != target.method:
        facts.append(f"a redirect turned {redirected_from.method} into {target.method}: give the stream's own URL")
    return facts


def body_message(body: bytes) -> str:
    """Return the message in a response's body as one line, escaped and truncated; empty for an empty body."""
    text = body.decode("utf-8", "replace").strip()
    found = None
    with suppress(ValueError, RecursionError):
        found = _message_in(json.loads(text), depth=4)
    return shown_text(found or text)


def _place_of(error: dict[str, object]) -> str:
    """Return the invalid parameter in an error of FastAPI: ``{"loc": ["query", "rate"], "msg": ...}``."""
    place = error.get("loc")
    if not isinstance(place, list) or not all(isinstance(part, str | int) for part in place):
        return ""
    return ".".join(map(str, place)) + ": "


def _message_in(value: object, depth: int) -> str | None:
    """Find the message in a JSON error."""
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

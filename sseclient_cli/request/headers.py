"""Parse the headers of a request, as typed on a command line: ``Name: value``, a bearer token, userinfo of the URL."""

from __future__ import annotations

import json
import re
from base64 import b64encode

from sseclient_cli.errors import UsageError

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 5.6.2: a field name and a method are tokens."""

# RFC 9110 5.5: a field value has no CR, LF or NUL; other control characters are invalid too, as in httptools.
_FIELD_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")

# Headers that both clients compute from the body.
_FRAMING_HEADERS = frozenset({"content-length", "transfer-encoding"})


def parse_headers(
    lines: list[str] | tuple[str, ...], bearer: str | None, userinfo: bytes, *, has_json_body: bool
) -> tuple[tuple[str, str], ...]:
    """Parse header lines, and add the headers of other arguments unless a line has them. Raises UsageError."""
    pairs = [_parse_header(text) for text in lines]
    names = {name.lower() for name, _ in pairs}
    if bearer is not None:
        if not bearer.strip():
            raise UsageError("`bearer` is empty", arguments=["bearer"])
        if "authorization" in names:
            words = "`bearer` and an Authorization header exclude each other: leave one out"
            raise UsageError(words, arguments=["bearer"])
        pairs.append(("Authorization", checked_value(f"Bearer {bearer}", "`bearer`", "bearer")))
    elif userinfo and "authorization" not in names:
        pairs.append(("Authorization", "Basic " + b64encode(userinfo).decode()))
    if has_json_body and "content-type" not in names:
        pairs.append(("Content-Type", "application/json"))
    return tuple(pairs)


def _parse_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not TOKEN.fullmatch(name):
        # Show only the first word: without a colon, the rest may be a credential.
        raise UsageError(f"{text.split(' ')[0]!r} is not a header: write it like 'Name: value'", arguments=["headers"])
    if name.lower() in _FRAMING_HEADERS:
        raise UsageError(f"{name} cannot be set: it is computed from the body", arguments=["headers"])
    return name, checked_value(value.strip(" \t"), f"header {name}", "headers")


def is_json(body: str) -> bool:
    """Return whether a request body is valid JSON."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def checked_value(value: str, what: str, argument: str) -> str:
    """Return a header value; ``what`` names it in the error. Raises UsageError."""
    if not _FIELD_VALUE.fullmatch(value):
        raise UsageError(f"{what} has a control character in its value", arguments=[argument])
    try:
        value.encode()
    except UnicodeError as exc:
        raise UsageError(f"{what} has bytes in its value that are not UTF-8", arguments=[argument]) from exc
    return value

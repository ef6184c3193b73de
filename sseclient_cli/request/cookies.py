"""The cookies of a redirect chain within one origin (RFC 6265): login gates set one, redirect, and check it.

Cookies are never kept beyond a redirect chain, and never sent to another origin. Both clients pass the Set-Cookie
headers of a response joined by commas.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# A comma between two cookies precedes a name and "="; the comma in an Expires date does not.
_BETWEEN = re.compile(r",\s*(?=[^\s;,=]+=)")

MAX_COOKIE_BYTES = 8192
"""Servers commonly reject a longer header field (Apache 8,190, nginx 8 KiB); curl has the same limit."""


def with_set_cookies(cookie: str, set_cookie: str, asked_path: str, next_path: str, *, is_https: bool) -> str:
    """Return the next request's Cookie header: ``cookie`` plus the cookies set by the response to ``asked_path``."""
    known = dict(_pair(part) for part in cookie.split(";") if "=" in part)
    for line in _BETWEEN.split(set_cookie):
        pair, *attributes = line.split(";")
        if "=" not in pair or not (pair.isascii() and pair.isprintable()):
            continue  # RFC 6265 4.1.1 allows only these characters; a line end would inject a header
        name, value = _pair(pair)
        rules = {key.lower(): text for key, text in map(_pair, attributes)}
        path = rules.get("path", "")
        if not path.startswith("/"):
            path = asked_path.rpartition("/")[0] or "/"  # RFC 6265 5.1.4
        if _is_over(rules):
            known.pop(name, None)
        elif _matches(next_path, path) and (is_https or "secure" not in rules):
            known[name] = value
    text = "; ".join(f"{name}={value}" for name, value in known.items())
    return text if len(text) <= MAX_COOKIE_BYTES else cookie


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(" \t"), value.strip(" \t")


def _is_over(rules: dict[str, str]) -> bool:
    """Return whether the cookie has expired: Max-Age takes precedence over Expires (RFC 6265 5.3)."""
    if re.fullmatch(r"-?[0-9]{1,15}", rules.get("max-age", "")):
        return int(rules["max-age"]) <= 0
    try:
        expires = parsedate_to_datetime(rules.get("expires", ""))
    except (ValueError, TypeError, IndexError):
        return False
    return expires.replace(tzinfo=expires.tzinfo or UTC) <= datetime.now(UTC)


def _matches(path: str, cookie_path: str) -> bool:
    """Return whether a cookie with this path is sent for a path (RFC 6265 5.1.4)."""
    return path.startswith(cookie_path) and (
        len(path) == len(cookie_path) or cookie_path.endswith("/") or path[len(cookie_path)] == "/"
    )

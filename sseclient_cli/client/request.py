"""What an EventSource asks for, as a ``Target``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sseclient_cli.errors import UsageError
from sseclient_cli.target import Target


def target_of(
    url: str | Target, method: str | None, headers: Mapping[str, str | None] | None, body: bytes | str | None
) -> Target:
    """Return the target of a URL with these; a ``Target`` itself has them already. Raises UsageError."""
    if isinstance(url, Target):
        if (method, headers, body) != (None, None, None):
            raise UsageError("a Target brings its own method, headers and body: give them there")
        return url
    lines = [f"{name}: {value}" for name, value in (headers or {}).items() if value is not None]
    content = body.encode() if isinstance(body, str) else body
    chosen = method or ("GET" if body is None else "POST")
    return replace(Target.parse(url, method=chosen, headers=lines), body=content)

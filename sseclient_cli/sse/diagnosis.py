"""Explain why a body contained no event, from its first bytes.

Pure. A body without events is the most frequent problem of a first attempt, and its first bytes show the cause.
"""

from __future__ import annotations

from sseclient_cli.escaping import visible

MAX_BYTES = 1024
"""How much of the body is examined. The first lines show the cause; later ones rarely do."""

MAX_QUOTED_CHARS = 60

_FIELDS = ("data", "event", "id", "retry")


def explain(first: bytes, total_bytes: int) -> str:
    """Explain why a body of ``total_bytes`` with this start contained no event; empty if it has no fault."""
    text = first[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cause = _cause(text.lstrip(), lines, is_whole=total_bytes <= MAX_BYTES)
    return f"{total_bytes:,} bytes received but no event: {cause}" if cause else ""


def explain_line(first: bytes, total_bytes: int) -> str:
    """Explain why a body of lines with this start contained no line; empty if it has no fault."""
    if not first.strip() or b"\n" in first or b"\r" in first:
        return ""  # blank lines of NDJSON: heartbeats
    quoted = _quote(first[:MAX_BYTES].decode("utf-8", "replace"))
    return f"{total_bytes:,} bytes received but no event: no line end follows {quoted}; the format `chunks` needs none"


def _cause(text: str, lines: list[str], *, is_whole: bool) -> str:
    if text[:1] in ("{", "["):
        return f"it is JSON, not an event stream: {_quoted(lines)}"
    if text[:1] == "<":
        return f"it is HTML or XML, not an event stream: {_quoted(lines)}"
    meant = [(number, line) for number, line in enumerate(lines, 1) if line and not _needs_no_data(line)]
    if not meant:
        return ""  # a quiet stream
    return _misspelt(meant) or _incomplete(meant, lines, is_whole=is_whole)


def _needs_no_data(line: str) -> bool:
    """Return whether a line is a comment (a heartbeat) or a reconnection time, which better-sse sends at the start."""
    name, _, value = line.partition(":")
    return not name or (name == "retry" and value.removeprefix(" ").isdecimal())


def _misspelt(meant: list[tuple[int, str]]) -> str:
    """Find a misspelt field, which the parser ignores (9.2.6: "the whole line as the field name")."""
    for number, line in meant:
        name, colon, _ = line.partition(":")
        if not colon and name not in _FIELDS and name.split(" ")[0] in _FIELDS:
            return f"line {number} {_quote(line)} has no colon after the field's name"
        if name not in _FIELDS and name.strip() in _FIELDS:
            return f"line {number} {_quote(line)} has spaces around the field's name"
    return ""


def _incomplete(meant: list[tuple[int, str]], lines: list[str], *, is_whole: bool) -> str:
    if any(line.partition(":")[0] == "data" for _, line in meant):
        ends = "no blank line ends the event"
        return ends if is_whole or "" not in lines[:-1] else f"the last event is not complete: {ends}"
    number, line = meant[0]
    return f"no line is a data field; line {number} is {_quote(line)}"


def _quoted(lines: list[str]) -> str:
    return _quote(next((line for line in lines if line.strip()), ""))


def _quote(line: str) -> str:
    cut = line if len(line) <= MAX_QUOTED_CHARS else line[:MAX_QUOTED_CHARS] + "…"
    return f"'{visible(cut, keep_lines=False)}'"

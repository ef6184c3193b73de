"""Short words for observed values: times, headers, IDs, lists. Everything from a server is cut and made safe."""

from __future__ import annotations

from collections.abc import Sequence

from sseclient_cli.escaping import visible
from sseclient_cli.redaction import redacted_header, redacted_text

MAX_CHARS = 80
MAX_ID_CHARS = 40
MAX_LISTED = 3


def time_words(time_s: float) -> str:
    """Return a time: ``3 ms``, ``1.2 s``, ``45 s``."""
    if time_s < 0.9995:
        return f"{time_s * 1000:.0f} ms"
    return f"{time_s:.1f} s" if time_s < 9.95 else f"{time_s:.0f} s"


def shown_header(name: str, value: str) -> str:
    """Return the value of a header, without credentials."""
    return cut(redacted_header(name, value))


def shown_id(event_id: str) -> str:
    """Return an event ID in quotes."""
    return f"'{cut(event_id, MAX_ID_CHARS)}'"


def listed(items: Sequence[str]) -> str:
    """Return the first items, and how many there are more."""
    more = len(items) - MAX_LISTED
    return ", ".join(items[:MAX_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def shown_ids(ids: Sequence[str]) -> str:
    """Return the first IDs of a list."""
    return listed([shown_id(each) for each in ids])


def shown_line(line: bytes) -> str:
    """Return a line of a stream in quotes, without credentials in its URLs."""
    return f"'{cut(redacted_text(line.decode('utf-8', 'replace')), MAX_ID_CHARS)}'"


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 event``, ``2 events``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_words(size_bytes: int) -> str:
    """Return a size: ``512 B``, ``64 KiB``, ``1.5 MiB``."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    kib = size_bytes / 1024
    return f"{kib:,.0f} KiB" if kib < 1024 else f"{kib / 1024:,.1f} MiB"


def cut(text: str, max_chars: int = MAX_CHARS) -> str:
    """Return the text without control characters, cut to a length."""
    safe = visible(text[: max_chars + 1], keep_lines=False)
    return safe if len(safe) <= max_chars else safe[:max_chars] + "…"

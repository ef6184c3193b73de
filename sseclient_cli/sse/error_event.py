"""Recognise events that report an error. After status 200, a server can report an error only within the stream.

No standard defines such events. Two forms are common: an event of type ``error``, and JSON data with a top-level
``error``.
"""

from __future__ import annotations

import json

from sseclient_cli.sse.event_stream import Event

ERROR_TYPE = "error"


def is_error_event(event: Event) -> bool:
    """Return whether an event reports an error. ``"error": null`` (or false, or empty) is not an error."""
    if event.type == ERROR_TYPE:
        return True
    if '"error"' not in event.data:  # true for most events, and much cheaper than parsing JSON
        return False
    try:
        content = json.loads(event.data)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(content.get("error"))

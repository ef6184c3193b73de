"""Errors that come as events: the status is 200 by then, so a server can only say it inside of the stream.

No standard names them. Two forms are common: an event of the type ``error``, and JSON with an ``error`` at its top.
"""

from __future__ import annotations

import json

from sseclient_cli.sse.event_stream import Event

ERROR_TYPE = "error"


def is_error_event(event: Event) -> bool:
    """Return whether an event reports an error; ``"error": null`` (or false, or empty) reports none."""
    if event.type == ERROR_TYPE:
        return True
    if '"error"' not in event.data:  # most events, and much cheaper than to read JSON
        return False
    try:
        content = json.loads(event.data)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(content.get("error"))

"""Encode a record as bytes of an event stream. Pure."""

from __future__ import annotations

import re

from sseclient_cli.client.recording import Record, RecordedComment, RecordedEvent, RecordedRetry

_LINE_END = re.compile(r"\r\n|\r|\n")


def encoded(record: Record) -> bytes:
    """Return the bytes that a client receives for a record; none for the start and the end of a connection."""
    if isinstance(record, RecordedEvent):
        return _event(record)
    if isinstance(record, RecordedComment):
        return comment(record.text)
    if isinstance(record, RecordedRetry):
        return b"retry: %d\n\n" % record.retry_ms
    return b""


def comment(text: str) -> bytes:
    """Return a comment, for which the text begins right after the colon."""
    return _block("".join(f":{line}\n" for line in _LINE_END.split(text)))


def _event(event: RecordedEvent) -> bytes:
    # An empty ID is written too: it resets that of an earlier event.
    head = "" if event.type == "message" else f"event: {event.type}\n"
    return _block(f"{head}id: {event.id}\n" + "".join(f"data: {line}\n" for line in _LINE_END.split(event.data)))


def _block(lines: str) -> bytes:
    return f"{lines}\n".encode("utf-8", "replace")

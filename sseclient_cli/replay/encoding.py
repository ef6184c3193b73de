"""Encode a record as bytes of a stream, in the format in which it was recorded. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sseclient_cli.client.recording import Opened, Record, RecordedComment, RecordedEvent, RecordedRetry
from sseclient_cli.sse.stream_format import StreamFormat

CONTENT_TYPES: Final[Mapping[StreamFormat, str]] = {
    StreamFormat.SSE: "text/event-stream",
    StreamFormat.NDJSON: "application/x-ndjson",
    StreamFormat.LINES: "text/plain; charset=utf-8",
    StreamFormat.CHUNKS: "text/plain; charset=utf-8",
}
"""The formats of a replay. A recording with another one, such as WebSocket messages, becomes an event stream."""

_LINE_END = re.compile(r"\r\n|\r|\n")


def format_of_replay(opened: Opened) -> StreamFormat:
    """Return the format in which to replay a stream."""
    return next((each for each in CONTENT_TYPES if each.value == opened.format), StreamFormat.SSE)


def is_sent(record: Record, stream_format: StreamFormat) -> bool:
    """Return whether a client receives bytes for a record; only SSE has comments and a reconnection time."""
    if stream_format is StreamFormat.SSE:
        return isinstance(record, RecordedEvent | RecordedComment | RecordedRetry)
    return isinstance(record, RecordedEvent)


def encoded(record: Record, stream_format: StreamFormat) -> bytes:
    """Return the bytes that a client receives for a record; none unless it ``is_sent``."""
    if stream_format is StreamFormat.SSE:
        return _encoded_as_sse(record)
    if not isinstance(record, RecordedEvent):
        return b""
    end = "" if stream_format is StreamFormat.CHUNKS else "\n"
    return f"{record.data}{end}".encode("utf-8", "replace")


def comment(text: str) -> bytes:
    """Return a comment, for which the text begins right after the colon."""
    return _block("".join(f":{line}\n" for line in _LINE_END.split(text)))


def _encoded_as_sse(record: Record) -> bytes:
    if isinstance(record, RecordedEvent):
        return _event(record)
    if isinstance(record, RecordedComment):
        return comment(record.text)
    if isinstance(record, RecordedRetry):
        return b"retry: %d\n\n" % record.retry_ms
    return b""


def _event(event: RecordedEvent) -> bytes:
    # An empty ID is written too: it resets that of an earlier event.
    head = "" if event.type == "message" else f"event: {event.type}\n"
    return _block(f"{head}id: {event.id}\n" + "".join(f"data: {line}\n" for line in _LINE_END.split(event.data)))


def _block(lines: str) -> bytes:
    return f"{lines}\n".encode("utf-8", "replace")

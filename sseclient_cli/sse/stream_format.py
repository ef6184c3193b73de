"""The formats of a stream, and which one a response has by its content type."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

# The values of a comma-separated list; a comma within quotes does not separate (Fetch 2.2.2 "get, decode, and split").
_VALUE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+\\?(?:"|$))++', re.DOTALL)
# MIME Sniffing 4.4: type and subtype consist of token code points (RFC 9110 5.6.2).
_MIME_TYPE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class StreamFormat(Enum):
    """How to divide the body of a response into events. AUTO means by content type."""

    AUTO = "auto"
    SSE = "sse"
    NDJSON = "ndjson"
    LINES = "lines"
    CHUNKS = "chunks"
    JSON = "json"
    """A body of JSON is one event. An event stream is read as such, if its content type says so."""
    WEBSOCKET = "websocket"
    """Messages of a ws:// or wss:// URL; a response over http:// cannot have it."""


NDJSON_TYPES = frozenset(
    {
        "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
        "application/json-lines", "application/stream+json", "application/json-seq",
    }
)  # fmt: skip
"""No type is registered for newline-delimited JSON. RFC 7464 registers json-seq, which adds a record separator."""

_BY_TYPE = {
    "text/event-stream": StreamFormat.SSE,
    "text/plain": StreamFormat.LINES,
    **dict.fromkeys(NDJSON_TYPES, StreamFormat.NDJSON),
}


def format_of(
    content_type: str | None, asked: StreamFormat = StreamFormat.SSE, *, any_type: bool = False
) -> StreamFormat | None:
    """Return the format of a response with status 200; None if its content type is not acceptable.

    SSE accepts only text/event-stream (WHATWG HTML 9.2.3), and any type with ``any_type``. AUTO also accepts the types
    of the other formats, except JSON: most bodies of JSON are errors. JSON accepts types of JSON, and event streams.
    The other formats accept any type.
    """
    if any_type and asked in (StreamFormat.AUTO, StreamFormat.SSE):
        return StreamFormat.SSE
    if asked is StreamFormat.JSON:
        return _json_or_event_stream(essence(content_type or ""))
    if asked not in (StreamFormat.AUTO, StreamFormat.SSE):
        return asked
    found = _BY_TYPE.get(essence(content_type or ""))
    return found if asked is StreamFormat.AUTO or found is StreamFormat.SSE else None


def _json_or_event_stream(mime_type: str) -> StreamFormat | None:
    if mime_type == "application/json" or mime_type.endswith("+json"):
        return StreamFormat.JSON
    return StreamFormat.SSE if mime_type == "text/event-stream" else None


@lru_cache(maxsize=16)  # thousands of streams receive the same value
def essence(content_type: str) -> str:
    """Extract a MIME type (Fetch 3.5.1): the last valid value, in lower case, without parameters; empty without one."""
    found = ""
    for value in _VALUE.findall(content_type):
        mime_type = value.partition(";")[0].strip(" \t\r\n").lower()
        # "If temporaryMimeType is failure or its essence is "*/*", then continue."
        if _MIME_TYPE.fullmatch(mime_type) and mime_type != "*/*":
            found = mime_type
    return found

r"""Divide the body of a stream into events: an event stream, newline-delimited JSON, lines, chunks, a JSON body.

``parser_of`` returns the parser of a format. The event of another format than SSE has the type ``message``, the last
event ID of the request, and as its data a line, a record or a chunk: decoded as UTF-8, with errors replaced.

Lines. CR, LF and CRLF end a line; a byte order mark at the start of the body is removed. NDJSON skips blank lines, and
removes the record separator of RFC 7464; lines of text keep blank lines as events without data. ``finish`` returns a
last line without a line end.

Guarantees for lines and NDJSON, as those of ``event_stream.py``: any split of the input gives the same events, each at
the earliest possible byte; the time is linear; memory is bounded by ``max_event_bytes``, counted without line ends.

Chunks. An event is the piece of the body in one call of ``feed``, so its size depends on the network and the reads.
HTTP does not preserve chunks either: a proxy may join or split them (RFC 9112 7.1).

This module must not know the source of the bytes, the clock, or the state of a connection.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Protocol

from sseclient_cli.errors import EventTooLargeError, SseError
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES, EventStreamParser
from sseclient_cli.sse.held_text import SMALL_BYTES, large_text_bytes
from sseclient_cli.sse.json_body import JsonBodyParser
from sseclient_cli.sse.stream_format import StreamFormat

__all__ = ["StreamFormat", "StreamParser", "parser_of"]

_RECORD_SEPARATOR = "\x1e"

# The start of a first line of an event stream: a field or a comment.
_EVENT_STREAM = re.compile(rb"(?:\xef\xbb\xbf)?(?:data|event|id|retry)?:")
_LONGEST_START_BYTES = len(b"\xef\xbb\xbfretry:")

_new_decoder = getincrementaldecoder("utf-8")

_new_event = tuple.__new__
"""The constructor below ``Event()``, which is a Python function and takes twice as long."""


class StreamParser(Protocol):
    """An incremental parser for one response; ``EventStreamParser`` describes the members."""

    last_event_id: str
    reconnection_time_ms: int | None
    comment_count: int
    ends_with_event: bool
    held_bytes: int

    def feed(self, chunk: bytes, arrived_ns: int = 0) -> list[Event]:
        """Take the next bytes and return the events that they complete. Raises EventTooLargeError."""

    def finish(self) -> list[Event]:
        """Return the events that the proper end of the response completes. Raises EventTooLargeError."""

    @property
    def has_unfinished_event(self) -> bool:
        """Whether an event has begun and is not complete."""


def parser_of(
    stream_format: StreamFormat,
    last_event_id: str = "",
    on_comment: Callable[[str], None] | None = None,
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
    refusal: Callable[[bytes], SseError] | None = None,
) -> StreamParser:
    """Return a parser for a response of this format, which ``format_of`` found; AUTO means SSE.

    With ``refusal``, lines of text that begin like an event stream are refused: ``feed`` raises the error that it
    returns for the start of the body.
    """
    if stream_format is StreamFormat.CHUNKS:
        return ChunkParser(last_event_id, max_event_bytes)
    if stream_format is StreamFormat.JSON:
        return JsonBodyParser(last_event_id, max_event_bytes)
    if stream_format is StreamFormat.NDJSON:
        return LineParser(last_event_id, max_event_bytes, is_ndjson=True)
    if stream_format is StreamFormat.LINES:
        return LineParser(last_event_id, max_event_bytes, refusal=refusal)
    return EventStreamParser(last_event_id, on_comment, max_event_bytes)


def is_event_stream(start: bytes) -> bool:
    """Return whether a body with this start looks like an event stream."""
    return _EVENT_STREAM.match(start) is not None


class LineParser:
    """A parser for lines of text, and for newline-delimited JSON with ``is_ndjson``."""

    __slots__ = (
        "_after_cr", "_arrived_ns", "_has_begun", "_is_ndjson", "_line", "_max_event_bytes", "_refusal", "_too_large",
        "comment_count", "ends_with_event", "held_bytes", "last_event_id", "reconnection_time_ms",
    )  # fmt: skip

    def __init__(
        self,
        last_event_id: str = "",
        max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
        *,
        is_ndjson: bool = False,
        refusal: Callable[[bytes], SseError] | None = None,
    ) -> None:
        self.last_event_id = last_event_id
        self.reconnection_time_ms: int | None = None
        self.comment_count = 0
        self.ends_with_event = False
        self.held_bytes = large_text_bytes(last_event_id)
        self._is_ndjson = is_ndjson
        self._max_event_bytes = max_event_bytes
        self._refusal = refusal
        self._has_begun = False
        self._after_cr = False
        self._arrived_ns = 0
        # The incomplete line. A bytearray grows in amortised constant time, a bytes object does not.
        self._line = bytearray()
        self._too_large = False

    def feed(self, chunk: bytes, arrived_ns: int = 0) -> list[Event]:
        """Take the next bytes of the body and return the events that they complete.

        Raises EventTooLargeError like ``EventStreamParser.feed``: after the events before the line that is too large.
        """
        self._raise_if_too_large()
        if self._refusal is not None:
            self._refuse_event_stream(chunk, self._refusal)
        if b"\r" in chunk or self._after_cr:
            chunk = self._with_lf_only(chunk)
        if not chunk:
            return []
        self._arrived_ns = arrived_ns
        complete, line_end, rest = chunk.rpartition(b"\n")
        self.ends_with_event = False
        events: list[Event] = []
        if line_end:
            if self._line:
                complete = bytes(self._line) + complete
                self._line.clear()
            events = self._events_of(complete)
        if rest and not self._too_large:
            self.ends_with_event = False
            self._line += rest
            self._too_large = len(self._line) > self._max_event_bytes
        if not events:
            self._raise_if_too_large()
        self.held_bytes = large_text_bytes(self.last_event_id)
        if len(self._line) > SMALL_BYTES:
            self.held_bytes += len(self._line)
        return events

    def finish(self) -> list[Event]:
        """Return the last line if it has no line end."""
        self._raise_if_too_large()
        line = bytes(self._line)
        self._line.clear()
        return self._events_of(line) if line else []

    @property
    def has_unfinished_event(self) -> bool:
        """Whether a line has begun and has no line end yet."""
        return bool(self._line)

    def _raise_if_too_large(self) -> None:
        if self._too_large:
            raise _too_large(self._max_event_bytes)

    def _refuse_event_stream(self, chunk: bytes, refusal: Callable[[bytes], SseError]) -> None:
        """Raise the refusal if the first line is one of an event stream; forget it if the line is another one."""
        start = bytes(self._line) + chunk
        if is_event_stream(start):
            raise refusal(start)
        if len(start) >= _LONGEST_START_BYTES or b"\n" in start or b"\r" in start:
            self._refusal = None

    def _with_lf_only(self, chunk: bytes) -> bytes:
        """Convert line ends to LF. A CR at the end of a chunk ends its line; the next chunk's leading LF is skipped."""
        if not chunk:
            return chunk
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events_of(self, complete: bytes) -> list[Event]:
        """Return the events of complete lines, without those that follow a line that is too large."""
        if len(complete) > self._max_event_bytes:
            complete_lines = complete.split(b"\n")
            for number, line in enumerate(complete_lines):
                if len(line) > self._max_event_bytes:
                    self._too_large = True
                    complete = b"\n".join(complete_lines[:number])
                    if not number:
                        return []
                    break
        lines = complete.decode("utf-8", "replace").split("\n")
        if not self._has_begun:
            self._has_begun = True
            lines[0] = lines[0].removeprefix("\ufeff")
        if self._is_ndjson:
            lines = [line.removeprefix(_RECORD_SEPARATOR) for line in lines]
            self.ends_with_event = not _is_blank(lines[-1])
            lines = [line for line in lines if not _is_blank(line)]
        else:
            self.ends_with_event = True
        last_event_id, arrived_ns = self.last_event_id, self._arrived_ns
        return [_new_event(Event, ("message", line, last_event_id, arrived_ns)) for line in lines]


class ChunkParser:
    """A parser whose events are the pieces of the body as they were read."""

    __slots__ = (
        "_arrived_ns", "_decoder", "_max_event_bytes", "comment_count", "ends_with_event", "held_bytes",
        "last_event_id", "reconnection_time_ms",
    )  # fmt: skip

    def __init__(self, last_event_id: str = "", max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self.last_event_id = last_event_id
        self.reconnection_time_ms: int | None = None
        self.comment_count = 0
        self.ends_with_event = False
        self.held_bytes = large_text_bytes(last_event_id)
        self._max_event_bytes = max_event_bytes
        self._arrived_ns = 0
        # A character may be split between two chunks: its first bytes wait for the next chunk.
        self._decoder = _new_decoder("replace")

    def feed(self, chunk: bytes, arrived_ns: int = 0) -> list[Event]:
        """Return the chunk as an event; none if it is empty. Raises EventTooLargeError."""
        if not chunk:
            return []
        if len(chunk) > self._max_event_bytes:
            raise _too_large(self._max_event_bytes)
        self._arrived_ns = arrived_ns
        self.ends_with_event = True
        return [Event("message", self._decoder.decode(chunk), self.last_event_id, arrived_ns)]

    def finish(self) -> list[Event]:
        """Return a last character without its end as an event."""
        rest = self._decoder.decode(b"", final=True)
        return [Event("message", rest, self.last_event_id, self._arrived_ns)] if rest else []

    @property
    def has_unfinished_event(self) -> bool:
        """Whether the last character has no end yet."""
        return bool(self._decoder.getstate()[0])


def _is_blank(line: str) -> bool:
    """Return whether a line of NDJSON has only the white space of JSON (RFC 8259 2)."""
    return not line.strip(" \t")


def _too_large(max_event_bytes: int) -> EventTooLargeError:
    return EventTooLargeError(
        f"the stream holds an event of more than {max_event_bytes:,} bytes: raise `max_event_bytes`",
        arguments=["max_event_bytes"],
    )

r"""Parse the bytes of an event stream into events, exactly as specified in WHATWG HTML 9.2.5 and 9.2.6.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

Strategy. Line ends, colons and field names are ASCII, so the parser splits bytes first and decodes afterwards: decoding
a piece between two ASCII bytes gives the same text as decoding the whole stream. It converts every CRLF and CR of a
chunk to LF first, so all other code handles one line end. Two code paths apply the same rules:

* One regular expression matches all complete simple blocks (``event``, ``id``, one ``data``) of a chunk in one call. A
  typical chunk of a live stream consists of such blocks, often of one. This fast path makes the parser several times as
  fast (see ``benchmarks/parser.py``).
* Everything else is parsed line by line, and a line may arrive in any number of pieces. Each piece is scanned once, so
  the time is linear in the input.

Guarantees. Any split of the input gives the same events, each at the earliest possible byte (a CR ends its line
immediately; an LF after it is skipped later). Memory is bounded by ``max_event_bytes``, counted in bytes on the wire
without line ends and comments (as Python strings, very short lines take up to eight times as much). With
``on_comment``, the same limit applies to each comment; without it, comments are not kept.

This module must not know the source of the bytes, the clock, or the state of a connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.held_text import SMALL_BYTES, HeldLines, large_text_bytes

__all__ = ["DEFAULT_MAX_EVENT_BYTES", "Event", "EventStreamParser"]

DEFAULT_MAX_EVENT_BYTES = 64 * 1024 * 1024
"""Larger than realistic events (the largest in public test suites is 14 MB), small compared to a machine's memory."""

_BOM = b"\xef\xbb\xbf"

# One block: the simple form in groups 1 to 3, or any other complete block in group 4. The second branch matches
# everything up to an empty line, so consecutive matches skip no text. All quantifiers are possessive: with
# backtracking, "id: " would give back its space and turn an empty ID into the ID " ", and a huge block would be scanned
# twice.
_SIMPLE_BLOCK = r"(?:event: ?+([^\n]*+)\n)?+(?:id: ?+([^\n\0]++)\n)?+data: ?+([^\n]*+)\n\n"
# The second branch also matches all following blank lines: one by one, 16 KiB of them would take 10 ms.
_blocks = re.compile(_SIMPLE_BLOCK + r"|((?:[^\n]++\n)*+\n++)").findall
_one_simple_block = re.compile(_SIMPLE_BLOCK).fullmatch


_new_event = tuple.__new__
"""The constructor below ``Event()``, which is a Python function and takes twice as long."""


class EventStreamParser:
    """An incremental parser: ``feed`` takes bytes in pieces of any size and returns events.

    One parser is for one response. For the next connection, create a new one with the ``last_event_id`` of this one.
    ``on_comment`` is called at the end of each comment line, with the text after the colon, unstripped.
    """

    __slots__ = (
        "_after_cr", "_arrived_ns", "_data", "_data_bytes", "_event_type", "_held_lines", "_id_buffer", "_in_block",
        "_line", "_max_event_bytes", "_on_comment", "_one_block_bytes", "_start", "_too_large", "comment_count",
        "ends_with_event", "held_bytes", "last_event_id", "reconnection_time_ms",
    )  # fmt: skip

    last_event_id: str
    """The value for a Last-Event-ID header: the ID as of the last complete block."""

    reconnection_time_ms: int | None
    """The last valid ``retry`` of the stream in milliseconds, without an upper limit; None before the first one."""

    comment_count: int
    """The number of comments so far."""

    ends_with_event: bool
    """Whether the last byte so far completed an event."""

    held_bytes: int
    """Memory of the unfinished event and of the last event ID, each counted only if it is larger than a few KB."""

    def __init__(
        self,
        last_event_id: str = "",
        on_comment: Callable[[str], None] | None = None,
        max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
    ) -> None:
        self.last_event_id = last_event_id
        self.reconnection_time_ms = None
        self.comment_count = 0
        self.ends_with_event = False
        self._on_comment = on_comment
        self._max_event_bytes = max_event_bytes
        # Chunks up to this size are first matched as one simple block.
        self._one_block_bytes = min(SMALL_BYTES, max_event_bytes)
        # The first bytes while they may be a part of a byte order mark; then None.
        self._start: bytes | None = b""
        self._after_cr = False
        self._arrived_ns = 0
        # The incomplete line. A bytearray grows in amortised constant time, a bytes object does not.
        self._line = bytearray()
        # The incomplete block (9.2.6: data buffer, event type buffer, last event ID buffer).
        self._in_block = False
        self._data: list[str] = []
        self._data_bytes = 0
        self._event_type = ""
        self._id_buffer = last_event_id
        self._too_large = False
        self.held_bytes = 0
        self._held_lines: HeldLines | None = None
        if len(last_event_id) > SMALL_BYTES:
            self._count_held(is_new_block=True)

    def feed(self, chunk: bytes, arrived_ns: int = 0) -> list[Event]:
        """Take the next bytes of the stream and return the events that they complete.

        ``arrived_ns`` is the arrival time of the chunk in wall-clock ns; it becomes ``Event.arrived_ns``.

        Raises EventTooLargeError at the first byte beyond ``max_event_bytes`` of an event. If the same chunk completes
        events before that byte, it returns these events, and the next call raises, also with ``b""``: the events before
        the error never depend on the sizes of the chunks. After the error, the parser cannot be used.
        """
        if self._start is not None:
            chunk = self._without_bom(chunk)
        if b"\r" in chunk or self._after_cr:
            chunk = self._with_lf_only(chunk)
        if len(chunk) <= self._one_block_bytes and not self._in_block:
            block = _one_simple_block(chunk.decode("utf-8", "replace"))
            if block is not None:
                event_type, event_id, data = block.groups()
                if event_id:
                    self.last_event_id = self._id_buffer = event_id
                self.ends_with_event = True
                return [_new_event(Event, (event_type or "message", data, self.last_event_id, arrived_ns))]
        self._arrived_ns = arrived_ns
        self._raise_if_too_large()
        events: list[Event] = []
        begun = self._feed_rest_of_block(chunk, events) if self._in_block else 0
        complete = chunk.rfind(b"\n\n", begun) + 2
        if complete > 1 and len(chunk) <= self._max_event_bytes and not self._too_large:
            self._feed_blocks(chunk[begun:complete], events)
            begun = complete
        if begun < len(chunk) and not self._too_large:
            self._feed_lines(chunk[begun:], events)
        if not events:
            self._raise_if_too_large()
        if self._in_block or self.held_bytes or len(self.last_event_id) > SMALL_BYTES:
            self._count_held(is_new_block=bool(events))
        return events

    def finish(self) -> list[Event]:
        """Return nothing: at the end of the stream, an unfinished event is discarded (9.2.6)."""
        return []

    @property
    def has_unfinished_event(self) -> bool:
        """Whether an event has data but no blank line yet. At the end of the stream, such an event is discarded."""
        return bool(self._data) or self._line.partition(b":")[0] == b"data"

    def _count_held(self, *, is_new_block: bool) -> None:
        """Update ``held_bytes``. ``is_new_block``: all lines of the unfinished block are from the latest chunk."""
        if self._held_lines is None or is_new_block:
            self._held_lines = HeldLines()
        self._held_lines.count(self._data)
        id_bytes = large_text_bytes(self.last_event_id)
        if self._id_buffer is not self.last_event_id:
            id_bytes += large_text_bytes(self._id_buffer)
        block_bytes = self._held_lines.total_bytes + len(self._line) + large_text_bytes(self._event_type)
        self.held_bytes = id_bytes + (block_bytes if block_bytes > SMALL_BYTES else 0)
        if not self._too_large:
            # With a large ID, no chunk takes the shortcut: each one may set a small ID, which changes held_bytes.
            self._one_block_bytes = 0 if id_bytes else min(SMALL_BYTES, self._max_event_bytes)

    def _raise_if_too_large(self) -> None:
        if self._too_large:
            raise EventTooLargeError(
                f"the stream holds an event of more than {self._max_event_bytes:,} bytes: raise `max_event_bytes`",
                arguments=["max_event_bytes"],
            )

    def _without_bom(self, chunk: bytes) -> bytes:
        """Strip one leading byte order mark (9.2.5), which may arrive in pieces."""
        start = (self._start or b"") + chunk
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_BOM)

    def _with_lf_only(self, chunk: bytes) -> bytes:
        """Convert line ends to LF. A CR at the end of a chunk ends its line; the next chunk's leading LF is skipped."""
        if not chunk:
            return chunk
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _feed_rest_of_block(self, chunk: bytes, events: list[Event]) -> int:
        """Parse line by line to the end of the block that began in an earlier chunk; return the end's position."""
        end = chunk.find(b"\n\n") + 2
        if end == 1:
            end = len(chunk)
        self._feed_lines(chunk[:end], events)
        return end

    def _feed_blocks(self, chunk: bytes, events: list[Event]) -> None:
        """Parse complete blocks (the fast path). No block is unfinished at the start."""
        append, new, arrived_ns = events.append, _new_event, self._arrived_ns
        for event_type, event_id, data, other in _blocks(chunk.decode("utf-8", "replace")):
            if other:
                block = other.rstrip("\n")
                if block:
                    for line in block.split("\n"):
                        self._take_line(line, events)
                    self._dispatch(events)
                if len(other) - len(block) > 2 or not block:
                    self._dispatch(events)  # for the blank lines after the block
            else:
                if event_id:
                    self.last_event_id = self._id_buffer = event_id
                append(new(Event, (event_type or "message", data, self.last_event_id, arrived_ns)))
                self.ends_with_event = True

    def _feed_lines(self, chunk: bytes, events: list[Event]) -> None:
        """Parse line by line, and keep the incomplete last line."""
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if self._line:
                self._keep(line)
                line = bytes(self._line)
                self._line.clear()
            elif not line.startswith(b":"):
                self._data_bytes += len(line)
            if not self._fits(line):
                return
            self._take_line(line.decode("utf-8", "replace"), events)
        if rest:
            self._in_block = True
            self._keep(rest)
            self._fits(self._line)

    def _fits(self, line: bytes | bytearray) -> bool:
        """Check the size of the unfinished event, and that of a comment with ``on_comment``, against the limit."""
        is_heard_comment = self._on_comment is not None and line.startswith(b":")
        if max(self._data_bytes, len(line) if is_heard_comment else 0) > self._max_event_bytes:
            self._too_large = True
            self._one_block_bytes = -1  # no chunk takes the shortcut any more
        return not self._too_large

    def _keep(self, piece: bytes) -> None:
        """Add a piece to the incomplete line. Without ``on_comment``, only the colon of a comment is kept."""
        self.ends_with_event = False
        is_comment = (self._line or piece).startswith(b":")
        if is_comment and self._on_comment is None:
            self._line[:] = b":"
            return
        self._line += piece
        if not is_comment:
            self._data_bytes += len(piece)

    def _take_line(self, line: str, events: list[Event]) -> None:
        """Interpret one complete line (9.2.6)."""
        if not line:
            self._dispatch(events)
            return
        self._in_block = True
        self.ends_with_event = False
        if line.startswith(":"):
            self._take_comment(line[1:])
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event_type = value
        elif name == "id" and "\0" not in value:
            # "If the field value does not contain U+0000 NULL [...] Otherwise, ignore the field."
            self._id_buffer = value
        elif name == "retry" and value.isascii() and value.isdigit():
            # "If the field value consists of only ASCII digits": at least one, unlike in Chromium
            # (docs/explanation/conformance.md). int() raises for more than 4,300 digits; 4,000 are beyond any timer.
            self.reconnection_time_ms = int(value.lstrip("0")[:4000] or "0")

    def _take_comment(self, text: str) -> None:
        self.comment_count += 1
        if self._on_comment is not None:
            self._on_comment(text)

    def _dispatch(self, events: list[Event]) -> None:
        """End the block: dispatch an event if the block has data. Its ID takes effect in any case."""
        self.last_event_id = self._id_buffer
        self.ends_with_event = bool(self._data)
        if self._data:
            data = "\n".join(self._data)
            events.append(Event(self._event_type or "message", data, self.last_event_id, self._arrived_ns))
            self._data.clear()
        self._data_bytes = 0
        self._event_type = ""
        self._in_block = False

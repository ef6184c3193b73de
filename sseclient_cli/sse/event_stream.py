r"""Parse the bytes of an event stream into events, exactly as specified in WHATWG HTML 9.2.5 and 9.2.6.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

Strategy. Line ends, colons and field names are ASCII, so the parser splits bytes first and decodes afterwards: decoding
a piece between two ASCII bytes gives the same text as decoding the whole stream. It converts every CRLF and CR to LF
before the grammar, so all other code handles one line end. One grammar (``grammar.py``) has two forms:

* Most blocks of a stream have one order of lines. The parser learns it: one regular expression then takes a whole
  block, or all blocks of a chunk (``ordered_blocks.py``), in one call (see ``benchmarks/parser.py``).
* All else is parsed in segments. A line may arrive in any number of pieces, each scanned once: the time is linear.

Guarantees. Any split of the input gives the same events, each at the earliest possible byte (a CR ends its line
immediately; an LF after it is skipped later). Memory is bounded by ``max_event_bytes``, counted in bytes on the wire
without line ends and comments (as Python strings, very short lines take up to eight times as much). With
``on_comment``, the same limit applies to each comment; without it, comments are not kept.

This module must not know the source of the bytes, the clock, or the state of a connection.
"""

from __future__ import annotations

from collections.abc import Callable
from io import IncrementalNewlineDecoder

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.byte_order_mark import without_bom
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.grammar import DEFAULT_ORDER, joined_data, order_of, segments
from sseclient_cli.sse.held_text import SMALL_BYTES, HeldLines, large_text_bytes
from sseclient_cli.sse.ordered_blocks import few_blocks, many_blocks, new_event

__all__ = ["DEFAULT_MAX_EVENT_BYTES", "Event", "EventStreamParser"]

DEFAULT_MAX_EVENT_BYTES = 64 * 1024 * 1024
"""Larger than realistic events (the largest in public test suites is 14 MB), small compared to a machine's memory."""

_CR = ord("\r")
_with_lf = IncrementalNewlineDecoder(None, translate=True).decode
"""Convert CRLF and CR to LF in one pass. With ``True``, also a CR at the end of the text."""


class EventStreamParser:
    """An incremental parser: ``feed`` takes bytes in pieces of any size and returns events.

    One parser is for one response. For the next connection, create a new one with the ``last_event_id`` of this one.
    ``on_comment`` is called at the end of each comment line, with the text after the colon, unstripped.
    """

    __slots__ = (
        "_after_cr", "_arrived_ns", "_data", "_data_bytes", "_event_type", "_held_lines", "_id_buffer", "_in_block",
        "_line", "_max_event_bytes", "_misses", "_on_comment", "_one_block_bytes", "_order", "_retry", "_start",
        "_too_large", "comment_count", "ends_with_event", "held_bytes", "last_event_id", "reconnection_time_ms",
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
        self._retry: str | None = None
        self.comment_count = 0
        self.ends_with_event = False
        self._on_comment = on_comment
        self._max_event_bytes = max_event_bytes
        # Chunks up to this size are first matched as one block.
        self._one_block_bytes = min(SMALL_BYTES, max_event_bytes)
        self._order, self._misses = DEFAULT_ORDER, 0
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
        if self._start is not None or self._after_cr:
            chunk = self._without_start(chunk)
        if has_cr := _CR in chunk:
            self._after_cr = chunk[-1] == _CR
        self._arrived_ns = arrived_ns
        if len(chunk) <= self._one_block_bytes and not self._in_block:
            order, text = self._order, chunk.decode("utf-8", "replace")
            if has_cr:
                text = _with_lf(text, True)
            block = order.one_block(text)
            if block is not None:
                if order.is_plain:
                    event_type, event_id, data = order.fields(block)
                else:
                    if order.has_extras:
                        event_type, event_id, data, retry, comment = order.fields(block)
                        if comment or retry != self._retry:
                            self._take_extras(retry, comment)
                    else:
                        event_type, event_id, data = order.fields(block)
                    data = joined_data(data)
                if event_id:
                    self.last_event_id = self._id_buffer = event_id
                self.ends_with_event = True
                return [new_event(Event, (event_type or "message", data, self.last_event_id, arrived_ns))]
            return self._blocks(text) if text.endswith("\n\n") else self._feed_pieces(chunk)
        return self._feed_pieces(chunk)

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

    def _without_start(self, chunk: bytes) -> bytes:
        """Strip the byte order mark of the stream, or the LF of a CRLF whose CR was in the chunk before."""
        if self._start is not None:
            self._start, chunk = without_bom(self._start + chunk)
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        return chunk

    def _feed_pieces(self, chunk: bytes) -> list[Event]:
        """Parse the rest of a block line by line, then whole blocks, then the start of a block line by line."""
        self._raise_if_too_large()
        if _CR in chunk:
            # As Latin-1, any bytes are text.
            chunk = _with_lf(chunk.decode("latin-1"), True).encode("latin-1")
        events: list[Event] = []
        begun = chunk.find(b"\n\n") + 2 if self._in_block else 0
        if self._in_block:
            begun = len(chunk) if begun == 1 else begun
            self._feed_lines(chunk[:begun], events)
        complete = chunk.rfind(b"\n\n", begun) + 2
        if complete > 1 and len(chunk) <= self._max_event_bytes and not self._too_large:
            events += self._blocks(chunk[begun:complete].decode("utf-8", "replace"))
            begun = complete
        if begun < len(chunk) and not self._too_large:
            self._feed_lines(chunk[begun:], events)
        if not events:
            self._raise_if_too_large()
        if self._in_block or self.held_bytes or len(self.last_event_id) > SMALL_BYTES:
            self._count_held(is_new_block=bool(events))
        return events

    def _blocks(self, text: str) -> list[Event]:
        """Parse whole blocks."""
        parse = few_blocks if len(text) <= SMALL_BYTES else many_blocks
        events, last_id, retry, comments, rest, self.ends_with_event = parse(
            self._order, text, self.last_event_id, self._arrived_ns
        )
        self.last_event_id = self._id_buffer = last_id
        self._take_extras(retry, None)
        for comment in comments:
            self._take_extras(None, comment)
        return events + self._blocks_of_other_order(rest) if rest else events

    def _blocks_of_other_order(self, text: str) -> list[Event]:
        """Parse whole blocks of any order, and learn the order of the last one now and then."""
        events: list[Event] = []
        self._take_lines(text, events)
        self._misses += bool(events)
        # At the misses 1, 2, 4, 8 and so on: a stream of ever-changing orders does not pay for learning.
        if events and self._misses & (self._misses - 1) == 0:
            self._order = order_of(text[:-2].rpartition("\n\n")[2]) or self._order
        return events

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
            self._take_lines(line.decode("utf-8", "replace") + "\n", events)
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

    def _take_lines(self, text: str, events: list[Event]) -> None:
        """Interpret complete lines (9.2.6)."""
        event_type, event_id, lines, blank_lines = self._event_type, self._id_buffer, self._data, ""
        is_event = False
        for segment in segments(text):
            new_type, new_id, data, retry, comment, blank_lines = segment.groups()
            if new_type is not None:
                event_type = new_type
            if new_id is not None:
                event_id = new_id
            if data is not None:
                lines.append(joined_data(data))
            if retry or comment:
                self._take_extras(retry, comment)
            if blank_lines:
                # Dispatch an event if the block has data. Its ID takes effect in any case.
                self.last_event_id = event_id
                if is_event := bool(lines):
                    data = "\n".join(lines)
                    events.append(new_event(Event, (event_type or "message", data, event_id, self._arrived_ns)))
                    lines.clear()
                event_type = ""
        self._event_type, self._id_buffer = event_type, event_id
        self._in_block = not blank_lines
        self.ends_with_event = is_event and blank_lines == "\n"
        if blank_lines:
            self._data_bytes = 0

    def _take_extras(self, retry: str | None, comment: str | None) -> None:
        if retry and retry != self._retry:
            # Most streams repeat one value.
            self._retry = retry if len(retry) < 20 else None
            # int() raises for more than 4,300 digits; 4,000 are beyond any timer.
            self.reconnection_time_ms = int(retry if len(retry) <= 4000 else retry.lstrip("0")[:4000] or "0")
        if comment:
            self.comment_count += 1
            if self._on_comment is not None:
                self._on_comment(comment[1:])

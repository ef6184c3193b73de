r"""Bytes of an event stream -> events, exactly as WHATWG HTML 9.2.5 and 9.2.6 say.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

Strategy. Line ends, colons and field names are ASCII, so bytes are cut first and decoded afterwards; decoding a
piece between two ASCII bytes gives the same text as decoding the whole stream. Every CRLF and CR becomes an LF as the
chunk comes in, so everything below knows one line end. Then there are two steps over the same rules:

* complete simple blocks (``event``, ``id``, one ``data``) at the start of a chunk are taken by one regular expression,
  all in one call. A typical chunk of a live stream is just that, and often just one: it makes the parser several times
  as fast (``benchmarks/parser.py`` shows it).
* everything else goes line by line, and a line may come in any number of pieces. A piece is looked at once: time is
  linear in the input.

Promises. Any split of the input gives the same events, each at the earliest possible byte (a CR ends its line at
once; the LF that may follow is swallowed later). Memory is bounded by ``max_event_bytes``, counted as on the wire but
without line ends and comments (very short lines take up to eight times that as strings). A comment that somebody
listens to has the same limit for itself; one that nobody listens to is not kept at all.

This file must not know where bytes come from, what time it is, or what happens to a connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.held_text import SMALL_BYTES, HeldLines, large_text_bytes

__all__ = ["DEFAULT_MAX_EVENT_BYTES", "Event", "EventStreamParser"]

DEFAULT_MAX_EVENT_BYTES = 64 * 1024 * 1024
"""Larger than any event of a sane service (the largest in public test suites is 14 MB), smaller than a machine."""

_BOM = b"\xef\xbb\xbf"

# One block: the simple form in groups 1 to 3, or any other complete block, whole, in group 4. The second branch
# matches whatever ends in an empty line, so that consecutive matches leave no text out. Everything is possessive:
# the space given back by "id: " would turn an empty id into the id " ", and a huge block must not be scanned twice.
_SIMPLE_BLOCK = r"(?:event: ?+([^\n]*+)\n)?+(?:id: ?+([^\n\0]++)\n)?+data: ?+([^\n]*+)\n\n"
# The second takes all blank lines that follow, too: to take 16 KiB of them one by one would be 10 ms.
_blocks = re.compile(_SIMPLE_BLOCK + r"|((?:[^\n]++\n)*+\n++)").findall
_one_simple_block = re.compile(_SIMPLE_BLOCK).fullmatch


_new_event = tuple.__new__
"""What ``Event()`` calls; it is Python code of its own, and twice as slow."""


class EventStreamParser:
    """An incremental parser: feed it bytes, in any pieces, and take the events.

    One parser serves one response. For the next connection make a new one, seeded with ``last_event_id``.
    ``on_comment`` gets the text after the colon, unstripped, at the end of its line.
    """

    __slots__ = (
        "_after_cr", "_arrived_ns", "_data", "_data_bytes", "_event_type", "_held_lines", "_id_buffer", "_in_block",
        "_line", "_max_event_bytes", "_on_comment", "_one_block_bytes", "_start", "_too_large", "comment_count",
        "ends_with_event", "held_bytes", "last_event_id", "reconnection_time_ms",
    )  # fmt: skip

    last_event_id: str
    """What a Last-Event-ID header would carry now: the id of the last block that ended in an empty line."""

    reconnection_time_ms: int | None
    """The stream's last valid ``retry`` in milliseconds, however large; None as long as it named none."""

    comment_count: int
    """How many comments have come."""

    ends_with_event: bool
    """Whether the last byte so far has dispatched an event: nothing has come behind it."""

    held_bytes: int
    """Memory of the unfinished event and of the last event ID, where either takes more than a few KB; else 0."""

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
        # Up to this size a chunk is tried as one simple block first.
        self._one_block_bytes = min(SMALL_BYTES, max_event_bytes)
        # The first bytes, as long as they may be a byte order mark; None once that is decided.
        self._start: bytes | None = b""
        self._after_cr = False
        self._arrived_ns = 0
        # The line that is not complete yet. A bytearray grows in amortised constant time, a bytes object does not.
        self._line = bytearray()
        # The block that is not complete yet (9.2.6: data buffer, event type buffer, last event ID buffer).
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

        ``arrived_ns``, the arrival time of the chunk, becomes that of these events.

        Raises EventTooLargeError at the first byte with which an event is larger than ``max_event_bytes``. If this
        chunk completes events before it, these are returned and the next call raises, be it of ``b""``: so pieces make
        no difference to what comes before the error. The parser is of no use afterwards.
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
        self._refuse_if_too_large()
        events: list[Event] = []
        begun = self._feed_rest_of_block(chunk, events) if self._in_block else 0
        complete = chunk.rfind(b"\n\n", begun) + 2
        if complete > 1 and len(chunk) <= self._max_event_bytes and not self._too_large:
            self._feed_blocks(chunk[begun:complete], events)
            begun = complete
        if begun < len(chunk) and not self._too_large:
            self._feed_lines(chunk[begun:], events)
        if not events:
            self._refuse_if_too_large()
        if self._in_block or self.held_bytes or len(self.last_event_id) > SMALL_BYTES:
            self._count_held(is_new_block=bool(events))
        return events

    @property
    def has_unfinished_event(self) -> bool:
        """Whether data has come for an event whose blank line has not: at the end of the stream, it is dropped."""
        return bool(self._data) or self._line.partition(b":")[0] == b"data"

    def _count_held(self, *, is_new_block: bool) -> None:
        """Update ``held_bytes``; with a new block, all its lines came with this chunk."""
        if self._held_lines is None or is_new_block:
            self._held_lines = HeldLines()
        self._held_lines.count(self._data)
        id_bytes = large_text_bytes(self.last_event_id)
        if self._id_buffer is not self.last_event_id:
            id_bytes += large_text_bytes(self._id_buffer)
        block_bytes = self._held_lines.total_bytes + len(self._line) + large_text_bytes(self._event_type)
        self.held_bytes = id_bytes + (block_bytes if block_bytes > SMALL_BYTES else 0)
        if not self._too_large:
            # While a large ID is held, each chunk comes this way: the next one may bring a small ID.
            self._one_block_bytes = 0 if id_bytes else min(SMALL_BYTES, self._max_event_bytes)

    def _refuse_if_too_large(self) -> None:
        if self._too_large:
            raise EventTooLargeError(
                f"the stream holds an event of more than {self._max_event_bytes:,} bytes: raise max_event_bytes"
            )

    def _without_bom(self, chunk: bytes) -> bytes:
        """Strip one leading byte order mark (9.2.5), which may come in pieces."""
        start = (self._start or b"") + chunk
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_BOM)

    def _with_lf_only(self, chunk: bytes) -> bytes:
        """End every line with LF. A CR at the end of a chunk ends its line now; an LF after it is swallowed then."""
        if not chunk:
            return chunk
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _feed_rest_of_block(self, chunk: bytes, events: list[Event]) -> int:
        """Go line by line to the end of the block that an earlier chunk began; return where that is."""
        end = chunk.find(b"\n\n") + 2
        if end == 1:
            end = len(chunk)
        self._feed_lines(chunk[:end], events)
        return end

    def _feed_blocks(self, chunk: bytes, events: list[Event]) -> None:
        """Take complete blocks: the fast path, for a parser that is between two blocks."""
        append, new, arrived_ns = events.append, _new_event, self._arrived_ns
        for event_type, event_id, data, other in _blocks(chunk.decode("utf-8", "replace")):
            if other:
                block = other.rstrip("\n")
                if block:
                    for line in block.split("\n"):
                        self._take_line(line, events)
                    self._dispatch(events)
                if len(other) - len(block) > 2 or not block:
                    self._dispatch(events)  # of a blank line behind the block's end
            else:
                if event_id:
                    self.last_event_id = self._id_buffer = event_id
                append(new(Event, (event_type or "message", data, self.last_event_id, arrived_ns)))
                self.ends_with_event = True

    def _feed_lines(self, chunk: bytes, events: list[Event]) -> None:
        """Take lines one by one, and keep the last one as far as it has come."""
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
        """Hold the event so far to the limit, and a comment by itself if somebody listens to it."""
        is_heard_comment = self._on_comment is not None and line.startswith(b":")
        if max(self._data_bytes, len(line) if is_heard_comment else 0) > self._max_event_bytes:
            self._too_large = True
            self._one_block_bytes = -1  # nothing more is taken
        return not self._too_large

    def _keep(self, piece: bytes) -> None:
        """Add a piece to the incomplete line. Of a comment that nobody listens to, only the colon is kept."""
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
            # "If the field value consists of only ASCII digits" -- and of one at least, which Chromium reads otherwise
            # (docs/conformance.md). int() refuses over 4,300 of them; a number cut to 4,000 still waits for ever.
            self.reconnection_time_ms = int(value.lstrip("0")[:4000] or "0")

    def _take_comment(self, text: str) -> None:
        self.comment_count += 1
        if self._on_comment is not None:
            self._on_comment(text)

    def _dispatch(self, events: list[Event]) -> None:
        """End the block: an event if it had data; its id counts in any case."""
        self.last_event_id = self._id_buffer
        self.ends_with_event = bool(self._data)
        if self._data:
            data = "\n".join(self._data)
            events.append(Event(self._event_type or "message", data, self.last_event_id, self._arrived_ns))
            self._data.clear()
        self._data_bytes = 0
        self._event_type = ""
        self._in_block = False

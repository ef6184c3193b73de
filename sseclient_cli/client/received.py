"""The queue of received events and comments of an ``EventSource``, and the diagnosis of a connection at its end.

Pure: bytes in, events and comments out, in stream order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from sseclient_cli.client.socket_stream import Arrival
from sseclient_cli.errors import EventTooLargeError, InvalidResponseError, SseError, WrongContentTypeError
from sseclient_cli.sse.diagnosis import MAX_BYTES, explain, explain_line
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.sse.framing import StreamFormat, StreamParser, parser_of

if TYPE_CHECKING:
    from sseclient_cli.sse.websocket import WebSocketParser


class Received:
    """The queue of one source, over all its connections: ``begin`` one, ``feed`` its bytes, ``take`` its items.

    ``has_events``: the current connection had an event. ``taken_id`` is the last event ID as of the item taken last,
    and ``taken_arrival`` the arrival time of that item; before the first item of a connection, that of its head.
    """

    def __init__(self, last_event_id: str, *, with_comments: bool, max_event_bytes: int) -> None:
        self._with_comments = with_comments
        self._max_event_bytes = max_event_bytes
        self._items: deque[Event | str | SseError] = deque()
        self._first = b""
        self._total_bytes = 0
        self.parser: StreamParser | None = None
        self.websocket: WebSocketParser | None = None
        """The parser, if it is one for a WebSocket, until the next connection."""
        self.stream_format = StreamFormat.SSE
        self.has_events = False
        self._fed_id = self.taken_id = last_event_id
        self._fed_arrival = self.taken_arrival = Arrival(0, by_kernel=False)

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def is_event_next(self) -> bool:
        """Whether the next item is an event."""
        return bool(self._items) and isinstance(self._items[0], Event)

    def begin(
        self,
        last_event_id: str,
        arrival: Arrival,
        stream_format: StreamFormat = StreamFormat.SSE,
        refusal: Callable[[bytes], SseError] | None = None,
    ) -> None:
        """Start a new connection; ``arrival`` is the arrival time of its response head. See ``parser_of``."""
        self.taken_arrival = arrival
        on_comment = self._items.append if self._with_comments else None
        self.stream_format = stream_format
        self.websocket = None
        if stream_format is StreamFormat.WEBSOCKET:
            from sseclient_cli.sse.websocket import WebSocketParser

            self.parser = self.websocket = WebSocketParser(last_event_id, self._max_event_bytes)
        else:
            self.parser = parser_of(stream_format, last_event_id, on_comment, self._max_event_bytes, refusal)
        self._first, self._total_bytes = b"", 0
        self.has_events = False

    def feed(self, chunk: bytes, arrival: Arrival) -> None:
        """Take the next bytes of the connection."""
        parser = self.parser
        assert parser is not None
        self._fed_arrival = arrival
        self._total_bytes += len(chunk)
        if not self.has_events and len(self._first) < MAX_BYTES:
            self._first += chunk[:MAX_BYTES]
        if self.websocket is not None:
            self._feed_websocket(self.websocket, chunk, arrival)
            return
        # Line by line, because comments must keep their place between events. A whole chunk is ten times as fast.
        has_comments = self._with_comments and self.stream_format is StreamFormat.SSE and may_begin_comment(chunk)
        pieces = chunk.splitlines(keepends=True) if has_comments else [chunk]
        try:
            for piece in pieces:
                events = parser.feed(piece, arrival.time_ns)
                self._items.extend(events)
                self.has_events = self.has_events or bool(events)
            parser.feed(b"")  # raise a deferred EventTooLargeError now
        except (EventTooLargeError, WrongContentTypeError) as exc:
            self._items.append(exc)
        self._fed_id = parser.last_event_id
        if not self._items:
            self.taken_id = self._fed_id

    def _feed_websocket(self, parser: WebSocketParser, chunk: bytes, arrival: Arrival) -> None:
        try:
            for item in parser.feed_in_order(chunk, arrival.time_ns):
                is_event = isinstance(item, Event)
                self.has_events = self.has_events or is_event
                if is_event or self._with_comments:
                    self._items.append(item)
            parser.feed(b"")  # raise a deferred error now
        except EventTooLargeError as exc:
            self._items.append(exc)
        except InvalidResponseError:
            pass  # ``parser.error`` has it: it ends the connection after these events

    def finish(self) -> bool:
        """Take the proper end of the connection; return whether it completes events, or an error follows."""
        if self.parser is None:
            return False
        try:
            events = self.parser.finish()
        except EventTooLargeError as exc:
            self._items.append(exc)
        else:
            self._items.extend(events)
            self.has_events = self.has_events or bool(events)
        return bool(self._items)

    def take(self) -> Event | str | SseError:
        """Return the next item."""
        item = self._items.popleft()
        self.taken_arrival = self._fed_arrival
        if not self._items:
            # A block without data may have set another ID after the last event.
            self.taken_id = self._fed_id
        elif isinstance(item, Event):
            self.taken_id = item.id
        return item

    def take_events(self) -> list[Event]:
        """Return the next events, up to a comment or an error."""
        events: list[Event] = []
        items = self._items
        while items and isinstance(items[0], Event):
            events.append(items[0])
            items.popleft()
        if events:
            self.taken_arrival = self._fed_arrival
            self.taken_id = events[-1].id if items else self._fed_id
        return events

    def end(self, *, by_server: bool) -> str:
        """End the current connection, if any; return a diagnosis of its bytes, empty if they have no fault.

        An unfinished event is a fault only if the server ended the connection: ``close`` may come at any time.
        """
        parser, self.parser = self.parser, None
        if parser is None:
            return ""
        if self.websocket is not None:
            return self.websocket.diagnosis(by_server=by_server)
        is_sse = self.stream_format is StreamFormat.SSE
        if not self.has_events and (is_sse or not by_server):
            return (explain if is_sse else explain_line)(self._first, self._total_bytes)
        if by_server and parser.has_unfinished_event:
            is_dropped = "the stream ended inside an event, which is dropped: no blank line ends it"
            return is_dropped if is_sse else "the stream was cut inside an event, which is dropped"
        return ""


def may_begin_comment(chunk: bytes) -> bool:
    """Return whether a line in a chunk may begin a comment after an event.

    A comment that an earlier chunk began ends with the first line, before all events of this chunk.
    """
    return chunk.startswith(b":") or b"\n:" in chunk or b"\r:" in chunk

"""One event stream: connects, follows redirects, parses events. It has at most one connection at a time.

A stream outlives its connections: after a redirect or a reconnection it continues with its last event ID. Observers
measure it. Its owner decides whether it reconnects.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Protocol

from sseclient_cli.engine.connection import Connection
from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.exception_mapping import is_cut, mapped
from sseclient_cli.engine.exchange import Channel, Head, Phase
from sseclient_cli.engine.observer import Connected, Opened, StreamObserver
from sseclient_cli.engine.response_check import check_response, new_parser
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.errors import Http2GoawayError, MemoryLimitError, SseError
from sseclient_cli.request.prompts import Conversation
from sseclient_cli.request.redirection import MAX_REDIRECTS, REDIRECT_STATUSES, too_many_redirects
from sseclient_cli.sse.framing import StreamFormat, StreamParser
from sseclient_cli.sse.held_text import large_text_bytes
from sseclient_cli.sse.retry_policy import Reconnection
from sseclient_cli.sse.websocket_handshake import new_key


class Owner(Protocol):
    """Controls a stream: counts it, and decides whether it reconnects or is over."""

    def opened(self, stream: Stream) -> None:
        """Count a stream whose response is an event stream."""

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        """Handle the end of a connection that was in phase ``was``; ``error`` is None if the server ended it."""

    def completed(self, stream: Stream) -> None:
        """Close a stream that has received its number of events (``events_per_stream``)."""


class Stream:
    """One event stream. It implements ``Exchange`` for its connection."""

    __slots__ = (
        "_comments", "_connection", "_context", "_ends_read", "_events_left", "_held_bytes", "_intended_ns",
        "_is_repeated", "_key", "_owner", "_parser", "_redirects", "began_ns", "first", "has_delivered", "has_opened",
        "last_byte_ns", "number", "observers", "reconnection", "request", "slot",
    )  # fmt: skip

    def __init__(
        self,
        context: EngineContext,
        owner: Owner,
        slot: int = 0,
        observers: tuple[StreamObserver, ...] = (),
        number: int | None = None,
        conversation: Conversation | None = None,
    ) -> None:
        self._context = context
        self._owner = owner
        self.slot = slot
        """The owner's number for this stream."""
        self.observers = observers
        self.number = slot if number is None else number
        """The number of its request in the run."""
        self.first: PreparedRequest = context.connector.first_of(self.number, slot, conversation)
        """The request with which each connection begins."""
        self.request: PreparedRequest = self.first
        """The current or last request of the redirect chain."""
        self.reconnection = Reconnection(self.first.target.last_event_id, context.retry_statuses)
        """The last event ID and the reconnection time of earlier connections."""
        self.has_opened = False
        """Whether a response of this stream was an event stream."""
        self.has_delivered = False
        """Whether the current or last connection has received an event."""
        self.began_ns = 0
        """Start time of the connection (monotonic)."""
        self.last_byte_ns = 0
        """Arrival time of the last byte of a head or a body (monotonic)."""
        self._connection: Channel | None = None
        self._events_left = context.events_per_stream
        self._key = ""
        """The Sec-WebSocket-Key of the connection; empty for an event stream."""
        self._parser: StreamParser | None = None
        self._ends_read = False  # whether the body so far ends with the last read, and so arrived at that time
        self._held_bytes = 0

    @property
    def phase(self) -> Phase:
        """The phase of its connection; CLOSED without a connection."""
        return Phase.CLOSED if self._connection is None else self._connection.phase

    @property
    def requested_ns(self) -> int:
        """When the current request was sent (monotonic); 0 before."""
        return 0 if self._connection is None else self._connection.requested_ns

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in its socket; None without a socket, or if the platform cannot tell."""
        return None if self._connection is None else self._connection.receive_queue_bytes()

    def keep_alive(self) -> None:
        """Let the kernel detect a vanished peer. It takes four system calls, 7 % of the cost of opening a stream."""
        if self._connection is not None:
            self._connection.keep_alive()

    # Connecting.

    def connect(self, intended_ns: int) -> None:
        """Begin to connect; ``intended_ns`` is the planned time (monotonic). Raises SseError."""
        self._redirects, self._is_repeated = 0, False
        self.has_delivered = False
        self._begin(self.first, intended_ns)
        for observer in self.observers:
            observer.connecting(intended_ns, self.began_ns)

    def _begin(self, request: PreparedRequest, intended_ns: int) -> None:
        context = self._context
        self.request, self._intended_ns = request, intended_ns
        self.began_ns = monotonic_ns()
        self._connection = context.channel(request, self)
        context.attempts.begin(self)

    # Exchange: called by the connection.

    def connected(self, connected: Connected) -> bytes:
        """Return the request, with the Last-Event-ID header if there is a last event ID."""
        for observer in self.observers:
            observer.connected(self._intended_ns, connected)
        self._context.attempts.request(self)
        self._key = new_key() if self.request.target.is_websocket else ""
        return self.request.after(self.reconnection.header, self._key)

    def head_received(self, head: Head) -> None:
        """Follow a redirect, or check the response and start to parse the event stream."""
        context, connection = self._context, self._connection
        if connection is None:
            return
        if head.status in REDIRECT_STATUSES:
            self._redirect(head)
            return
        stream_format = check_response(
            self.request, self.first, head.status, head.headers, head.body, self._key, context.error_statuses
        )
        is_sent = connection.open(head.headers)
        context.attempts.under_way -= 1
        known = self.reconnection.last_event_id, context.max_event_bytes
        if stream_format is StreamFormat.WEBSOCKET and isinstance(connection, Connection):
            from sseclient_cli.engine.websocket_exchange import switched

            self._parser = switched(self, connection, *known)
        else:
            self._parser = new_parser(self.request, self.first, head.headers, stream_format, *known)
        self._comments = 0
        self.reconnection.connection_opened()
        self.last_byte_ns = head.arrival_ns + context.clock.offset_ns
        # The arrival time of the read is that of its last byte. The head may have arrived earlier if body bytes follow.
        is_known = head.is_alone or context.poller.uncertainty_ns(head.arrival_ns, is_fresh=True) is not None
        opened = Opened(
            headers=head.headers,
            requested_ns=connection.requested_ns,
            arrival_ns=head.arrival_ns,
            arrival_monotonic_ns=self.last_byte_ns,
            is_exact=is_known and is_sent,
            is_alone=head.is_alone,
            stream_format=stream_format,
            status=head.status,
        )
        self._owner.opened(self)
        for observer in self.observers:
            observer.opened(opened)
        self.has_opened = True

    def _redirect(self, head: Head) -> None:
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            raise too_many_redirects(self.request.target, head.status, head.headers)
        request = self._context.connector.redirected(self.request, head.status, head.headers)
        self._disconnect()
        # The intended start of the next connection is the arrival of the redirect.
        self._begin(request, head.arrival_ns + self._context.clock.offset_ns)

    def body_received(self, body: bytes, arrival_ns: int, *, ends: bool, is_fresh: bool) -> None:
        """Parse a piece of the body and pass the events to the observers."""
        parser = self._parser
        if parser is None:
            return
        # Before parsing, which may raise: the silence before the end of a connection counts from its last byte.
        self.last_byte_ns = arrival_monotonic_ns = arrival_ns + self._context.clock.offset_ns
        events = parser.feed(body)
        self._ends_read = ends
        if events:
            self.has_delivered = True
            if self._events_left is not None:
                ends = ends and len(events) <= self._events_left
                del events[self._events_left :]
                self._events_left -= len(events)
        is_exact = bool(events) and ends and parser.ends_with_event
        for observer in self.observers:
            observer.received(body, events, arrival_ns, arrival_monotonic_ns, is_exact=is_exact, is_fresh=is_fresh)
        if parser.comment_count != self._comments:
            for observer in self.observers:
                observer.commented(parser.comment_count - self._comments)
            self._comments = parser.comment_count
        if self._events_left == 0:
            self._owner.completed(self)
        elif parser.held_bytes != self._held_bytes and self._hold(parser.held_bytes) > 0:
            self._context.held_memory.check()

    def _finish(self) -> bool:
        """Pass the events that the end of the body completes; return whether they are the last (``events_per_stream``).

        It is the last line of a body of lines, or a body of JSON.
        """
        events = [] if self._parser is None else self._parser.finish()
        if self._events_left is not None:
            del events[self._events_left :]
            self._events_left -= len(events)
        if not events:
            return False
        self.has_delivered = True
        arrival_ns = self.last_byte_ns - self._context.clock.offset_ns
        for observer in self.observers:
            observer.received(b"", events, arrival_ns, self.last_byte_ns, is_exact=self._ends_read, is_fresh=False)
        if self._events_left == 0:
            self._owner.completed(self)
        return self._events_left == 0

    def ended(self, cause: Exception | None) -> None:
        """Close the connection and tell the owner how it ended."""
        try:
            is_handled = self._finish() if cause is None else self._repeats(cause)
        except SseError as exc:
            is_handled, cause = False, exc
        if is_handled:
            return
        connection, was = self._connection, self.phase
        is_complete = connection is not None and connection.is_complete
        # After MemoryLimitError, do not keep the last event ID: each connection could leave another huge ID in memory.
        remembers = not isinstance(cause, MemoryLimitError)
        self._drop(remembers=remembers, is_cut=was is Phase.OPEN and not is_complete and is_cut(cause))
        error = None if cause is None else mapped(cause, None if was is Phase.OPEN else self.request)
        self._owner.ended(self, error, was)

    def _repeats(self, cause: Exception) -> bool:
        """Repeat the request, once, if the server did not process it. Return whether it does. Raises SseError."""
        if self._is_repeated or not (isinstance(cause, Http2GoawayError) and cause.may_repeat):
            return False
        self._is_repeated = True
        self._disconnect()
        self._begin(self.request, monotonic_ns())
        return True

    # Ending.

    def drop(self) -> None:
        """Close the connection, but keep the last event ID and the reconnection time for the next connection."""
        self._drop(remembers=True, is_cut=False)

    def close(self) -> None:
        """Close the connection without telling the owner, and release its share of the held memory."""
        self._disconnect()
        self._hold(0)

    def release(self) -> TcpTransport | None:
        """Give up the socket of the connection, if any, without closing it. The poller still watches it."""
        connection, self._connection = self._connection, None
        self._parser = None
        self._hold(0)
        return connection.release() if isinstance(connection, Connection) else None

    def finish(self, now_ns: int) -> None:
        """Tell the observers that the stream or the run is over at ``now_ns`` (monotonic)."""
        for observer in self.observers:
            observer.finished(now_ns)

    def _drop(self, *, remembers: bool, is_cut: bool) -> None:
        parser = self._parser
        self.close()
        if parser is not None:
            if remembers:
                self.reconnection.remember(parser)
            now_ns = monotonic_ns()
            for observer in self.observers:
                observer.ended(now_ns, self.last_byte_ns, is_cut=is_cut)
        # close() has released the last event ID together with the parser; it is still held.
        self._hold(large_text_bytes(self.reconnection.last_event_id))

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._context.attempts.under_way -= connection.phase is not Phase.OPEN
            connection.close()
        self._parser = None

    def _hold(self, held_bytes: int) -> int:
        """Report the memory that this stream holds, and return the growth since the last report."""
        grown_bytes, self._held_bytes = held_bytes - self._held_bytes, held_bytes
        self._context.held_memory.total_bytes += grown_bytes
        return grown_bytes

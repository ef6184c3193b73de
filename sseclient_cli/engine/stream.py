"""One event stream: its parser and its life, over one connection at a time.

A stream outlives its connections. After a redirect or a reconnection it goes on with its last event ID. Observers
measure it; its owner decides what follows.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Protocol

from sseclient_cli.engine.connection import Connection, Head, Phase
from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.exception_mapping import is_cut, mapped
from sseclient_cli.engine.observer import Connected, Opened, StreamObserver
from sseclient_cli.engine.response_check import check_response
from sseclient_cli.errors import MemoryLimitError, SseError
from sseclient_cli.request.redirection import MAX_REDIRECTS, REDIRECT_STATUSES, too_many_redirects
from sseclient_cli.sse.event_stream import EventStreamParser
from sseclient_cli.sse.held_text import large_text_bytes
from sseclient_cli.sse.reconnection import Reconnection


class Owner(Protocol):
    """Decides what follows in the life of a stream."""

    def opened(self, stream: Stream) -> None:
        """Count a stream whose response is an event stream."""

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        """Handle the end of a connection that was in phase ``was``; ``error`` is None if the server ended it."""

    def completed(self, stream: Stream) -> None:
        """Close a stream that has received as many events as it should."""


class Stream:
    """One event stream. It is the exchange of its connection."""

    __slots__ = (
        "_comments", "_connection", "_context", "_events_left", "_held_bytes", "_intended_ns", "_owner", "_parser",
        "_redirects", "began_ns", "has_delivered", "has_opened", "last_byte_ns", "observers", "reconnection", "request",
        "slot",
    )  # fmt: skip

    def __init__(
        self, context: EngineContext, owner: Owner, slot: int = 0, observers: tuple[StreamObserver, ...] = ()
    ) -> None:
        self._context = context
        self._owner = owner
        self.slot = slot
        """By which the owner knows the stream."""
        self.observers = observers
        self.request: PreparedRequest = context.connector.first
        """The present request of the redirect chain, or the last one."""
        self.reconnection = Reconnection(context.connector.last_event_id, context.retry_statuses)
        """What it keeps of earlier connections."""
        self.has_opened = False
        """Whether one of its connections has brought an event stream."""
        self.has_delivered = False
        """Whether the present connection, or the last one, has brought an event."""
        self.began_ns = 0
        """When the connection began (monotonic)."""
        self.last_byte_ns = 0
        """When the last byte of a head or a body arrived (monotonic)."""
        self._connection: Connection | None = None
        self._events_left = context.events_per_stream
        self._parser: EventStreamParser | None = None
        self._held_bytes = 0

    @property
    def phase(self) -> Phase:
        """Where its connection is; CLOSED while it has none."""
        return Phase.CLOSED if self._connection is None else self._connection.phase

    @property
    def requested_ns(self) -> int:
        """When the present request was sent (monotonic); 0 before."""
        return 0 if self._connection is None else self._connection.requested_ns

    def receive_queue_bytes(self) -> int | None:
        """Return how many bytes lie unread in its socket; None if it has none, or the system does not say."""
        return None if self._connection is None else self._connection.receive_queue_bytes()

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished. It takes four calls, 7 % of the cost of opening a stream."""
        if self._connection is not None:
            self._connection.keep_alive()

    # Connecting.

    def connect(self, intended_ns: int) -> None:
        """Begin to connect, which was meant to happen at ``intended_ns`` (monotonic). Raises SseError."""
        self._redirects = 0
        self.has_delivered = False
        self._begin(self._context.connector.first, intended_ns)
        for observer in self.observers:
            observer.connecting(intended_ns, self.began_ns)

    def _begin(self, request: PreparedRequest, intended_ns: int) -> None:
        context = self._context
        self.request, self._intended_ns = request, intended_ns
        self.began_ns = monotonic_ns()
        transport = context.connector.connect(request)
        self._connection = Connection(
            request, transport, self, poller=context.poller, clock=context.clock, reads=context.reads
        )
        context.attempts.begin(self)

    # The exchange: called by the connection.

    def connected(self, connected: Connected) -> bytes:
        """Return the request, which goes on after the last event ID."""
        for observer in self.observers:
            observer.connected(self._intended_ns, connected)
        self._context.attempts.request(self)
        return self.request.after(self.reconnection.header)

    def head_received(self, head: Head) -> None:
        """Follow a redirect, or start to parse an event stream."""
        context, connection = self._context, self._connection
        if connection is None:
            return
        if head.status in REDIRECT_STATUSES:
            self._redirect(head)
            return
        check_response(self.request, context.connector.first, head.status, head.headers, head.body)
        is_sent = connection.open(head.headers)
        context.attempts.under_way -= 1
        self._parser = EventStreamParser(self.reconnection.last_event_id, max_event_bytes=context.max_event_bytes)
        self._comments = 0
        self.reconnection.connection_opened()
        self.last_byte_ns = head.arrival_ns + context.clock.offset_ns
        # The head has the arrival time of its read. If more followed in this read, it must not have come much later.
        is_known = head.is_alone or context.poller.uncertainty_ns(head.arrival_ns, is_fresh=True) is not None
        opened = Opened(
            headers=head.headers,
            requested_ns=connection.requested_ns,
            arrival_ns=head.arrival_ns,
            arrival_monotonic_ns=self.last_byte_ns,
            is_exact=is_known and is_sent,
            is_alone=head.is_alone,
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
        # The next connection could begin when the redirect arrived.
        self._begin(request, head.arrival_ns + self._context.clock.offset_ns)

    def body_received(self, body: bytes, arrival_ns: int, *, ends: bool, is_fresh: bool) -> None:
        """Parse a piece of the body, and let the observers measure it."""
        parser = self._parser
        if parser is None:
            return
        events = parser.feed(body)
        is_exact = False
        if events:
            self.has_delivered = True
            if self._events_left is not None:
                ends = ends and len(events) <= self._events_left
                del events[self._events_left :]
                self._events_left -= len(events)
            is_exact = ends and parser.ends_with_event
        self.last_byte_ns = arrival_ns + self._context.clock.offset_ns
        for observer in self.observers:
            observer.received(body, events, arrival_ns, is_exact=is_exact, is_fresh=is_fresh)
        if parser.comment_count != self._comments:
            self._count_comments(parser.comment_count)
        if self._events_left == 0:
            self._owner.completed(self)
        elif parser.held_bytes != self._held_bytes and self._hold(parser.held_bytes) > 0:
            self._context.held_memory.check()

    def _count_comments(self, comment_count: int) -> None:
        for observer in self.observers:
            observer.commented(comment_count - self._comments)
        self._comments = comment_count

    def ended(self, cause: Exception | None) -> None:
        """Close the connection, and tell the owner how it ended."""
        connection, was = self._connection, self.phase
        is_complete = connection is not None and connection.is_complete
        # What ended for want of memory must free it, or each connection would leave another huge ID behind.
        remembers = not isinstance(cause, MemoryLimitError)
        self._drop(remembers=remembers, is_cut=was is Phase.OPEN and not is_complete and is_cut(cause))
        error = None if cause is None else mapped(cause, None if was is Phase.OPEN else self.request)
        self._owner.ended(self, error, was)

    # Ending.

    def drop(self) -> None:
        """Close the connection, but keep the last event ID and the reconnection time for the next one."""
        self._drop(remembers=True, is_cut=False)

    def close(self) -> None:
        """Close the connection without telling the owner, and free what is kept for a next one."""
        self._disconnect()
        self._hold(0)

    def finish(self, now_ns: int) -> None:
        """Tell the observers that the stream, or the run, is over (monotonic)."""
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
                observer.ended(now_ns, is_cut=is_cut)
        # The same text that the parser held; close() has let go of both.
        self._hold(large_text_bytes(self.reconnection.last_event_id))

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._context.attempts.under_way -= connection.phase is not Phase.OPEN
            connection.close()
        self._parser = None

    def _hold(self, held_bytes: int) -> int:
        """Report how much memory is held now, and return by how much that is more."""
        grown_bytes, self._held_bytes = held_bytes - self._held_bytes, held_bytes
        self._context.held_memory.total_bytes += grown_bytes
        return grown_bytes

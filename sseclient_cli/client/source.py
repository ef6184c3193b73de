"""``EventSource``: the events of one stream, over as many connections as it takes.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface

How it works. There is no task of its own: whoever asks for the next event does the connecting, parsing and
waiting, so cancelling that leaves nothing behind. The event loop reads ahead what has arrived, up to a limit
(``socket_stream.py``), so that a slow consumer still slows the server down. ``close`` may
come from a handler or another task of the same loop; it interrupts whatever is being awaited.

This file must not know sockets and httpx (``connection.py``), nor the rules of ``protocol``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Self

from sseclient_cli.client.arguments import check_arguments
from sseclient_cli.client.connection import Connection, Connector
from sseclient_cli.client.lifecycle import Lifecycle
from sseclient_cli.client.received import Received
from sseclient_cli.client.request import Headers, HeadersFactory, Params, Request
from sseclient_cli.client.retry_policy import RetryPolicy
from sseclient_cli.client.socket_stream import Arrival
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import EventTooLargeError, SseError, UsageError
from sseclient_cli.protocol.event_stream import DEFAULT_MAX_EVENT_BYTES, Event
from sseclient_cli.protocol.reconnection import DEFAULT_RECONNECTION_TIME_MS, Reconnection, StopReason
from sseclient_cli.target import Target

END_OF_STREAM = "the server ended the stream"


class EventSource:
    """The events of a stream: an async context manager, and inside it an async iterator of ``Event``.

    It reconnects as WHATWG HTML 9.2 says: after the end of the stream and after network errors, those of the
    first attempt included, with the Last-Event-ID. Iteration ends when the server says so (status 204), after
    ``close``, and where it does not reconnect at the end of the stream. It raises BadStatusError or
    WrongContentTypeError for a response that is no event stream, EventTooLargeError, and where it does not reconnect
    ConnectError, ConnectionLostError or InvalidResponseError. After an error or a cancellation it is closed.

    ``reconnect``: by default (None) only GET and HEAD are repeated. ``max_reconnects`` limits reconnections in a row
    without an event. ``reconnection_time_s`` is the wait until the stream names another with ``retry``.

    ``url`` is a URL or a ``Target``, which brings its own method, headers and body. ``method`` is GET, or POST with a
    ``body`` or ``json``. ``params`` are added to the query. ``headers`` are a mapping or pairs, or a function that
    returns them before each connection, may be async; a header whose value is None is left out. Arguments that make
    no sense raise UsageError at the call. ``read_timeout_s``: a connection on which nothing arrives for so long counts
    as lost; None waits for ever.
    ``retry_statuses``: responses with these (400 to 599, or UsageError) are waited out, with backoff and Retry-After.
    ``on_comment`` gets the text after the colon, unstripped, in its place between the events. ``on_state``
    gets each ``StateChange``; OPEN comes as soon as the headers are in. Both may call ``close``. What ``on_comment``
    returns is awaited before anything else is handed over, if it can be. ``on_trace`` gets lines like those of
    ``curl -v``: what is sent and received, with secrets redacted.
    """

    def __init__(
        self,
        url: str | Target,
        *,
        method: str | None = None,
        headers: Headers | HeadersFactory | None = None,
        body: bytes | str | None = None,
        json: object = None,
        params: Params | None = None,
        last_event_id: str = "",
        read_timeout_s: float | None = None,
        reconnect: bool | None = None,
        max_reconnects: int | None = None,
        reconnection_time_s: float = DEFAULT_RECONNECTION_TIME_MS / 1000,
        retry_statuses: Collection[int] = (),
        on_comment: Callable[[str], Awaitable[None] | None] | None = None,
        on_state: Callable[[StateChange], None] | None = None,
        max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
        on_trace: Callable[[str], None] | None = None,
    ) -> None:
        self._request = Request(url, method=method, headers=headers, body=body, json=json, params=params)
        check_arguments(
            read_timeout_s=read_timeout_s,
            reconnection_time_s=reconnection_time_s,
            max_reconnects=max_reconnects,
            max_event_bytes=max_event_bytes,
            last_event_id=last_event_id,
            on_state=on_state,
            on_trace=on_trace,
        )
        self._read_timeout_s = read_timeout_s
        self._on_comment = on_comment
        self._life = Lifecycle(on_state)
        self._on_trace = on_trace
        self._reconnection = Reconnection(
            last_event_id or self._request.target.last_event_id, retry_statuses, round(reconnection_time_s * 1000)
        )
        self._retries = RetryPolicy(self._reconnection, reconnect=reconnect, max_reconnects=max_reconnects)
        self._last_event_id = self._reconnection.last_event_id
        self._latest: Connection | None = None
        self._connector: Connector | None = None
        self._connection: Connection | None = None
        self._received = Received(with_comments=on_comment is not None, max_event_bytes=max_event_bytes)
        # Of what was handed over last.
        self._arrival = Arrival(0, by_kernel=False)
        self._one_at_a_time = asyncio.Lock()

    @property
    def url(self) -> str:
        """What was asked for, without user and password; redirects do not change it."""
        return self._request.target.url

    @property
    def state(self) -> ConnectionState:
        """What it is doing now."""
        return self._life.state

    @property
    def last_event_id(self) -> str:
        """What to give as ``last_event_id`` to go on after the last event that was handed over."""
        return self._last_event_id

    @property
    def response_headers(self) -> Mapping[str, str]:
        """The headers of the latest response, names in lower case; empty before the first."""
        return {} if self._latest is None else self._latest.headers

    @property
    def response_status(self) -> int | None:
        """The status of the latest response; None before the first."""
        return None if self._latest is None else self._latest.status

    @property
    def response_url(self) -> str | None:
        """Where the latest response came from, after redirects; None before the first."""
        return None if self._latest is None else self._latest.target.url

    @property
    def reconnection_time_s(self) -> float:
        """The wait before a reconnection: the argument, or the stream's last ``retry``. Failures in a row add to it."""
        return self._reconnection.reconnection_time_ms / 1000

    @property
    def arrived_ns(self) -> int:
        """When the event or comment that was handed over last arrived, in wall-clock ns since 1970.

        Before the first of a connection, when the response head did; 0 before that.
        """
        return self._arrival.time_ns

    @property
    def arrived_by_kernel(self) -> bool:
        """Whether ``arrived_ns`` is the kernel's timestamp; if not, it was taken right after the read."""
        return self._arrival.by_kernel

    async def __aenter__(self) -> Self:
        self._connector = Connector(self._request.target, self._read_timeout_s, self._on_trace)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        async with self._connector or nullcontext():
            await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        async with self._one_at_a_time:
            try:
                while not self._life.is_closed:
                    if not self._received:
                        await self._advance()
                    elif isinstance(item := self._take(), Event):
                        return item
                    else:
                        await (item or asyncio.sleep(0))  # thousands of comments in a row must not block the loop
            except BaseException as exc:
                reason = "cancelled" if isinstance(exc, asyncio.CancelledError) else str(exc) or type(exc).__name__
                self._shut(reason, exc if isinstance(exc, SseError) else None)
                raise
            finally:
                if self._life.is_closed:
                    await self._drop()
            raise StopAsyncIteration

    def close(self) -> None:
        """Deliver nothing more, and end a wait or a read at once. The socket is closed by the iteration."""
        self._shut("closed")

    async def aclose(self) -> None:
        """Close, and return when the socket is closed too."""
        try:
            self._shut("closed")
        finally:  # what a handler raises keeps nothing open
            async with self._one_at_a_time:
                await self._drop()

    def _take(self) -> Event | Awaitable[None] | None:
        """Hand over the next item received: return an event, return what the comment handler returns, or raise."""
        item = self._received.take()
        self._arrival = self._received.arrival
        if not self._received:
            # Behind the last event there may have been an id without data: it counts from now on.
            self._last_event_id = self._reconnection.last_event_id
        elif isinstance(item, Event):
            self._last_event_id = item.id
        if isinstance(item, EventTooLargeError):
            raise item
        if isinstance(item, Event):
            return item
        return None if self._on_comment is None else self._on_comment(item)

    async def _advance(self) -> None:
        """Connect or read; wait if that failed in a way that passes."""
        # Only what others raise is an outcome: what a state handler raises comes out.
        connection, parser = self._connection, self._received.parser
        if connection is None or parser is None:
            error = await self._connect()
            if error is not None:
                await self._reconnect_later(error, opened=False)
            return
        try:
            chunk, error = await self._life.interruptibly(connection.read()), None
        except SseError as exc:
            chunk, error = None, exc
        if chunk is not None:
            if self._received.parser is None:
                return  # closed in the very moment that these bytes arrived
            self._received.feed(chunk, connection.arrival)
            self._reconnection.remember(parser)
            if not self._received:
                self._last_event_id = parser.last_event_id
        else:
            await self._reconnect_later(error, opened=True)

    async def _connect(self) -> SseError | None:
        """Open the stream, unless it is closed meanwhile; return why there is none (9.2.3)."""
        connector = self._connector
        if connector is None:
            raise UsageError("an EventSource is used inside `async with EventSource(...) as source`")
        self._life.change(StateChange(ConnectionState.CONNECTING, "connecting"))
        connector.target = await self._life.interruptibly(self._request.fresh()) or connector.target
        try:
            self._connection = connection = await self._life.interruptibly(connector.connect(self._reconnection.header))
        except SseError as exc:
            return exc
        # It may be closed though there is a connection: in the very moment that the head arrived.
        if connection is None or self._life.is_closed:
            return None
        self._latest = connection
        refusal = connection.refusal
        if refusal is StopReason.NO_CONTENT:
            self._shut(refusal.value, stop=refusal)
        elif refusal is not None:
            return await self._life.interruptibly(connection.refused(refusal))
        else:
            self._reconnection.connection_opened()
            self._arrival = connection.arrival
            self._received.begin(self._reconnection.last_event_id)
            self._life.change(StateChange(ConnectionState.OPEN, "connected"))
        return None

    async def _reconnect_later(self, error: SseError | None, *, opened: bool) -> None:
        """Wait for as long as the rules say; if there is to be no other connection, raise or close."""
        if self._life.is_closed:
            return
        method, delivered = self._request.target.method, self._received.has_events
        delay_s = self._retries.delay_s(error, method, opened=opened, delivered=delivered)
        if delay_s is None:
            if error is not None:
                raise error
            self._shut(END_OF_STREAM)
            return
        await self._drop()
        text = str(error) if error else END_OF_STREAM
        diagnosis = self._received.end(by_server=True)
        self._life.change(StateChange(ConnectionState.WAITING, text, error, delay_s, diagnosis=diagnosis))
        await self._life.interruptibly(asyncio.sleep(delay_s))

    def _shut(self, reason: str, error: SseError | None = None, stop: StopReason | None = None) -> None:
        if not self._life.is_closed:
            by_server = reason is END_OF_STREAM or (error is not None and not isinstance(error, EventTooLargeError))
            diagnosis = self._received.end(by_server=by_server)
            self._life.change(StateChange(ConnectionState.CLOSED, reason, error, stop=stop, diagnosis=diagnosis))

    async def _drop(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

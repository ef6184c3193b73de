"""``EventSource``: the events of one stream, with automatic reconnection.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface

How it works. There is no background task: the iteration itself connects, parses and waits, so a cancellation leaves
nothing behind. The event loop reads ahead up to a limit (``socket_stream.py``); beyond it, a slow consumer slows the
server down. A handler or another task of the same event loop may call ``close`` and ``restart``, which interrupt the
current await.

This module is the public interface: arguments, properties and iteration. ``connections.py`` manages the connections.
This module must not know sockets, HTTP, or the protocol rules in ``sse``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Self

import httpx

from sseclient_cli.client.arguments import check_handlers, check_stream
from sseclient_cli.client.connections import Connections
from sseclient_cli.client.connector import Connector
from sseclient_cli.client.given_client import GivenClient, absolute_url
from sseclient_cli.client.lifecycle import Lifecycle
from sseclient_cli.client.received import Received
from sseclient_cli.client.repeat_policy import RepeatPolicy
from sseclient_cli.client.request import Headers, HeadersFactory, Params, Request
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import SseError, UsageError
from sseclient_cli.request.target import Target
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES, Event
from sseclient_cli.sse.retry_policy import DEFAULT_RECONNECTION_TIME_MS, MAX_BACKOFF_MS


class EventSource:
    """The events of one stream: an async context manager, and within it an async iterator of ``Event``.

    Reconnects as specified in WHATWG HTML 9.2, with the Last-Event-ID: after the end of the stream and after network
    errors, also of the first attempt. The iteration ends after status 204, after ``close``, and at the end of the
    stream without reconnection. It raises BadStatusError or WrongContentTypeError for a response that is not an event
    stream, EventTooLargeError and Http2NotOfferedError; without reconnection also ConnectError, ConnectionLostError and
    InvalidResponseError. After an error or a cancellation, the source is closed. Invalid arguments raise UsageError at
    the call.

    A ws:// or wss:// URL is a WebSocket: each message is an event (docs/how-to/websocket.md).

    Request: ``url`` is a URL or a ``Target``; a Target has its own method, headers and body. The default ``method`` is
    GET, or POST with a ``body`` or ``json``. ``params`` are added to the query. ``headers`` are a mapping or pairs, or
    a function that returns them for each connection and may be async; a header with the value None is not sent.
    ``http2`` speaks HTTP/2 and nothing else: for https by ALPN, for http by prior knowledge; it needs the package h2.
    ``proxy`` is the URL of a proxy, or empty for a direct connection; None uses the environment (``http_proxy``, ...)
    if ``trust_env``.

    Reconnection: ``reconnect`` is by default (None) only enabled for GET and HEAD. ``max_reconnects`` limits
    consecutive reconnections without an event. ``reconnection_time_s`` is the wait until the stream sets another one
    with ``retry``; after consecutive failures it grows to ``max_backoff_s``. Responses with one of ``retry_statuses``
    (400 to 599) are retried, with back-off and Retry-After. ``read_timeout_s`` is the longest silence before a
    connection counts as lost; None means no limit.

    Handlers: ``on_comment`` is called with the text after the colon, unstripped, in stream order; an awaitable result
    is awaited before the next event or comment. ``on_state`` is called with each ``StateChange``; OPEN occurs when the
    response head has arrived. Both may call ``close``. ``on_trace`` is called with lines like those of ``curl -v``,
    with credentials redacted.

    ``client`` sends the requests instead of the package's own transport, and is not closed. It cannot be combined with
    ``on_trace``, ``http2``, ``proxy``, or the tls, connect_to, unix_socket and source_addresses of a Target. It has
    no kernel timestamps, no tolerance and limits for response heads, and no TCP keep-alive.
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
        http2: bool = False,
        proxy: str | None = None,
        trust_env: bool = True,
        last_event_id: str = "",
        read_timeout_s: float | None = None,
        reconnect: bool | None = None,
        max_reconnects: int | None = None,
        reconnection_time_s: float = DEFAULT_RECONNECTION_TIME_MS / 1000,
        max_backoff_s: float = MAX_BACKOFF_MS / 1000,
        retry_statuses: Collection[int] = (),
        on_comment: Callable[[str], Awaitable[None] | None] | None = None,
        on_state: Callable[[StateChange], None] | None = None,
        max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES,
        on_trace: Callable[[str], None] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if client is not None and isinstance(url, str):
            url = absolute_url(client, url)
        self._request = Request(url, method=method, headers=headers, body=body, json=json, params=params, http2=http2)
        if client is None:
            self._request.choose_proxy(proxy, trust_env=trust_env)
        check_stream(read_timeout_s=read_timeout_s, max_event_bytes=max_event_bytes, last_event_id=last_event_id)
        check_handlers(on_comment=on_comment, on_state=on_state, on_trace=on_trace)
        last_event_id = last_event_id or self._request.target.last_event_id
        repeat_policy = RepeatPolicy(
            last_event_id,
            reconnect=reconnect,
            max_reconnects=max_reconnects,
            retry_statuses=retry_statuses,
            reconnection_time_s=reconnection_time_s,
            max_backoff_s=max_backoff_s,
        )
        self._given = None
        if client is not None:
            self._given = GivenClient(client, self._request.target, read_timeout_s, on_trace=on_trace, proxy=proxy)
        self._read_timeout_s, self._on_comment, self._on_trace = read_timeout_s, on_comment, on_trace
        self._reconnection = repeat_policy.reconnection
        self._lifecycle = Lifecycle(on_state)
        self._received = Received(last_event_id, with_comments=on_comment is not None, max_event_bytes=max_event_bytes)
        self._connections = Connections(self._request, self._received, repeat_policy, self._lifecycle)
        self._connector: Connector | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def url(self) -> str:
        """The requested URL, without user and password. Redirects do not change it."""
        return self._request.target.url

    @property
    def state(self) -> ConnectionState:
        """The current state."""
        return self._lifecycle.state

    @property
    def last_event_id(self) -> str:
        """The ``last_event_id`` to resume after the latest event."""
        return self._received.taken_id

    @property
    def response_headers(self) -> Mapping[str, str]:
        """The headers of the latest response, with names in lower case; empty before the first one."""
        latest = self._connections.latest
        return {} if latest is None else latest.headers

    @property
    def response_status(self) -> int | None:
        """The status of the latest response; None before the first one."""
        latest = self._connections.latest
        return None if latest is None else latest.status

    @property
    def response_url(self) -> str | None:
        """The URL of the latest response, after redirects; None before the first one."""
        latest = self._connections.latest
        return None if latest is None else latest.target.url

    @property
    def reconnection_time_s(self) -> float:
        """The wait before a reconnection, without back-off: the last ``retry`` of the stream, or the argument."""
        return self._reconnection.reconnection_time_ms / 1000

    @property
    def retry_s(self) -> float | None:
        """The last ``retry`` of the stream; None before the first one."""
        return self.reconnection_time_s if self._reconnection.is_time_from_server else None

    @property
    def arrived_ns(self) -> int:
        """The arrival time of the latest event or comment, in wall-clock ns since 1970.

        Before the first one of a connection, the arrival time of the response head; before that, 0.
        """
        return self._received.taken_arrival.time_ns

    @property
    def arrived_by_kernel(self) -> bool:
        """Whether ``arrived_ns`` is a kernel timestamp. Otherwise it is the time right after the read."""
        return self._received.taken_arrival.by_kernel

    async def __aenter__(self) -> Self:
        self._connector = Connector(self._request.target, self._read_timeout_s, self._on_trace, self._given)
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
                while not self._lifecycle.is_closed:
                    if self._lifecycle.is_restarting:
                        await self._connections.restart()
                    elif not self._received:
                        await self._connections.advance(self._entered())
                    elif isinstance(item := self._take(), Event):
                        return item
                    else:
                        await (item or asyncio.sleep(0))  # thousands of comments must not block the event loop
            except BaseException as exc:
                reason = "cancelled" if isinstance(exc, asyncio.CancelledError) else str(exc) or type(exc).__name__
                self._connections.close(reason, exc if isinstance(exc, SseError) else None)
                raise
            finally:
                if self._lifecycle.is_closed:
                    await self._connections.close_connection()
            raise StopAsyncIteration

    def take_received(self) -> Event | None:
        """Return the next event if no await is necessary; otherwise None."""
        if self._lifecycle.is_closed or self._lifecycle.is_restarting or not self._received.is_event_next:
            return None
        item = self._received.take()
        return item if isinstance(item, Event) else None

    def take_received_events(self) -> list[Event]:
        """Return all next events for which no await is necessary: a fast stream has hundreds in one read.

        They end before the next comment, whose handler the iteration calls.
        """
        if self._lifecycle.is_closed or self._lifecycle.is_restarting:
            return []
        return self._received.take_events()

    def close(self) -> None:
        """Stop the iteration, and interrupt a wait or a read. The iteration then closes the socket."""
        self._connections.close("closed")

    async def aclose(self) -> None:
        """Close, and wait until the socket is closed."""
        try:
            self.close()
        finally:  # close the socket even if a state handler raises
            async with self._one_at_a_time:
                await self._connections.close_connection()

    def restart(self) -> None:
        """Close the connection and reconnect immediately, with the Last-Event-ID and new ``headers``.

        Useful for a new token, or after a long silence. Interrupts a wait or a read of the iteration, which then closes
        the socket. Events that have already been received are returned first. It also repeats a POST, and does not
        count towards ``max_reconnects``. Does nothing if the source is closed.
        """
        self._lifecycle.restart()

    def _entered(self) -> Connector:
        if self._connector is None:
            raise UsageError("the EventSource has not been entered: use `async with EventSource(...) as source`")
        return self._connector

    def _take(self) -> Event | Awaitable[None] | None:
        """Take the next item: return an event, call the comment handler and return its result, or raise an error."""
        item = self._received.take()
        if isinstance(item, SseError):
            raise item
        if isinstance(item, Event):
            return item
        return None if self._on_comment is None else self._on_comment(item)

"""``EventSource``: the events of one stream, over as many connections as it takes.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface

How it works. There is no task of its own: whoever asks for the next event does the connecting, parsing and
waiting, so cancelling that leaves nothing behind. The event loop reads ahead what has arrived, up to a limit
(``socket_stream.py``), so that a slow consumer still slows the server down. ``close`` and ``restart`` may
come from a handler or another task of the same loop; they interrupt the current await.

This file is what a caller sees: arguments, properties, and one event after the other. What happens to the connections
is in ``connections.py``. It must not know sockets and HTTP, nor the rules of ``protocol``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Self

import httpx

from sseclient_cli.client.arguments import check_arguments
from sseclient_cli.client.connection import Connector
from sseclient_cli.client.connections import Connections
from sseclient_cli.client.given_client import GivenClient, absolute_url
from sseclient_cli.client.lifecycle import Lifecycle
from sseclient_cli.client.received import Received
from sseclient_cli.client.request import Headers, HeadersFactory, Params, Request
from sseclient_cli.client.retry_policy import RetryPolicy
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import EventTooLargeError, SseError, UsageError
from sseclient_cli.request.target import Target
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES, Event
from sseclient_cli.sse.reconnection import DEFAULT_RECONNECTION_TIME_MS, MAX_BACKOFF_MS, Reconnection


class EventSource:
    """The events of a stream: an async context manager, and inside it an async iterator of ``Event``.

    It reconnects as WHATWG HTML 9.2 says: after the end of the stream and after network errors, those of the
    first attempt included, with the Last-Event-ID. Iteration ends when the server says so (status 204), after
    ``close``, and where it does not reconnect at the end of the stream. It raises BadStatusError or
    WrongContentTypeError for a response that is no event stream, EventTooLargeError, and where it does not reconnect
    ConnectError, ConnectionLostError or InvalidResponseError. After an error or a cancellation it is closed.

    ``reconnect``: by default (None) only GET and HEAD are repeated. ``max_reconnects`` limits reconnections in a row
    without an event. ``reconnection_time_s`` is the wait until the stream names another with ``retry``; while attempts
    fail one after the other it grows to ``max_backoff_s``.

    ``url`` is a URL or a ``Target``, which brings its own method, headers and body. ``method`` is GET, or POST with a
    ``body`` or ``json``. ``params`` are added to the query. ``headers`` are a mapping or pairs, or a function that
    returns them before each connection, may be async; a header whose value is None is left out. ``proxy`` is the URL of
    a proxy, or empty for none; None takes those of the environment (``http_proxy``, ...) if ``trust_env``.
    Arguments that make no sense raise UsageError at the call. ``read_timeout_s``: a connection on which nothing arrives
    for so long counts as lost; None waits for ever.
    ``retry_statuses``: responses with these (400 to 599, or UsageError) are waited out, with backoff and Retry-After.
    ``on_comment`` gets the text after the colon, unstripped, in its place between the events. ``on_state``
    gets each ``StateChange``; OPEN comes as soon as the headers are in. Both may call ``close``. What ``on_comment``
    returns is awaited before anything else is handed over, if it can be. ``on_trace`` gets lines like those of
    ``curl -v``: what is sent and received, with secrets redacted.

    ``client`` makes the requests instead of the package's own transport; it is not closed. It excludes ``on_trace``,
    ``proxy``, and what a Target says of the connection (tls, connect_to, unix_socket, source_addresses). Kernel
    timestamps, tolerance and limits for response heads, and TCP keepalive are those of the package's own transport.
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
        self._request = Request(url, method=method, headers=headers, body=body, json=json, params=params)
        if client is None:
            self._request.choose_proxy(proxy, trust_env=trust_env)
        check_arguments(
            read_timeout_s=read_timeout_s,
            reconnection_time_s=reconnection_time_s,
            max_backoff_s=max_backoff_s,
            reconnect=reconnect,
            max_reconnects=max_reconnects,
            retry_statuses=retry_statuses,
            max_event_bytes=max_event_bytes,
            last_event_id=last_event_id,
            on_comment=on_comment,
            on_state=on_state,
            on_trace=on_trace,
        )
        self._given = None
        if client is not None:
            self._given = GivenClient(client, self._request.target, read_timeout_s, on_trace=on_trace, proxy=proxy)
        self._read_timeout_s = read_timeout_s
        self._on_comment = on_comment
        self._on_trace = on_trace
        self._life = Lifecycle(on_state)
        self._reconnection = Reconnection(
            last_event_id or self._request.target.last_event_id,
            retry_statuses,
            round(reconnection_time_s * 1000),
            round(max_backoff_s * 1000),
        )
        self._received = Received(
            self._reconnection.last_event_id, with_comments=on_comment is not None, max_event_bytes=max_event_bytes
        )
        retries = RetryPolicy(self._reconnection, reconnect=reconnect, max_reconnects=max_reconnects)
        self._connections = Connections(self._request, self._received, self._reconnection, retries, self._life)
        self._connector: Connector | None = None
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
        return self._received.taken_id

    @property
    def response_headers(self) -> Mapping[str, str]:
        """The headers of the latest response, names in lower case; empty before the first."""
        latest = self._connections.latest
        return {} if latest is None else latest.headers

    @property
    def response_status(self) -> int | None:
        """The status of the latest response; None before the first."""
        latest = self._connections.latest
        return None if latest is None else latest.status

    @property
    def response_url(self) -> str | None:
        """Where the latest response came from, after redirects; None before the first."""
        latest = self._connections.latest
        return None if latest is None else latest.target.url

    @property
    def reconnection_time_s(self) -> float:
        """The wait before a reconnection: the argument, or the stream's last ``retry``. Failures in a row add to it."""
        return self._reconnection.reconnection_time_ms / 1000

    @property
    def arrived_ns(self) -> int:
        """When the event or comment that was handed over last arrived, in wall-clock ns since 1970.

        Before the first of a connection, when the response head did; 0 before that.
        """
        return self._received.taken_arrival.time_ns

    @property
    def arrived_by_kernel(self) -> bool:
        """Whether ``arrived_ns`` is the kernel's timestamp; if not, it was taken right after the read."""
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
                while not self._life.is_closed:
                    if self._life.is_restarting:
                        await self._connections.begin_again()
                    elif not self._received:
                        await self._connections.advance(self._entered())
                    elif isinstance(item := self._take(), Event):
                        return item
                    else:
                        await (item or asyncio.sleep(0))  # thousands of comments in a row must not block the loop
            except BaseException as exc:
                reason = "cancelled" if isinstance(exc, asyncio.CancelledError) else str(exc) or type(exc).__name__
                self._connections.shut(reason, exc if isinstance(exc, SseError) else None)
                raise
            finally:
                if self._life.is_closed:
                    await self._connections.drop()
            raise StopAsyncIteration

    def take_received(self) -> Event | None:
        """Return the next event if it is here already and nothing is to be done first; None if that takes an await."""
        if self._life.is_closed or self._life.is_restarting or not self._received.is_event_next:
            return None
        item = self._received.take()
        return item if isinstance(item, Event) else None

    def close(self) -> None:
        """Deliver nothing more, and end a wait or a read at once. The socket is closed by the iteration."""
        self._connections.shut("closed")

    async def aclose(self) -> None:
        """Close, and return when the socket is closed too."""
        try:
            self.close()
        finally:  # what a handler raises keeps nothing open
            async with self._one_at_a_time:
                await self._connections.drop()

    def restart(self) -> None:
        """Give up the connection, and connect again at once, with the Last-Event-ID and fresh ``headers``.

        Useful after a change of token, or after too long a silence. It ends a wait or a read of the iteration, which
        closes the socket. Events received already are handed over first. An explicit call repeats a POST, too, and
        does not count towards ``max_reconnects``. On a closed source, it does nothing.
        """
        self._life.restart()

    def _entered(self) -> Connector:
        if self._connector is None:
            raise UsageError("an EventSource is used inside `async with EventSource(...) as source`")
        return self._connector

    def _take(self) -> Event | Awaitable[None] | None:
        """Hand over the next item received: return an event, return what the comment handler returns, or raise."""
        item = self._received.take()
        if isinstance(item, EventTooLargeError):
            raise item
        if isinstance(item, Event):
            return item
        return None if self._on_comment is None else self._on_comment(item)

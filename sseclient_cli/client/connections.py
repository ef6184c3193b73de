"""The connections of one ``EventSource``, one after the other: each is opened, read, and followed by the next.

It has no task of its own: ``advance`` is awaited by the iteration, one step at a time. This file must not know what the
caller does with events, nor sockets and httpx (``connection.py``).
"""

from __future__ import annotations

import asyncio

from sseclient_cli.client.connection import Connection, Connector
from sseclient_cli.client.lifecycle import Lifecycle
from sseclient_cli.client.received import Received
from sseclient_cli.client.request import Request
from sseclient_cli.client.retry_policy import RetryPolicy
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import EventTooLargeError, SseError
from sseclient_cli.sse.reconnection import Reconnection, StopReason

END_OF_STREAM = "the server ended the stream"


class Connections:
    """Puts what arrives into ``received``; ``latest`` is the last connection whose response head is in."""

    def __init__(
        self, request: Request, received: Received, reconnection: Reconnection, retries: RetryPolicy, life: Lifecycle
    ) -> None:
        self._request = request
        self._received = received
        self._reconnection = reconnection
        self._retries = retries
        self._life = life
        self._current: Connection | None = None
        self._reason = "connecting"
        self.latest: Connection | None = None

    async def advance(self, connector: Connector) -> None:
        """Connect or read; wait if that failed in a way that passes."""
        # Only what others raise is an outcome: what a state handler raises comes out.
        connection, parser = self._current, self._received.parser
        if connection is None or parser is None:
            error = await self._connect(connector)
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
        else:
            await self._reconnect_later(error, opened=True)

    async def begin_again(self) -> None:
        """Give up the connection because the caller restarts, and have the next ``advance`` make another at once."""
        self._life.is_restarting = False
        self._received.end(by_server=False)
        self._reason = "restarting"
        await self.drop()

    def shut(self, reason: str, error: SseError | None = None, stop: StopReason | None = None) -> None:
        """Close the source, unless it is closed; the socket is left to ``drop``."""
        if not self._life.is_closed:
            by_server = reason is END_OF_STREAM or (error is not None and not isinstance(error, EventTooLargeError))
            diagnosis = self._received.end(by_server=by_server)
            self._life.change(StateChange(ConnectionState.CLOSED, reason, error, stop=stop, diagnosis=diagnosis))

    async def drop(self) -> None:
        """Close the connection, if there is one."""
        connection, self._current = self._current, None
        if connection is not None:
            await connection.aclose()

    async def _connect(self, connector: Connector) -> SseError | None:
        """Open the stream, unless it is closed meanwhile; return why there is none (9.2.3)."""
        reason, self._reason = self._reason, "connecting"
        self._life.change(StateChange(ConnectionState.CONNECTING, reason))
        connector.target = await self._life.interruptibly(self._request.fresh()) or connector.target
        try:
            connection = await self._life.interruptibly(connector.connect(self._reconnection.header))
        except SseError as exc:
            return exc
        self._current = connection
        # It may be closed though there is a connection: in the very moment that the head arrived.
        if connection is None or self._life.is_closed:
            return None
        self.latest = connection
        refusal = connection.refusal
        if refusal is StopReason.NO_CONTENT:
            self.shut(refusal.value, stop=refusal)
        elif refusal is not None:
            return await self._life.interruptibly(connection.refused(refusal))
        else:
            self._reconnection.connection_opened()
            self._received.begin(self._reconnection.last_event_id, connection.arrival)
            self._life.change(StateChange(ConnectionState.OPEN, "connected"))
        return None

    async def _reconnect_later(self, error: SseError | None, *, opened: bool) -> None:
        """Wait before the next connection, as the retry policy says; without a next one, raise or close."""
        if self._life.is_closed or self._life.is_restarting:
            return
        method, delivered = self._request.target.method, self._received.has_events
        delay_s = self._retries.delay_s(error, method, opened=opened, delivered=delivered)
        if delay_s is None:
            if error is not None:
                raise error
            self.shut(END_OF_STREAM)
            return
        await self.drop()
        text = str(error) if error else END_OF_STREAM
        diagnosis = self._received.end(by_server=True)
        self._life.change(StateChange(ConnectionState.WAITING, text, error, delay_s, diagnosis=diagnosis))
        await self._life.interruptibly(asyncio.sleep(delay_s))

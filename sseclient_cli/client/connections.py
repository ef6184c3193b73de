"""The successive connections of one ``EventSource``: open one, read it, reconnect.

There is no background task: the iteration awaits ``advance``, one step at a time. This module must not know sockets and
httpx (``connection.py``), nor how the caller uses events.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from sseclient_cli.client.connection import Connection
from sseclient_cli.client.connector import Connector
from sseclient_cli.client.lifecycle import Lifecycle
from sseclient_cli.client.received import Received
from sseclient_cli.client.repeat_policy import RepeatPolicy
from sseclient_cli.client.request import Request
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import EventTooLargeError, SseError
from sseclient_cli.lost_connections import cut_websocket
from sseclient_cli.sse.response_check import StopReason

PONG_S = 1.0
"""The time limit to answer pings: a server that does not read the answers must not stop the messages."""

END_OF_STREAM = "the server ended the stream"


class Connections:
    """Reads connections into ``received``. ``latest`` is the last connection with a response."""

    def __init__(self, request: Request, received: Received, repeat_policy: RepeatPolicy, lifecycle: Lifecycle) -> None:
        self._request = request
        self._received = received
        self._reconnection = repeat_policy.reconnection
        self._repeat_policy = repeat_policy
        self._lifecycle = lifecycle
        self._current: Connection | None = None
        self._reason = "connecting"
        self.latest: Connection | None = None

    async def advance(self, connector: Connector) -> None:
        """Connect or read; after a transient error, wait.

        Only the errors of a connect or a read lead to a reconnection. An exception of a state handler propagates.
        """
        connection, parser = self._current, self._received.parser
        if connection is None or parser is None:
            error = await self._connect(connector)
            if error is not None:
                await self._reconnect_later(error, opened=False)
            return
        websocket = self._received.websocket
        if websocket is not None and websocket.is_over:
            await self._reconnect_later(websocket.error, opened=True)
            return
        try:
            chunk, error = await self._lifecycle.interruptibly(connection.read()), None
        except SseError as exc:
            chunk, error = None, exc
        if chunk is not None:
            if self._received.parser is None:
                return  # closed at the moment when these bytes arrived
            self._received.feed(chunk, connection.arrival)
            self._reconnection.remember(parser)
            await self._send_pending(connection, PONG_S)
        elif websocket is not None:
            await self._reconnect_later(error or cut_websocket(), opened=True)
        elif error is not None or self._lifecycle.is_restarting or not self._received.finish():
            # Otherwise the body ended with an event: that comes first, and the next read returns the end again.
            await self._reconnect_later(error, opened=True)

    async def restart(self) -> None:
        """Close the connection because the caller restarts. The next ``advance`` connects without a wait."""
        self._lifecycle.is_restarting = False
        self._received.end(by_server=False)
        self._reason = "restarting"
        await self.close_connection()

    def close(self, reason: str, error: SseError | None = None, stop: StopReason | None = None) -> None:
        """Close the source, unless it is closed already. ``close_connection`` closes the socket."""
        if not self._lifecycle.is_closed:
            by_server = reason is END_OF_STREAM or (error is not None and not isinstance(error, EventTooLargeError))
            diagnosis = self._received.end(by_server=by_server)
            self._lifecycle.change(StateChange(ConnectionState.CLOSED, reason, error, stop=stop, diagnosis=diagnosis))

    async def close_connection(self) -> None:
        """Close the current connection, if any."""
        connection, self._current = self._current, None
        if connection is not None:
            await connection.aclose()

    async def _connect(self, connector: Connector) -> SseError | None:
        """Open the stream, unless the source is closed meanwhile. Return the error, if any (9.2.3)."""
        reason, self._reason = self._reason, "connecting"
        self._lifecycle.change(StateChange(ConnectionState.CONNECTING, reason))
        connector.target = await self._lifecycle.interruptibly(self._request.fresh()) or connector.target
        try:
            connection = await self._lifecycle.interruptibly(connector.connect(self._reconnection.header))
        except SseError as exc:
            return exc
        self._current = connection
        # The source may be closed although there is a connection: at the moment when the head arrived.
        if connection is None or self._lifecycle.is_closed:
            return None
        self.latest = connection
        stop_reason = connection.stop_reason
        if stop_reason is StopReason.NO_CONTENT:
            self.close(stop_reason.value, stop=stop_reason)
        elif stop_reason is not None:
            return await self._lifecycle.interruptibly(connection.response_error(stop_reason))
        else:
            self._reconnection.connection_opened()
            self._received.begin(
                self._reconnection.last_event_id,
                connection.arrival,
                connection.stream_format,
                connection.refusal if connection.is_guess else None,
            )
            self._lifecycle.change(StateChange(ConnectionState.OPEN, "connected"))
            if self._received.websocket is not None:
                self._received.websocket.send(connection.target.messages)
                await self._send_pending(connection, None)
        return None

    async def _send_pending(self, connection: Connection, within_s: float | None) -> None:
        """Send what a WebSocket has to send. A broken connection also ends the next read, which reports it."""
        websocket = self._received.websocket
        if websocket is not None and (outgoing := websocket.take_outgoing()):
            with suppress(SseError):
                await self._lifecycle.interruptibly(connection.send(outgoing, within_s))

    async def _reconnect_later(self, error: SseError | None, *, opened: bool) -> None:
        """Wait before the next connection, or raise or close if the retry policy says to stop."""
        if self._lifecycle.is_closed or self._lifecycle.is_restarting:
            return
        method, received = self._request.target.method, self._received
        is_done = opened and error is None and received.websocket is not None and received.websocket.is_done
        delay_s = self._repeat_policy.delay_s(
            error, method, received.stream_format, opened=opened, delivered=received.has_events, is_done=is_done
        )
        if delay_s is None:
            if error is not None:
                raise error
            self.close(END_OF_STREAM)
            return
        await self.close_connection()
        text = str(error) if error else END_OF_STREAM
        diagnosis = self._received.end(by_server=True)
        self._lifecycle.change(StateChange(ConnectionState.WAITING, text, error, delay_s, diagnosis=diagnosis))
        await self._lifecycle.interruptibly(asyncio.sleep(delay_s))

"""The exchange of a connection after its switch to a WebSocket.

It replaces the stream as the exchange of the connection, so that the code for each read of an event stream stays as it
is. After each read it sends what the parser has to send, and ends the connection after a close frame.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sseclient_cli.engine.connection import Connection
from sseclient_cli.engine.exchange import Exchange, Head, Phase
from sseclient_cli.engine.observer import Connected
from sseclient_cli.sse.websocket import WebSocketParser

if TYPE_CHECKING:
    from sseclient_cli.engine.stream import Stream


class WebSocketExchange:
    """Passes an open WebSocket on to its stream. It implements ``Exchange``."""

    __slots__ = ("_connection", "_parser", "_stream")

    def __init__(self, stream: Exchange, connection: Connection, parser: WebSocketParser) -> None:
        self._stream, self._connection, self._parser = stream, connection, parser

    def connected(self, connected: Connected) -> bytes:
        """Do not call: the connection is open."""
        return self._stream.connected(connected)

    def head_received(self, head: Head) -> None:
        """Do not call: the connection is open."""
        self._stream.head_received(head)

    def body_received(self, body: bytes, arrival_ns: int, *, ends: bool, is_fresh: bool) -> None:
        """Handle a read. Raises SseError if the server closes the WebSocket with an error, or violates the protocol."""
        self._stream.body_received(body, arrival_ns, ends=ends, is_fresh=is_fresh)
        self.send_pending()
        parser = self._parser
        if parser.is_over and self._connection.phase is Phase.OPEN:
            if parser.error is not None:
                raise parser.error
            self._connection.complete()
            self._stream.ended(None)

    def ended(self, cause: Exception | None) -> None:
        """Pass on the end of the connection."""
        self._stream.ended(cause)

    def send_pending(self) -> None:
        """Send messages and answers. A server that does not read gets no more pongs (RFC 6455 5.5.3 allows it)."""
        outgoing, connection = self._parser.take_outgoing(), self._connection
        if outgoing and connection.phase is Phase.OPEN and connection.is_sent:
            with suppress(OSError):  # the next read reports the broken connection
                connection.send(outgoing)


def switched(stream: Stream, connection: Connection, last_event_id: str, max_event_bytes: int) -> WebSocketParser:
    """Let a connection speak WebSocket from now on, and send the messages of the request. Return its parser."""
    parser = WebSocketParser(last_event_id, max_event_bytes)
    parser.send(stream.request.target.messages)
    exchange = WebSocketExchange(stream, connection, parser)
    connection.switch(exchange)
    exchange.send_pending()
    return parser

"""uvicorn's WebSocket protocol with the transport in the ASGI scope, and a shutdown that leaves closing to the handler.

Uses undocumented names of uvicorn, like http_protocol.py.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from demo_server.connections.stall_timeout import StallTimeout
from demo_server.streams.scope_keys import TRANSPORT_EXTENSION


class StreamingWebSockets(StallTimeout, WebSocketsSansIOProtocol):
    """The WebSocket protocol of this server."""

    def handle_connect(self, event: Request) -> None:
        """Add the transport to the scope of the connection. The application starts after this."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            cast("Scope", self.scope)["extensions"][TRANSPORT_EXTENSION] = self.transport

    async def send(self, message: Any) -> None:
        """Send a message, with workarounds for two errors that uvicorn 0.54 logs."""
        await self.writable.wait()  # like uvicorn, but before the check: the connection may close while this waits
        # After a missed pong, uvicorn 0.54 closes the transport, and then logs an error for the next send. ASGI says:
        # send on a closed connection raises a subclass of OSError.
        if self.handshake_complete and self.transport.is_closing():
            raise ConnectionAbortedError("the WebSocket is closing")
        await super().send(message)
        # After an error response by websocket.http.response, uvicorn 0.54 logs an incomplete handshake.
        self.handshake_complete = self.handshake_complete or self.close_sent

    def is_waiting_for_client(self) -> bool:
        """Include connections whose closing handshake the client has not answered."""
        return self.close_sent or super().is_waiting_for_client()

    def shutdown(self) -> None:
        """Leave an open WebSocket to its handler, which sends the shutdown notice and closes."""
        if self.close_sent or not self.handshake_complete:
            super().shutdown()

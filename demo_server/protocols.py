"""uvicorn's protocols, as streams need them: they write at once, show their transport, and do not wait for ever."""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from typing import cast

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from demo_server.streams import TRANSPORT_EXTENSION

# What a client may leave unread in a full socket: longer than sse-starlette's own timeout for /stream, which it shows.
STALLED_AFTER_S = 8.0
MAX_REQUEST_BYTES = 1 << 20  # some more than the longest conversation that anybody has with a demo


class Impatient(asyncio.Protocol):
    """Hangs up on a client that does not read: it would hold its stream, and an event, for ever."""

    transport: asyncio.Transport
    stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have `send` wait as soon as the kernel takes no more, and the kernel send at once what it takes."""
        cast("asyncio.Transport", transport).set_write_buffer_limits(high=0)
        # asyncio does so only where the listening socket names its protocol, and `socket.create_server` names none. A
        # second small write would wait until the client has acknowledged the first: commonly for 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        """Begin to wait for the client."""
        self.stalled = asyncio.get_running_loop().call_later(STALLED_AFTER_S, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Go on."""
        self.forgive()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self.forgive()
        super().connection_lost(exc)

    def is_waiting_for_client(self) -> bool:
        """Say whether nothing goes on here unless the client does something: it does not read."""
        return self.transport.get_write_buffer_size() > 0

    def forgive(self) -> None:
        """End the wait for the client, if there is one."""
        if self.stalled is not None:
            self.stalled.cancel()
            self.stalled = None


class StreamingProtocol(Impatient, HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which also shows its transport to the application (see streams.py)."""

    request_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Refuse a request without end: the frameworks keep in memory what they get."""
        cycle: RequestResponseCycle | None = self.cycle
        self.request_bytes += len(data)
        if self.request_bytes <= MAX_REQUEST_BYTES:
            super().data_received(data)
        elif cycle is None or not cycle.response_started:
            self.send_400_response(f"A request may have {MAX_REQUEST_BYTES} bytes at most.")
        else:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Add the transport to the scope of a new request."""
        self.request_bytes = 0
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT_EXTENSION: cast("dict[object, object]", self.transport)}

    def is_waiting_for_client(self) -> bool:
        """Say so of a request, too, that the client does not go on with."""
        cycle: RequestResponseCycle | None = self.cycle
        is_cut_short = cycle is not None and cycle.more_body and not cycle.response_complete
        return is_cut_short or super().is_waiting_for_client()


class StreamingWebSockets(Impatient, WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, likewise."""

    def handle_connect(self, event: Request) -> None:
        """Add the transport to the scope of the connection; the application has its first turn after this."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            cast("Scope", self.scope)["extensions"][TRANSPORT_EXTENSION] = self.transport

    async def send(self, message: ASGISendEvent) -> None:
        """Note that a refusal completes the handshake, too: uvicorn 0.54 forgets, and complains of it."""
        await self.writable.wait()  # as uvicorn does, but before the look: the connection may close meanwhile
        if self.handshake_complete and self.transport.is_closing():
            raise ClientDisconnected  # uvicorn 0.54 complains of who sends after it has closed for want of a pong
        await super().send(message)
        self.handshake_complete = self.handshake_complete or self.close_sent

    def is_waiting_for_client(self) -> bool:
        """Say so of a farewell, too, that the client does not answer."""
        return self.close_sent or super().is_waiting_for_client()

    def shutdown(self) -> None:
        """Leave a stream to its handler, which says farewell and closes."""
        if self.close_sent or not self.handshake_complete:
            super().shutdown()

"""uvicorn's protocols, as streams need them: they write at once, show their transport, and do not wait for ever."""

from __future__ import annotations

import asyncio
import json
import socket
from http import HTTPStatus
from typing import cast

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from demo_server.connections.open_files import is_in_reserve
from demo_server.streams.stream import TRANSPORT_EXTENSION

# What a client may leave unread in a full socket: longer than sse-starlette's own timeout for /stream, which it shows.
STALLED_AFTER_S = 8.0
# From the first byte (or the connection, whose client asks nothing) to the last. A megabyte takes that with 0.8 Mbit/s.
REQUEST_WITHIN_S = 10.0
# Of a connection that holds one of the last files (see open_files.py).
REFUSED_WITHIN_S = 1.0
NO_FILES = "this server has as many open files as it may have: try again later, or raise its limit (ulimit -n)"
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
    is_in_request = False
    is_refused = False
    overdue: asyncio.TimerHandle | None = None
    """Closes the connection if the request is not complete in time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.is_refused = is_in_reserve(transport.get_extra_info("socket").fileno())
        self.expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self.forget_request()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Refuse a request without end: the frameworks keep in memory what they get."""
        if self.is_refused:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, NO_FILES)
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.expect_request()
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
        self.is_in_request = True
        self.expect_request()
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT_EXTENSION: cast("dict[object, object]", self.transport)}

    def on_message_complete(self) -> None:
        """Wait no longer for this request."""
        self.is_in_request = False
        self.forget_request()
        super().on_message_complete()

    def expect_request(self) -> None:
        """Begin to wait for the end of a request, if that is not so already."""
        if self.overdue is None:
            within_s = REFUSED_WITHIN_S if self.is_refused else REQUEST_WITHIN_S
            self.overdue = self.loop.call_later(within_s, self.give_up_request)

    def forget_request(self) -> None:
        """End the wait for a request."""
        if self.overdue is not None:
            self.overdue.cancel()
            self.overdue = None

    def give_up_request(self) -> None:
        """Close a connection whose request is not complete; uvicorn would wait for ever."""
        self.overdue = None
        cycle: RequestResponseCycle | None = self.cycle
        # The one whose body is not complete, or the one before it.
        is_half_head = cycle is None or not cycle.more_body
        is_answered = cycle is not None and (not cycle.response_complete if is_half_head else cycle.response_started)
        if self.flow.read_paused:  # by us: the rest may be here already
            self.expect_request()
        elif not self.is_in_request:
            self.transport.close()  # nothing was asked
        elif is_answered:
            self.transport.abort()  # an answer is there already, or the rest of one is due
        else:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, f"the request was not complete after {REQUEST_WITHIN_S:g} s")

    def refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer without the application, and close."""
        content = json.dumps({"detail": detail}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        self.transport.write(head.encode() + content)
        self.transport.close()

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

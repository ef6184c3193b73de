"""uvicorn's HTTP/1.1 protocol with a request timeout, a request size limit, and the transport in the ASGI scope.

Subclassing it uses names that uvicorn does not document. pyproject.toml therefore has an upper bound for uvicorn, and
tests/demo_server/connections/test_uvicorn_internals.py lists the names.
"""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from demo_server.connections.open_files import is_in_reserve
from demo_server.connections.stall_timeout import StallTimeout
from demo_server.streams.arrival import Arrival
from demo_server.streams.scope_keys import ARRIVAL_EXTENSION, TRANSPORT_EXTENSION

# From the first byte of a request, or from the connection, to the last byte. Enough for 1 MB at 0.8 Mbit/s.
REQUEST_TIMEOUT_S = 10.0
# For a connection that has one of the last open files (open_files.py).
REFUSED_TIMEOUT_S = 1.0
OPEN_FILES_EXHAUSTED = "the limit of open files is reached: try again later, or raise it (ulimit -n)"
MAX_REQUEST_BYTES = 1 << 20  # for long conversations with /v1/chat/completions


class StreamingProtocol(StallTimeout, HttpToolsProtocol):
    """The HTTP/1.1 protocol of this server."""

    request_bytes = 0
    is_in_request = False
    is_refused = False
    request_timer: asyncio.TimerHandle | None = None
    """Closes the connection if the request is not complete in time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timeout of the first request."""
        super().connection_made(transport)
        self.is_refused = is_in_reserve(transport.get_extra_info("socket").fileno())
        self.start_request_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeout."""
        self.cancel_request_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Refuse a request that is too large: FastAPI buffers request bodies without a limit."""
        if self.is_refused:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, OPEN_FILES_EXHAUSTED)
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.start_request_timer()
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
        self.start_request_timer()
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT_EXTENSION: cast("dict[object, object]", self.transport)}

    def on_message_complete(self) -> None:
        """Stop the timeout, and note the arrival: the request is complete."""
        self.is_in_request = False
        self.cancel_request_timer()
        # TransportSocket has no public way to the socket; undocumented, like the names of uvicorn.
        connection = getattr(self.transport.get_extra_info("socket"), "_sock", None)
        read_ns, arrived_ns = time.time_ns(), getattr(connection, "arrived_ns", None)
        arrival = Arrival(arrived_ns or read_ns, read_ns, is_exact=arrived_ns is not None)
        self.scope["extensions"][ARRIVAL_EXTENSION] = cast("dict[object, object]", arrival)
        super().on_message_complete()

    def start_request_timer(self) -> None:
        """Start the timeout of a request, unless it runs already."""
        if self.request_timer is None:
            timeout_s = REFUSED_TIMEOUT_S if self.is_refused else REQUEST_TIMEOUT_S
            self.request_timer = self.loop.call_later(timeout_s, self.give_up_request)

    def cancel_request_timer(self) -> None:
        """Stop the timeout of a request, if it runs."""
        if self.request_timer is not None:
            self.request_timer.cancel()
            self.request_timer = None

    def give_up_request(self) -> None:
        """Close a connection with an incomplete request. uvicorn 0.54 would wait forever."""
        self.request_timer = None
        cycle: RequestResponseCycle | None = self.cycle
        # The cycle of the incomplete body, or, if the head is incomplete, that of the request before.
        is_half_head = cycle is None or not cycle.more_body
        is_answered = cycle is not None and (not cycle.response_complete if is_half_head else cycle.response_started)
        if self.flow.read_paused:  # the server has stopped reading, so the rest may have arrived
            self.start_request_timer()
        elif not self.is_in_request:
            self.transport.close()  # no request has started
        elif is_answered:
            self.transport.abort()  # a 408 would end up inside or after another response
        else:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, f"the request was not complete after {REQUEST_TIMEOUT_S:g} s")

    def refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer without the application, and close."""
        content = json.dumps({"detail": detail}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        self.transport.write(head.encode() + content)
        self.transport.close()

    def is_waiting_for_client(self) -> bool:
        """Include connections with an incomplete request body."""
        cycle: RequestResponseCycle | None = self.cycle
        is_half_body = cycle is not None and cycle.more_body and not cycle.response_complete
        return is_half_body or super().is_waiting_for_client()

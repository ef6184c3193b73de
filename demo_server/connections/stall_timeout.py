"""The stall timeout: disconnect a client that has not read for STALL_TIMEOUT_S. uvicorn 0.54 would wait forever."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

# While the socket is full. Longer than sse-starlette's send timeout (SEND_TIMEOUT_S), so that /stream shows that one.
STALL_TIMEOUT_S = 8.0


class StallTimeout(asyncio.Protocol):
    """A mixin for uvicorn's protocols. Otherwise, a stalled client would hold its stream and an event forever."""

    transport: asyncio.Transport
    stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make `send` wait as soon as the socket is full, and make the kernel send small writes at once."""
        cast("asyncio.Transport", transport).set_write_buffer_limits(high=0)
        # asyncio sets TCP_NODELAY only if the listening socket has a protocol number, and `socket.create_server` sets
        # none. With Nagle's algorithm, a second small write waits for the client's acknowledgement, commonly 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        """Start the timeout: the socket is full."""
        self.stall_timer = asyncio.get_running_loop().call_later(STALL_TIMEOUT_S, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Stop the timeout: the client has read."""
        self.cancel_stall_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeout."""
        self.cancel_stall_timer()
        super().connection_lost(exc)

    def is_waiting_for_client(self) -> bool:
        """Say whether this connection cannot end before its client reads or sends."""
        return self.transport.get_write_buffer_size() > 0

    def cancel_stall_timer(self) -> None:
        """Stop the timeout, if it runs."""
        if self.stall_timer is not None:
            self.stall_timer.cancel()
            self.stall_timer = None

"""One worker: uvicorn with the application, and its shutdown.

Shutdown has four steps. (1) At the signal, all streams stop sending events. (2) Each sends a shutdown notice and its
last chunk. (3) After ABORT_AFTER_S, connections are aborted whose client does not read, does not complete its request
or does not answer the closing handshake of its WebSocket. (4) After GRACEFUL_SHUTDOWN_S, uvicorn cancels the remaining
tasks; by then there should be none.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType

import uvicorn

from demo_server.app import create_app
from demo_server.connections.http_protocol import StreamingProtocol
from demo_server.connections.listeners import BACKLOG
from demo_server.connections.open_files import GuardedListener, Shortage
from demo_server.connections.stall_timeout import StallTimeout
from demo_server.connections.websocket_protocol import StreamingWebSockets
from demo_server.options import Options
from demo_server.streams.registry import Streams
from demo_server.workers.peers import LocalPeers, Peers

ABORT_AFTER_S = 1.0
GRACEFUL_SHUTDOWN_S = 3


def serve(listener: socket.socket, options: Options, peers: Peers, on_ready: Callable[[], Awaitable[None]]) -> None:
    """Serve until a signal arrives. `on_ready` is awaited once connections are accepted."""
    streams = Streams()
    config = uvicorn.Config(
        create_app(streams, peers, options),
        # asyncio writes inside `send`, so the timestamp of an event is the time of its write. uvloop up to 0.22 delays
        # the write to the end of the loop iteration. With 1,000 streams of 10 events/s, its timestamps were 120 us
        # early in the median (asyncio: 8 us), at the same CPU time (25 us per event).
        loop="asyncio",
        http=StreamingProtocol,
        ws=StreamingWebSockets,
        ws_per_message_deflate=False,  # the other push endpoints do not compress either
        backlog=BACKLOG,
        access_log=False,  # replaced by middleware/access_log.py
        log_config=None,  # warnings and errors still reach stderr through logging.lastResort
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    shortage = Shortage()
    server = DemoServer(config, streams, on_ready, shortage)
    server.run(sockets=[GuardedListener(listener, shortage)])


def serve_alone(listener: socket.socket, options: Options, announce: Callable[[], None]) -> None:
    """Serve as the only worker."""

    async def on_ready() -> None:
        announce()

    serve(listener, options, LocalPeers(), on_ready)


class DemoServer(uvicorn.Server):
    """uvicorn's server with a callback when it is ready, and with a shutdown for streams.

    Uses undocumented names of uvicorn, like connections/http_protocol.py.
    """

    def __init__(
        self, config: uvicorn.Config, streams: Streams, on_ready: Callable[[], Awaitable[None]], shortage: Shortage
    ) -> None:
        super().__init__(config)
        self._streams = streams
        self._on_ready = on_ready
        self._shortage = shortage

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and await the callback once connections are accepted."""
        asyncio.get_running_loop().set_exception_handler(self._shortage.handle)
        await super().startup(sockets)
        await self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down, with ABORT_AFTER_S for clients to read their last bytes."""
        asyncio.get_running_loop().call_later(ABORT_AFTER_S, self.abort_unfinished)
        await super().shutdown(sockets)
        self._shortage.log()
        # All responses are sent and all connections closed. A normal exit would free thousands of stream objects, which
        # takes Python more than 1 s. During that time the port is closed, but the process still exists.
        for output in (sys.stdout, sys.stderr):
            with suppress(OSError, AttributeError):  # a closed pipe, or None if it was closed at the start
                output.flush()
        os._exit(0)

    def abort_unfinished(self) -> None:
        """Abort the connections that only their client could end."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, StallTimeout) and connection.is_waiting_for_client():
                connection.transport.abort()
            else:
                connection.shutdown()  # repeated for connections that uvicorn accepted after its own shutdown calls

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start the shutdown. A second signal has no effect."""
        # uvicorn calls this inside the signal handler. In `shutdown`, every stream that is due would send one more
        # event.
        self._streams.end_all()
        self.should_exit = True

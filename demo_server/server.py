"""One worker: uvicorn with our application, its signals, and how it ends.

The order of an end: no stream makes another event (from the signal on); each says farewell and sends its last chunk (at
once); connections are aborted whose client does not read, does not finish its request or does not answer the end of its
WebSocket (after HANG_UP_AFTER_S); uvicorn cancels what is left (after GRACEFUL_SHUTDOWN_S; nothing should be).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from demo_server.app import create_app
from demo_server.connections.listeners import BACKLOG
from demo_server.connections.open_files import GuardedListener, Shortage
from demo_server.connections.protocols import Impatient, StreamingProtocol, StreamingWebSockets
from demo_server.options import Options
from demo_server.streams.stream import Streams
from demo_server.workers.peers import Alone, Peers

HANG_UP_AFTER_S = 1.0
GRACEFUL_SHUTDOWN_S = 3


def serve(listener: socket.socket, options: Options, peers: Peers, on_ready: Callable[[], Awaitable[None]]) -> None:
    """Serve until a signal comes; `on_ready` is awaited once connections are accepted."""
    streams = Streams()
    config = uvicorn.Config(
        create_app(streams, peers, options),
        # Its transport writes within `send`, so an event's timestamp is the moment it leaves. uvloop up to 0.22 put
        # a write off to the end of the loop's pass: measured with 1,000 streams of 10 events/s, that falsified the
        # timestamps by 120 us in the median (here: 8 us), and spared no CPU (25 us per event, either way).
        loop="asyncio",
        http=StreamingProtocol,
        ws=StreamingWebSockets,
        ws_per_message_deflate=False,  # the other ways compress nothing either
        backlog=BACKLOG,
        access_log=False,  # ours is in access_log.py
        log_config=None,  # warnings and errors still reach stderr, by logging's last resort
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    shortage = Shortage()
    server = DemoServer(config, streams, on_ready, shortage)
    server.run(sockets=[GuardedListener(listener, shortage)])


def serve_alone(listener: socket.socket, options: Options, announce: Callable[[], None]) -> None:
    """Serve as the only worker."""

    async def on_ready() -> None:
        announce()

    serve(listener, options, Alone(), on_ready)


class DemoServer(uvicorn.Server):
    """uvicorn, which says when it is ready and ends its streams."""

    def __init__(
        self, config: uvicorn.Config, streams: Streams, on_ready: Callable[[], Awaitable[None]], shortage: Shortage
    ) -> None:
        super().__init__(config)
        self._streams = streams
        self._on_ready = on_ready
        self._shortage = shortage

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, once connections are accepted."""
        asyncio.get_running_loop().set_exception_handler(self._shortage.handle)
        await super().startup(sockets)
        await self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give the clients a moment to read to the end, and let uvicorn do the rest."""
        asyncio.get_running_loop().call_later(HANG_UP_AFTER_S, self.hang_up)
        await super().shutdown(sockets)
        self._shortage.say()
        # Everything is sent and closed. To free what some thousand streams leave behind, object by object, takes Python
        # more than a second, in which the port is closed and the process still there.
        for output in (sys.stdout, sys.stderr):
            with suppress(OSError, AttributeError):  # nobody reads any more; or it was never open, and is None
                output.flush()
        os._exit(0)

    def hang_up(self) -> None:
        """Abort the connections that only their clients could bring to an end, and do not."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, Impatient) and connection.is_waiting_for_client():
                connection.transport.abort()
            else:
                connection.shutdown()  # again, for those that came when uvicorn had done so

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop at a signal, and exit with 0.

        uvicorn's own raises the signal again in the end, which makes the exit code -15 or a
        KeyboardInterrupt. The handlers stay in place: a second Ctrl-C, while Python itself shuts down, must
        not print a traceback.
        """
        for number in HANDLED_SIGNALS:
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the end; a second signal changes nothing, for it is near already."""
        # Not in `shutdown`, which waits for its turn: every stream that is ready would make one more event first.
        self._streams.end_all()
        self.should_exit = True

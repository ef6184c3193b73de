"""The process: its socket, its signals, the line that says it is ready, and how it ends.

The order of an end: no stream makes another event (from the signal on); each sends its last chunk (at once);
connections whose client does not read are aborted (after HANG_UP_AFTER_S); uvicorn cancels what is left (after
GRACEFUL_SHUTDOWN_S; nothing should be).
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from threading import Thread
from types import FrameType
from typing import cast

import uvicorn
from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import HANDLED_SIGNALS
from websockets.http11 import Request

from demo_server.access_log import AccessLog
from demo_server.app import create_app
from demo_server.streams import TRANSPORT_EXTENSION, Streams

BACKLOG = 4096  # the kernel's own ceiling since Linux 5.4; a burst of connections beyond it is dropped and retried
HANG_UP_AFTER_S = 1.0
# What a client may leave unread in a full socket: longer than sse-starlette's own timeout for /stream, which it shows.
STALLED_AFTER_S = 8.0
GRACEFUL_SHUTDOWN_S = 2


def serve(host: str, port: int, *, access_log: str, exit_on_stdin_eof: bool) -> None:
    """Do what ``demo_server.run`` promises."""
    raise_open_file_limit()
    listener = bind(host, port)
    streams = Streams()
    config = uvicorn.Config(
        create_app(streams, AccessLog(access_log)),
        # Its transport writes within `send`, so an event's timestamp is the moment it leaves. uvloop up to 0.22 put
        # a write off to the end of the loop's pass: measured with 1,000 streams of 10 events/s, that falsified the
        # timestamps by 120 us in the median (here: 8 us), and spared no CPU (25 us per event, either way).
        loop="asyncio",
        http=StreamingProtocol,
        ws=StreamingWebSockets,
        ws_per_message_deflate=False,  # it costs 300 KB per connection, and the other ways compress nothing either
        backlog=BACKLOG,
        access_log=False,
        log_config=None,  # warnings and errors still reach stderr, by logging's last resort
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    server = DemoServer(config, streams)
    if exit_on_stdin_eof:
        Thread(target=stop_at_stdin_eof, daemon=True).start()
    server.run(sockets=[listener])


class Impatient(asyncio.Protocol):
    """Hangs up on a client that does not read: it would hold its stream, and an event, for ever."""

    transport: asyncio.Transport
    stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have `send` wait as soon as the kernel takes no more: no event lingers in the process, nor in the kernel."""
        cast("asyncio.Transport", transport).set_write_buffer_limits(high=0)
        # asyncio does so itself only where the listener was told its protocol by name. Without, what follows data that
        # is not acknowledged yet waits for the client to do so: up to 40 ms.
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

    def forgive(self) -> None:
        """End the wait for the client, if there is one."""
        if self.stalled is not None:
            self.stalled.cancel()
            self.stalled = None


class StreamingProtocol(Impatient, HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which also shows its transport to the application (see streams.py)."""

    def on_message_begin(self) -> None:
        """Add the transport to the scope of a new request."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT_EXTENSION: cast("dict[object, object]", self.transport)}


class StreamingWebSockets(Impatient, WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, likewise."""

    def handle_connect(self, event: Request) -> None:
        """Add the transport to the scope of the connection; the application has its first turn after this."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            cast("Scope", self.scope)["extensions"][TRANSPORT_EXTENSION] = self.transport

    async def send(self, message: ASGISendEvent) -> None:
        """Note that a refusal completes the handshake, too: uvicorn 0.54 forgets, and complains of it."""
        await super().send(message)
        self.handshake_complete = self.handshake_complete or self.close_sent

    def shutdown(self) -> None:
        """Leave a stream to its handler, which says farewell and closes."""
        if self.close_sent or not self.handshake_complete:
            super().shutdown()


class DemoServer(uvicorn.Server):
    """uvicorn, which announces itself and ends its streams."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Print the address, once connections are accepted there."""
        await super().startup(sockets)
        for listener in sockets or []:
            sys.stdout.write(f"demo server on {format_url(listener)}\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give the clients a moment to read to the end, and let uvicorn do the rest."""
        asyncio.get_running_loop().call_later(HANG_UP_AFTER_S, self.hang_up)
        await super().shutdown(sockets)

    def hang_up(self) -> None:
        """Abort the connections that are still open: their clients do not read what ends the stream."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

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


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket, or raise OSError with a readable ``strerror``."""
    problem = f"cannot listen on {host} port {port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except UnicodeError as exc:  # from the encoding of host names: a label of more than 63 bytes, or an empty one
        raise OSError(errno.EINVAL, f"{problem}: not a host name") from exc
    except socket.gaierror as exc:  # its numbers are not those of errno
        raise OSError(exc.errno, f"{problem}: {exc.strerror}") from exc
    except OSError as exc:  # create_server has put the address into its strerror
        raise OSError(exc.errno, f"{problem}: {os.strerror(exc.errno or 0)}") from exc


def format_url(listener: socket.socket) -> str:
    """Return the URL at which a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def raise_open_file_limit() -> None:
    """Allow as many connections as the system lets us; shells commonly start processes with 1024."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "unlimited" and refuses it: the server works then, with fewer connections.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def stop_at_stdin_eof() -> None:
    """Wait for the end of stdin, then stop as on SIGTERM."""
    # Not sys.stdin: a thread that waits inside of it holds a lock that Python needs to exit. An OSError:
    # stdin was never open.
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    signal.raise_signal(signal.SIGTERM)

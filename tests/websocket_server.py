"""A WebSocket server of the library `websockets`, in a thread of the test's process."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

Handler = Callable[[ServerConnection], None]


@dataclass
class WebSocketServer:
    """A running server, and the requests that reached it, refused ones included."""

    url: str
    requests: list[Request] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def websocket_server(
    *handlers: Handler,
    refused: tuple[int, str] | None = None,
    subprotocols: Sequence[str] = (),
    ssl_context: ssl.SSLContext | None = None,
) -> Iterator[WebSocketServer]:
    """Serve each connection with the next handler, and more connections with the last one.

    ``refused`` is the status and the text of the answer to every handshake.
    """
    left = list(handlers)
    found: list[WebSocketServer] = []

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        found[0].requests.append(request)
        return None if refused is None else connection.respond(HTTPStatus(refused[0]), refused[1])

    def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            (left.pop(0) if len(left) > 1 else left[0])(connection)

    with serve(
        handle,
        "127.0.0.1",
        0,
        process_request=answer,
        subprotocols=list(subprotocols) or None,  # type: ignore[arg-type]
        ssl=ssl_context,
        ping_interval=None,
    ) as server:
        scheme = "ws" if ssl_context is None else "wss"
        found.append(WebSocketServer(f"{scheme}://127.0.0.1:{server.socket.getsockname()[1]}"))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found[0]
        finally:
            server.shutdown()
            thread.join()


def ending(*texts: str, code: int = 1000, reason: str = "") -> Handler:
    """Return a handler that sends these messages, and closes the connection."""

    def handle(connection: ServerConnection) -> None:
        for text in texts:
            connection.send(text)
        connection.close(code, reason)

    return handle


def cut(*texts: str) -> Handler:
    """Return a handler that sends these messages, and ends the connection without a close frame."""

    def handle(connection: ServerConnection) -> None:
        for text in texts:
            connection.send(text)
        connection.close_socket()

    return handle


def echo(connection: ServerConnection) -> None:
    """Send each message back."""
    for message in connection:
        connection.send(message)

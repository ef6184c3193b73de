"""A scripted HTTP/2 server: a function per connection, with h2 on its side of the socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded
from h2.settings import SettingCodes

SSE_FIELDS = [(":status", "200"), ("content-type", "text/event-stream")]
WAIT_S = 20


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket, settings: dict[SettingCodes, int]) -> None:
        self.socket = connection
        self.h2 = H2Connection(H2Configuration(client_side=False))
        for code, value in settings.items():
            self.h2.local_settings[code] = value
        self.h2.local_settings.acknowledge()
        self.events: list[Event] = []
        """All events so far."""

    def start(self) -> None:
        """Send the preface."""
        self.h2.initiate_connection()
        self.send()

    def send(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def receive(self) -> bool:
        """Read once, and answer what the protocol demands. Return whether the client is still there."""
        data = self.socket.recv(65_536)
        self.events += self.h2.receive_data(data)
        with suppress(OSError):
            self.send()
        return bool(data)

    def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            assert self.receive(), "the client closed the connection"

    @property
    def requests(self) -> list[RequestReceived]:
        return [event for event in self.events if isinstance(event, RequestReceived)]

    def take(self, count: int) -> list[int]:
        """Wait for this number of whole requests on the connection. Return their streams."""
        self.until(lambda: sum(isinstance(event, StreamEnded) for event in self.events) >= count)
        return [event.stream_id or 0 for event in self.requests]

    def head(self, stream: int, **fields: str) -> None:
        self.h2.send_headers(
            stream, [*SSE_FIELDS, *((name.replace("_", "-"), value) for name, value in fields.items())]
        )

    def events_of(self, stream: int, *numbers: int, end: bool = False) -> None:
        body = b"".join(b"id: %d\ndata: x\n\n" % number for number in numbers)
        self.h2.send_data(stream, body, end_stream=end)

    def hold(self) -> None:
        """Wait for the client's end of the connection."""
        with suppress(OSError):
            while self.receive():
                pass

    @property
    def body(self) -> bytes:
        return b"".join(event.data or b"" for event in self.events if isinstance(event, DataReceived))


Script = Callable[[Peer], None]


@dataclass
class Server:
    """A running server."""

    port: int
    peers: list[Peer] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)


@contextmanager
def http2_server(
    *scripts: Script,
    settings: dict[SettingCodes, int] | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Iterator[Server]:
    """Run the first script for the first connection, and so on; the last one also for all others."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def serve(connection: socket.socket, script: Script) -> None:
            connection.settimeout(WAIT_S)
            try:
                secured = connection if ssl_context is None else ssl_context.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
            with closing(secured):
                peer = Peer(secured, settings or {})
                server.peers.append(peer)
                try:
                    script(peer)
                except BaseException as exc:  # noqa: BLE001 - the test reports it
                    server.failures.append(exc)

        def accept() -> None:
            with suppress(OSError):  # the test has ended
                while True:
                    connection, _ = listener.accept()
                    script = scripts[min(len(threads), len(scripts) - 1)]
                    threads.append(threading.Thread(target=serve, args=(connection, script), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(WAIT_S)
            for thread in threads:
                thread.join(WAIT_S)
    assert server.failures == []

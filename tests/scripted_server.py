"""A server that plays a test's script, byte by byte, and records the requests.

Each connection plays the next script: a list of bytes to send and of actions in between. A connection
beyond the last script is answered with 204, so that a client that follows the rules stops instead of
reconnecting without end.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Self


class Do(Enum):
    """A step that sends no bytes."""

    HOLD = auto()  # keep the connection open until the client leaves
    RESET = auto()  # end it with RST instead of FIN


Step = bytes | float | asyncio.Event | Do  # float: pause for these seconds; Event: wait until the test sets it
Script = Sequence[Step]

SSE = b"Content-Type: text/event-stream\r\n"
CHUNKED = SSE + b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def head(status: int = 200, headers: bytes = SSE) -> bytes:
    """Return the head of a response; without a length its body ends with the connection."""
    return b"HTTP/1.1 %d Whatever\r\n%b\r\n" % (status, headers)


def chunk(data: bytes) -> bytes:
    """Return one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def trickled(data: bytes) -> list[Step]:
    """Return the steps that send data one byte at a time."""
    return [data[i : i + 1] for i in range(len(data))]


@dataclass
class Request:
    """The request of one connection; header names are lower case."""

    method: str
    path: str
    headers: list[tuple[str, bytes]]
    body: bytes
    arrived_s: float
    source: str = ""  # the client's address; empty over a unix socket
    alpn: str | None = None  # the protocol chosen over TLS
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    def header(self, name: str) -> bytes | None:
        """Return the only header of that name; None without one."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None


class ScriptedServer:
    """Plays scripts on a free port of this machine; an async context manager that can be entered again.

    With an ``ssl_context`` it speaks TLS, and ``sni`` has the names that clients requested. With a ``unix_socket`` it
    listens there instead. ``pages`` are responses by path, for every request of the path: no script is played.
    """

    def __init__(
        self,
        *scripts: Script,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        unix_socket: str | None = None,
        pages: Mapping[str, bytes] | None = None,
    ) -> None:
        self._host = host
        self._pages = pages or {}
        self._ssl_context = ssl_context
        self._unix_socket = unix_socket
        self.requests: list[Request] = []
        self.sni: list[str | None] = []
        if ssl_context is not None:
            ssl_context.sni_callback = lambda _object, name, _context: self.sni.append(name)
        self._scripts = list(scripts)
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._changed = asyncio.Condition()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http{'s' if self._ssl_context else ''}://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. After a stop, the port is the same as before."""
        if self._unix_socket is not None:
            self._server = await asyncio.start_unix_server(self._serve, self._unix_socket, ssl=self._ssl_context)
            return
        self._server = await asyncio.start_server(self._serve, self._host, self._port, ssl=self._ssl_context)
        self._port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Stop listening. Existing connections stay open."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def stop(self) -> None:
        """Stop listening and abort every connection, like a killed process."""
        for _ in range(5):
            # asyncio (3.11) leaks the socket of a connection that it is just accepting when its server is closed.
            await asyncio.sleep(0)
        self.refuse()
        connections = dict(self._connections)
        for task, writer in connections.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def requested(self, count: int) -> Request:
        """Wait until there were ``count`` requests. Return the last of these."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def deserted(self) -> None:
        """Wait until all clients have disconnected."""
        while self._connections:
            await asyncio.wait(list(self._connections))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        request = None
        try:
            request = await _read_request(reader)
            request.source = (writer.get_extra_info("peername") or [""])[0]
            if self._ssl_context is not None:
                request.alpn = writer.get_extra_info("ssl_object").selected_alpn_protocol()
            page = self._pages.get(request.path)
            if page is not None:
                await play([page], reader, writer)
                return
            number = len(self.requests)
            async with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            beyond: Script = [head(204, b"")]
            await play(self._scripts[number] if number < len(self._scripts) else beyond, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has disconnected, or the test is over
        finally:
            if request is not None:
                request.disconnected.set()
            writer.close()
            # asyncio retrieves this future's exception when its protocol is deleted. The garbage collector may delete
            # the future first, which then warns that its exception was never retrieved.
            writer._protocol._closed.add_done_callback(  # type: ignore[attr-defined]
                lambda closed: closed.cancelled() or closed.exception()
            )
            del self._connections[task]


async def play(script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Play one script on one connection."""
    for step in script:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        elif isinstance(step, float):
            await asyncio.sleep(step)
        elif isinstance(step, asyncio.Event):
            await step.wait()
        elif step is Do.HOLD:
            while await reader.read(1024):
                pass
        else:
            # Linger 0: closing discards unsent bytes and sends RST.
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    start, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
    method, path, _ = start.decode().split(" ")
    pairs = [line.partition(b": ") for line in lines]
    headers = [(name.decode().lower(), value) for name, _, value in pairs]
    length = int(dict(headers).get("content-length", b"0"))
    return Request(method, path, headers, await reader.readexactly(length), time.monotonic())

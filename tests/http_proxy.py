"""An HTTP proxy as companies have them: it passes requests on, opens tunnels, and alone knows names of servers."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from scripted_server import ScriptedServer
from websocket_server import WebSocketServer

HOST = "events.test"
"""A name without an address (RFC 6761): only the proxy can resolve it."""


@dataclass(frozen=True)
class Asked:
    """A request that reached the proxy; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


class HttpProxy:
    """Listens on a free port of this machine; an async context manager.

    It connects every request to ``server``. With ``credentials`` (``user:password``) it answers 407 without them.
    ``answer`` is the response to every request instead; if it is empty, the proxy closes the connection.
    """

    def __init__(
        self,
        server: ScriptedServer | WebSocketServer | None = None,
        *,
        credentials: str = "",
        answer: bytes | None = None,
        is_silent: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._upstream = server
        self._authorization = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else ""
        self._answer = answer
        self._is_silent = is_silent
        self._ssl_context = ssl_context
        self.requests: list[Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http{'s' if self._ssl_context else ''}://127.0.0.1:{self.port}"

    def url_of(self, userinfo: str) -> str:
        return f"http://{userinfo}@127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._ssl_context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for _ in range(5):
            # asyncio (3.11) loses the socket of a connection that it is just accepting when its server is closed.
            await asyncio.sleep(0)
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer_one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one of the two has left, or the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode().split("\r\n")
        method, target, _ = start.split(" ")
        pairs = [line.partition(": ") for line in lines]
        asked = Asked(method, target, {name.lower(): value for name, _, value in pairs})
        self.requests.append(asked)
        if self._is_silent:
            await reader.read()
        if self._answer is not None:
            await _end_with(writer, self._answer)
        elif self._authorization and asked.headers.get("proxy-authorization") != self._authorization:
            body = b"Give your user and password."
            head = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
            await _end_with(writer, b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
        else:
            await self._pass_on(asked, lines, reader, writer)

    async def _pass_on(
        self, asked: Asked, lines: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        assert self._upstream is not None
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream.port)
        try:
            if asked.method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
            else:
                scheme, _, _, path = asked.target.split("/", 3)
                assert scheme == "http:"
                own = [line for line in lines if not line.lower().startswith("proxy-")]
                to_server.write("\r\n".join([f"{asked.method} /{path} HTTP/1.1", *own, "", ""]).encode())
            asking = asyncio.create_task(_copy(reader, to_server))
            asking.add_done_callback(lambda _: to_server.transport.abort())
            try:
                await _copy(from_server, writer)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        finally:
            to_server.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _end_with(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()

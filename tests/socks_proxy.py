"""A SOCKS5 proxy (RFC 1928, RFC 1929) that sends its replies byte by byte, as a network may."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from scripted_server import ScriptedServer


class SocksProxy:
    """Listens on a free port of this machine; an async context manager.

    It connects every request to ``server``. With ``credentials`` (``user:password``) it requires these. ``reply`` is
    the answer to CONNECT: 0 is success. ``asked`` has the addresses as they were sent, and their ports.
    """

    def __init__(self, server: ScriptedServer | None = None, *, credentials: str = "", reply: int = 0) -> None:
        self._upstream = server
        self._credentials = credentials
        self._reply = reply
        self.asked: list[tuple[bytes, int]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"socks5://127.0.0.1:{self.port}"

    def url_of(self, userinfo: str) -> str:
        return f"socks5h://{userinfo}@127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if await self._is_welcome(reader, writer):
                await self._connect(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one of the two has left, or the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _is_welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        version, count = await reader.readexactly(2)
        assert version == 5
        method = 2 if self._credentials else 0
        if method not in await reader.readexactly(count):
            await _trickle(writer, b"\5\xff")
            return False
        await _trickle(writer, bytes([5, method]))
        if not method:
            return True
        assert await reader.readexactly(1) == b"\1"
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        is_right = f"{user.decode()}:{password.decode()}" == self._credentials
        await _trickle(writer, b"\1\0" if is_right else b"\1\1")
        return is_right

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, command, _, kind = await reader.readexactly(4)
        assert (version, command) == (5, 1)
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        address = await reader.readexactly(length)
        self.asked.append((address, int.from_bytes(await reader.readexactly(2), "big")))
        await _trickle(writer, bytes([5, self._reply, 0, 3, 4]) + b"testxx")
        if self._reply:
            return
        assert self._upstream is not None
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream.port)
        asking = asyncio.create_task(_copy(reader, to_server))
        try:
            await _copy(from_server, writer)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            to_server.transport.abort()


async def _trickle(writer: asyncio.StreamWriter, data: bytes) -> None:
    for number in range(len(data)):
        writer.write(data[number : number + 1])
        await asyncio.sleep(0.001)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()

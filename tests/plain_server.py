"""A server whose handler is a function of the test. It closes all connections when it stops."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(
    serve: Serve, *, ssl_context: ssl.SSLContext | None = None, unix_socket: str | None = None
) -> AsyncIterator[int]:
    """Serve each connection with the function, and close it afterwards. Yield the port (0 for a unix socket)."""
    connections: set[asyncio.Task[None]] = set()

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await serve(reader, writer)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
        finally:
            writer.transport.abort()
            connections.discard(task)

    if unix_socket is not None:
        server: asyncio.Server = await asyncio.start_unix_server(serve_and_close, unix_socket, ssl=ssl_context)
        port = 0
    else:
        server = await asyncio.start_server(serve_and_close, "127.0.0.1", 0, ssl=ssl_context)
        port = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        for _ in range(5):
            await asyncio.sleep(0)  # asyncio (3.11) leaks the socket of a connection that it is just accepting
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        for _ in range(5):
            await asyncio.sleep(0)  # a transport closes its socket in a later iteration of the loop

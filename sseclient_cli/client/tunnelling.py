"""A network backend for httpcore that connects through a proxy's tunnel: HTTP CONNECT or SOCKS5.

httpcore (1.0) has ``AsyncHTTPProxy``, but it waits for the response to CONNECT without a timeout, discards the body of
an error response, and ignores the local address. Here, httpcore's connect timeout also limits the tunnel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore

from sseclient_cli.client.http_stream import HttpStream
from sseclient_cli.client.socks import open_socks_tunnel
from sseclient_cli.client.tracing import WriteLine, trace_tunnel
from sseclient_cli.errors import ProxyError
from sseclient_cli.request.proxies import Proxy
from sseclient_cli.request.target import Target
from sseclient_cli.response_errors import MAX_BODY_BYTES
from sseclient_cli.tunnel import Tunnel

ERROR_BODY_TIMEOUT_S = 2.0
"""Time limit for the body of a proxy's error response, as for that of a server."""


class TunnellingBackend(httpcore.AsyncNetworkBackend):
    """Connects to the target's proxy and opens a tunnel to the server."""

    def __init__(
        self, backend: httpcore.AsyncNetworkBackend, proxy: Proxy, target: Target, on_trace: WriteLine | None
    ) -> None:
        self._backend = backend
        self._proxy = proxy
        self._target = target
        self._on_trace = on_trace

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the server; ``host`` and ``port`` are those of the target's URL."""
        proxy, loop = self._proxy, asyncio.get_running_loop()
        ends_s = None if timeout is None else loop.time() + timeout
        stream = await self._backend.connect_tcp(proxy.host, proxy.port, timeout, local_address, socket_options)
        try:
            async with asyncio.timeout_at(ends_s):
                if proxy.is_socks:
                    await open_socks_tunnel(stream, proxy, *self._target.server_address)
                else:
                    await self._open(stream)
        except BaseException as exc:
            await stream.aclose()
            if isinstance(exc, TimeoutError):
                raise ProxyError(
                    f"{proxy} did not open a tunnel within {timeout:g} s: is this its port, and does the server answer?"
                ) from exc
            if isinstance(exc, httpcore.NetworkError | httpcore.ProtocolError):
                raise ProxyError(f"{proxy} broke the connection, or is not a proxy: {exc}") from exc
            raise
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts; httpcore calls it if retries are enabled."""
        await self._backend.sleep(seconds)

    async def _open(self, stream: httpcore.AsyncNetworkStream) -> None:
        tunnel = Tunnel(self._proxy, self._target)
        await stream.write(tunnel.request)
        while not tunnel.status:
            tunnel.feed(await stream.read(MAX_BODY_BYTES))
        if self._on_trace is not None:
            trace_tunnel(self._on_trace, tunnel)
        if not tunnel.is_open:
            with suppress(TimeoutError, httpcore.NetworkError):  # keep what has arrived until then
                async with asyncio.timeout(ERROR_BODY_TIMEOUT_S):
                    while len(tunnel.body) < MAX_BODY_BYTES and (data := await stream.read(MAX_BODY_BYTES)):
                        tunnel.feed(data)
            raise tunnel.error()
        if isinstance(stream, HttpStream):
            stream.expect_head()

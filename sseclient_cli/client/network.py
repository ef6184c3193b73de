"""A network backend for httpcore with kernel timestamps, and with staggered attempts over all addresses of a host.

httpcore's ``AsyncNetworkBackend`` is a documented extension point. httpcore's own backend hides the socket, and with it
the kernel timestamps. Windows uses httpcore's own backend, because its event loop has no ``add_reader``.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias

import httpcore

from sseclient_cli.client.http2_stream import Http2Stream
from sseclient_cli.client.http_stream import HttpStream
from sseclient_cli.client.socket_stream import SocketStream
from sseclient_cli.event_loop import look_up
from sseclient_cli.kernel_timestamp import request_timestamps

STAGGER_S = 0.25
"""The delay between two connection attempts, which then run concurrently (RFC 8305 5: "250 milliseconds")."""

_AddressInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


_Stream: TypeAlias = type[HttpStream] | type[Http2Stream]


def network_backend(*, http2: bool = False) -> httpcore.AsyncNetworkBackend | None:
    """Return the backend for this platform; None for httpcore's own backend."""
    return None if sys.platform == "win32" else SocketBackend(Http2Stream if http2 else HttpStream)


class SocketBackend(httpcore.AsyncNetworkBackend):
    """Opens connections as streams of this class."""

    def __init__(self, stream: _Stream = HttpStream) -> None:
        self._stream = stream

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> SocketStream:
        """Connect to the first address of the host that accepts. The timeout includes the name lookup."""
        try:
            async with asyncio.timeout(timeout):
                addresses = _interleaved(await _addresses(host, port))
                return await _Race(self._stream, local_address, tuple(socket_options or ())).winner(addresses)
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(str(exc)) from exc
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
        socket_options: Iterable[Any] | None = None,
    ) -> SocketStream:
        """Connect without a wait, which a unix socket never needs. EAGAIN: the backlog of the listener is full."""
        connecting = socket.socket(socket.AF_UNIX)
        try:
            connecting.setblocking(False)
            connecting.connect(path)
            return self._stream(connecting, has_timestamps=False)
        except OSError as exc:
            connecting.close()
            raise httpcore.ConnectError(str(exc)) from exc

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts; httpcore calls it if retries are enabled."""
        await asyncio.sleep(seconds)


class _Race:
    """Staggered connection attempts. The first successful one wins."""

    def __init__(self, stream: _Stream, local_address: str | None, options: tuple[Any, ...]) -> None:
        self._stream = stream
        self._local = None if local_address is None else _numeric(local_address)
        self._options = options
        self._running: dict[socket.socket, bool] = {}
        self._errors: list[OSError] = []
        self._progress = asyncio.Event()

    async def winner(self, addresses: Sequence[_AddressInfo]) -> SocketStream:
        """Return the first connection. Raises OSError, caused by the errors of all attempts, if there is none."""
        try:
            for address in addresses:
                self._begin(address)
                if (stream := await self._first(STAGGER_S)) is not None:
                    return stream
            while self._running:
                if (stream := await self._first(None)) is not None:
                    return stream
        finally:
            for losing in list(self._running):
                self._forget(losing)
                losing.close()
        reasons = self._errors[0] if len(self._errors) == 1 else ExceptionGroup("all addresses failed", self._errors)
        raise OSError("cannot connect to any address of the host") from reasons

    def _begin(self, address: _AddressInfo) -> None:
        family, kind, protocol, _, socket_address = address
        try:
            attempt = socket.socket(family, kind, protocol)
        except OSError as exc:
            self._errors.append(exc)
            return
        try:
            attempt.setblocking(False)
            # Before connect, because the first segment may arrive with its completion.
            has_timestamps = request_timestamps(attempt)
            attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for option in self._options:
                attempt.setsockopt(*option)
            self._bind(attempt)
            code = attempt.connect_ex(socket_address)
            if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
                raise OSError(code, os.strerror(code))  # noqa: TRY301  handled like the errors of the calls above
        except OSError as exc:
            attempt.close()
            self._errors.append(exc)
            return
        self._running[attempt] = has_timestamps
        asyncio.get_running_loop().add_writer(attempt.fileno(), self._progress.set)

    def _bind(self, attempt: socket.socket) -> None:
        if self._local is None:
            return
        family, _, _, _, local_address = self._local
        if family != attempt.family:
            raise OSError("no matching local address")  # the message of asyncio, which exception_mapping.py expects
        attempt.bind(local_address)

    async def _first(self, limit_s: float | None) -> SocketStream | None:
        """Wait until an attempt succeeds, all have failed, or the time limit; return the connection, if any."""
        loop = asyncio.get_running_loop()
        ends_s = None if limit_s is None else loop.time() + limit_s
        while self._running:
            self._progress.clear()
            try:
                async with asyncio.timeout_at(ends_s):
                    await self._progress.wait()
            except TimeoutError:
                return None
            for attempt in list(self._running):
                if (stream := self._settled(attempt)) is not None:
                    return stream
        return None

    def _settled(self, attempt: socket.socket) -> SocketStream | None:
        """Check an attempt; return its connection if it has succeeded."""
        code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            if code:
                raise OSError(code, os.strerror(code))  # noqa: TRY301  handled like an error of the stream
            stream = self._stream(attempt, has_timestamps=self._running[attempt])
        except OSError as exc:
            if not code and exc.errno == errno.ENOTCONN:
                return None  # still pending: another attempt has made progress
            self._forget(attempt)
            attempt.close()
            self._errors.append(exc)
            return None
        self._forget(attempt)
        return stream

    def _forget(self, attempt: socket.socket) -> None:
        asyncio.get_running_loop().remove_writer(attempt.fileno())
        del self._running[attempt]


def _numeric(address: str) -> _AddressInfo:
    return socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]


async def _addresses(host: str, port: int) -> Sequence[_AddressInfo]:
    """Resolve a name. A numeric address needs no lookup in a thread."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        # Not loop.getaddrinfo: asyncio.run would wait at its end for a name server that does not answer.
        # The host as bytes: for a str, Python applies IDNA, and its UnicodeError is not an OSError.
        found: Sequence[_AddressInfo] = await look_up(host.encode("ascii"), port, type=socket.SOCK_STREAM)
        return found


def _interleaved(addresses: Sequence[_AddressInfo]) -> list[_AddressInfo]:
    """Alternate address families, starting with the resolver's first choice (RFC 8305 4).

    A family without connectivity then delays the connection by one attempt only.
    """
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    return [address for pair in zip_longest(first, others) for address in pair if address is not None]

"""How httpcore comes to its sockets: a network backend of our own, with staggered attempts over all addresses.

httpcore's ``AsyncNetworkBackend`` is a documented extension point. Its own backend hides the socket, and with it the
kernel's timestamps. Not on Windows, whose event loop has no ``add_reader``: there httpcore's own backend is used.
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

from sseclient_cli.client.http_stream import HttpStream
from sseclient_cli.event_loop import look_up
from sseclient_cli.kernel_timestamp import request_timestamps

STAGGER_S = 0.25
"""How long an attempt has to itself before the next address is tried beside it (RFC 8305 5: "250 milliseconds")."""

_AddressInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


def network_backend() -> httpcore.AsyncNetworkBackend | None:
    """Return the backend for this platform; None for httpcore's own."""
    return None if sys.platform == "win32" else SocketBackend()


class SocketBackend(httpcore.AsyncNetworkBackend):
    """Makes a ``HttpStream`` of each connection."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> HttpStream:
        """Connect to the first address of the host that answers; the timeout is for the name, too."""
        try:
            async with asyncio.timeout(timeout):
                addresses = _interleaved(await _addresses(host, port))
                return await _Race(local_address, tuple(socket_options or ())).winner(addresses)
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(str(exc)) from exc
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
        socket_options: Iterable[Any] | None = None,
    ) -> HttpStream:
        """Connect at once: a unix socket has nothing to wait for. EAGAIN says that its listener has no room."""
        connecting = socket.socket(socket.AF_UNIX)
        try:
            connecting.setblocking(False)
            connecting.connect(path)
            return HttpStream(connecting, has_timestamps=False)
        except OSError as exc:
            connecting.close()
            raise httpcore.ConnectError(str(exc)) from exc

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts; httpcore asks for it where retries are on."""
        await asyncio.sleep(seconds)


class _Race:
    """Attempts to connect, each begun a little after the one before; the first to succeed wins."""

    def __init__(self, local_address: str | None, options: tuple[Any, ...]) -> None:
        self._local = None if local_address is None else _numeric(local_address)
        self._options = options
        self._running: dict[socket.socket, bool] = {}
        self._errors: list[OSError] = []
        self._something = asyncio.Event()

    async def winner(self, addresses: Sequence[_AddressInfo]) -> HttpStream:
        """Return the first connection. Raises OSError if no address can be had, with all reasons behind it."""
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
        raise OSError("no address of the host can be connected to") from reasons

    def _begin(self, address: _AddressInfo) -> None:
        family, kind, protocol, _, socket_address = address
        try:
            attempt = socket.socket(family, kind, protocol)
        except OSError as exc:
            self._errors.append(exc)
            return
        try:
            attempt.setblocking(False)
            # Before connect: the first segment may come with it.
            has_timestamps = request_timestamps(attempt)
            attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for option in self._options:
                attempt.setsockopt(*option)
            self._bind(attempt)
            code = attempt.connect_ex(socket_address)
            if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
                raise OSError(code, os.strerror(code))  # noqa: TRY301  it is one of several that end here
        except OSError as exc:
            attempt.close()
            self._errors.append(exc)
            return
        self._running[attempt] = has_timestamps
        asyncio.get_running_loop().add_writer(attempt.fileno(), self._something.set)

    def _bind(self, attempt: socket.socket) -> None:
        if self._local is None:
            return
        family, _, _, _, local_address = self._local
        if family != attempt.family:
            raise OSError("no matching local address")  # asyncio's words for it: failures.py knows them
        attempt.bind(local_address)

    async def _first(self, limit_s: float | None) -> HttpStream | None:
        """Wait until an attempt succeeds, none is left, or the time is over; return the connection if there is one."""
        loop = asyncio.get_running_loop()
        ends_s = None if limit_s is None else loop.time() + limit_s
        while self._running:
            self._something.clear()
            try:
                async with asyncio.timeout_at(ends_s):
                    await self._something.wait()
            except TimeoutError:
                return None
            for attempt in list(self._running):
                if (stream := self._settled(attempt)) is not None:
                    return stream
        return None

    def _settled(self, attempt: socket.socket) -> HttpStream | None:
        """Look how an attempt stands; return the connection if it is one."""
        code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            if code:
                raise OSError(code, os.strerror(code))  # noqa: TRY301  the stream may say the same
            stream = HttpStream(attempt, has_timestamps=self._running[attempt])
        except OSError as exc:
            if not code and exc.errno == errno.ENOTCONN:
                return None  # still under way: it was another one that woke us up
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
    """Resolve a name; an address is one already, and needs no thread that asks for it."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        # Not the loop's own: asyncio.run would wait at its end for a name server that does not answer.
        # As bytes: Python would check a str for IDNA, whose UnicodeError is no OSError.
        found: Sequence[_AddressInfo] = await look_up(host.encode("ascii"), port, type=socket.SOCK_STREAM)
        return found


def _interleaved(addresses: Sequence[_AddressInfo]) -> list[_AddressInfo]:
    """Have families take turns, the resolver's first choice first (RFC 8305 4): a dead one delays by one turn only."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    return [address for pair in zip_longest(first, others) for address in pair if address is not None]

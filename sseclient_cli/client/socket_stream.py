"""A socket under httpcore that knows when its bytes arrived: httpcore's own extension point, ``AsyncNetworkStream``.

The socket is read as soon as there is something, into a bounded queue, also while the consumer does something else.
Segments that wait in the kernel are merged and lose their arrival times (``kernel_timestamp.py``). Once the queue is
full the socket is left alone, so that a slow consumer still slows the server down.

TLS is done on bytes in memory, so that the reads stay ours and keep their times. The queue holds what the socket
brought; it is decrypted when the consumer reads. This file must not know HTTP.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple

import httpcore

from sseclient_cli.kernel_timestamp import receive

READ_BYTES = 16 * 1024
"""At most this much in one read, which has one arrival time."""

READS_PER_TURN = 4
"""At most this many reads in one turn of the event loop, so that timers and other tasks have theirs."""

READ_AHEAD_BYTES = 1024 * 1024
"""How much is read ahead of a slow consumer: minutes of an ordinary stream, little for a process."""

PIECE_BYTES = 256
"""What a queued read takes beside its bytes: the objects around them, of which tiny reads make many."""


class Arrival(NamedTuple):
    """When something arrived: wall-clock ns since 1970; ``by_kernel``: its timestamp, else the time after the read."""

    time_ns: int
    by_kernel: bool


class SocketStream(httpcore.AsyncNetworkStream):
    """A connected, non-blocking socket, which it owns; ``arrival`` is that of what ``read`` returned last.

    ``has_timestamps`` says that the kernel was asked for them.
    """

    def __init__(self, connected: socket.socket, *, has_timestamps: bool) -> None:
        self._socket = connected
        self._has_timestamps = has_timestamps
        self._peer = connected.getpeername()
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[bytes, Arrival]] = deque()
        self._queued_bytes = 0
        self._is_paused = True
        self._is_at_end = False
        self._error: OSError | None = None
        self._is_closed = False
        self._waiter: asyncio.Future[None] | None = None
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.arrival = Arrival(time.time_ns(), by_kernel=False)
        self._resume()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        """Return what has arrived, decrypted; nothing at the end. The timeout counts from one arrival to the next."""
        while True:
            if self._tls is not None and (plain := self._decrypt(max_bytes)) is not None:
                return plain
            piece = await self._next_piece(timeout)
            if self._tls is None:
                if len(piece) > max_bytes:
                    self._queue.appendleft((piece[max_bytes:], self.arrival))
                return piece[:max_bytes]
            self._feed_tls(piece)
            with suppress(OSError):
                await self._send_records()  # the answer to a key update

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  httpcore's
        """Send all of it."""
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                rest = memoryview(buffer)
                while rest and self._tls is not None:
                    rest = rest[self._tls.write(rest) :]  # one record
                    await self._send_records()
                await self._send(rest)
        except OSError as exc:  # TimeoutError is one, of ours or of the kernel
            raise (httpcore.WriteTimeout if limit.expired() else httpcore.WriteError)(str(exc)) from exc

    async def aclose(self) -> None:
        """Close the socket at once: there is nothing to await, so no cancellation can come in between."""
        self._close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
    ) -> SocketStream:
        """Shake hands, and encrypt from now on."""
        self._tls = ssl_context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        try:
            async with asyncio.timeout(timeout):
                await self._shake_hands(self._tls)
        except BaseException as exc:
            self._close()
            if isinstance(exc, TimeoutError):
                raise httpcore.ConnectTimeout(str(exc)) from exc
            if isinstance(exc, OSError | httpcore.NetworkError):
                raise httpcore.ConnectError(str(exc)) from exc
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore may ask for; None for anything else."""
        if info == "ssl_object":
            return self._tls
        if info == "socket":
            return self._socket
        if info == "server_addr":
            return self._peer  # also after a reset
        if info == "is_readable":
            return bool(self._queue) or self._is_at_end or self._is_closed
        return None

    # Reading

    async def _next_piece(self, timeout_s: float | None) -> bytes:
        if self._queue:
            await asyncio.sleep(0)  # a consumer that never waits must not keep the loop from reading
        elif not self._is_at_end and not self._is_closed:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._something()
            except TimeoutError as exc:
                # After a loop that was blocked, bytes and timeout are seen in the same turn: the bytes were first.
                if not self._queue:
                    raise httpcore.ReadTimeout(str(exc)) from exc
        if self._is_closed:
            raise httpcore.ReadError("the connection was closed on this side")
        if self._queue:
            piece, self.arrival = self._queue.popleft()
            self._queued_bytes -= len(piece) + PIECE_BYTES
            if self._queued_bytes < READ_AHEAD_BYTES // 2:
                self._resume()
            return piece
        if self._error is not None:
            raise httpcore.ReadError(self._error.strerror or str(self._error)) from self._error
        return b""

    async def _something(self) -> None:
        """Wait for bytes, the end, an error, or the close."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _resume(self) -> None:
        if self._is_paused and not self._is_at_end and not self._is_closed:
            self._is_paused = False
            self._loop.add_reader(self._socket.fileno(), self._read_socket)

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._loop.remove_reader(self._socket.fileno())

    def _read_socket(self) -> None:
        """Queue what has arrived."""
        try:
            for _ in range(READS_PER_TURN):
                if self._has_timestamps:
                    data, time_ns = receive(self._socket, READ_BYTES)
                else:
                    data, time_ns = self._socket.recv(READ_BYTES), 0
                if not data:
                    self._is_at_end = True
                    break
                self._queue.append((data, Arrival(time_ns or time.time_ns(), by_kernel=bool(time_ns))))
                self._queued_bytes += len(data) + PIECE_BYTES
                if len(data) < READ_BYTES or self._queued_bytes >= READ_AHEAD_BYTES:
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as exc:
            self._error, self._is_at_end = exc, True
        if self._is_at_end or self._queued_bytes >= READ_AHEAD_BYTES:
            self._pause()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Writing

    async def _send(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, InterruptedError):
                await writable(self._socket)

    def _close(self) -> None:
        if not self._is_closed:
            self._pause()
            self._is_closed = True
            self._queue.clear()
            self._loop.remove_writer(self._socket.fileno())
            self._socket.close()
            self._wake()

    # TLS

    async def _shake_hands(self, tls: ssl.SSLObject) -> None:
        is_done = False
        while not is_done:
            try:
                tls.do_handshake()
                is_done = True
            except ssl.SSLWantReadError:
                pass
            finally:
                # A server that refuses us says why and closes: what it said is still to be read.
                with suppress(ConnectionError):
                    await self._send_records()
            if not is_done:
                self._feed_tls(await self._next_piece(None))

    def _feed_tls(self, piece: bytes) -> None:
        if piece:
            self._incoming.write(piece)
        else:
            self._incoming.write_eof()

    def _decrypt(self, max_bytes: int) -> bytes | None:
        """Return the next bytes, at most one record; None if more must arrive. Raises ssl.SSLError."""
        assert self._tls is not None
        try:
            return self._tls.read(max_bytes)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLEOFError:
            return b""  # many servers close without TLS's closing message; HTTP's framing tells what is cut

    async def _send_records(self) -> None:
        if self._outgoing.pending:
            await self._send(self._outgoing.read())


async def writable(waiting: socket.socket) -> None:
    """Wait until a socket can be written to, or its connection attempt is over."""
    loop = asyncio.get_running_loop()
    number = waiting.fileno()
    ready = loop.create_future()
    loop.add_writer(number, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        # At once: after the socket is closed, its number may be that of another one.
        if waiting.fileno() == number:
            loop.remove_writer(number)

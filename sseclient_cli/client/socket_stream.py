"""A network stream for httpcore (its extension point ``AsyncNetworkStream``) that records arrival times.

The event loop reads the socket into a bounded queue as soon as data arrives, even while the consumer is busy: the
kernel merges waiting segments, which then lose their arrival times (``kernel_timestamp.py``). When the queue is full,
reading stops, so that a slow consumer still slows the server down.

TLS works on bytes in memory (``ssl.MemoryBIO``), so that reads keep their arrival times. The queue holds encrypted
bytes, which are decrypted when the consumer reads. This module must not know HTTP.
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
"""The maximum size of one read, which has one arrival time."""

READS_PER_TURN = 4
"""The maximum number of reads in one iteration of the event loop, so that timers and other tasks get their turn."""

READ_AHEAD_BYTES = 1024 * 1024
"""The size limit of the queue: minutes of an ordinary stream, little memory for a process."""

PIECE_BYTES = 256
"""Memory of the objects around a queued read, which dominates with tiny reads."""


class Arrival(NamedTuple):
    """An arrival time in wall-clock ns since 1970: the kernel's timestamp, or the time after the read."""

    time_ns: int
    by_kernel: bool


class SocketStream(httpcore.AsyncNetworkStream):
    """Owns a connected, non-blocking socket. ``arrival`` is the arrival time of the bytes that ``read`` returned last.

    ``has_timestamps``: kernel timestamps are enabled for the socket.
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
        """Return the next bytes, decrypted; empty at the end. The timeout limits the time between two arrivals."""
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
                await self._send_records()  # the response to a key update

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  httpcore's
        """Send all bytes."""
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                rest = memoryview(buffer)
                while rest and self._tls is not None:
                    rest = rest[self._tls.write(rest) :]  # one record
                    await self._send_records()
                await self._send(rest)
        except OSError as exc:  # includes TimeoutError, from asyncio.timeout or from the kernel
            raise (httpcore.WriteTimeout if limit.expired() else httpcore.WriteError)(str(exc)) from exc

    async def aclose(self) -> None:
        """Close the socket. Without an await, so that a cancellation cannot interrupt it."""
        self._close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
    ) -> SocketStream:
        """Do the TLS handshake, and encrypt from then on."""
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
        """Return one of httpcore's extra infos, or the ``arrival``; None for an unknown one."""
        if info == "arrival":  # for a stream of httpcore that wraps this one
            return self.arrival
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
            await asyncio.sleep(0)  # a consumer that never waits must not keep the event loop from reading
        elif not self._is_at_end and not self._is_closed:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wait_for_change()
            except TimeoutError as exc:
                # After a blocked event loop, bytes and timeout may occur in the same iteration: the bytes were first.
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

    async def _wait_for_change(self) -> None:
        """Wait for bytes, the end of the stream, an error, or ``aclose``."""
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
        """Read the socket into the queue."""
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
                # Ignore a connection that the server has closed: its TLS alert, with the reason, must still be read.
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
        """Return the next bytes, at most one record; None if the record is incomplete. Raises ssl.SSLError."""
        assert self._tls is not None
        try:
            return self._tls.read(max_bytes)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLEOFError:
            return b""  # many servers close without a close_notify alert; the framing of HTTP detects truncation

    async def _send_records(self) -> None:
        if self._outgoing.pending:
            await self._send(self._outgoing.read())


async def writable(waiting: socket.socket) -> None:
    """Wait until a socket is writable, or its connection attempt has ended."""
    loop = asyncio.get_running_loop()
    number = waiting.fileno()
    ready = loop.create_future()
    loop.add_writer(number, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        # Only if the socket is still open: the file descriptor of a closed socket may belong to another one.
        if waiting.fileno() == number:
            loop.remove_writer(number)

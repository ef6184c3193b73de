"""A network stream for httpcore that prepares responses for httpcore's parser (h11).

Many servers send heads that violate h11's grammar, and h11 has no option to tolerate them (``sse/response_head.py``).
Small chunks are joined, because each costs h11 as much as a hundred events (``chunk_joiner.py``).
"""

from __future__ import annotations

import socket

import httpcore

from sseclient_cli.client.chunk_joiner import ChunkJoiner
from sseclient_cli.client.socket_stream import SocketStream
from sseclient_cli.sse.response_head import HeadMender, other_protocol


class HttpStream(SocketStream):
    """A connection for one request. The exchange with a proxy may precede the request."""

    def __init__(self, connected: socket.socket, *, has_timestamps: bool) -> None:
        super().__init__(connected, has_timestamps=has_timestamps)
        self._mender = HeadMender()
        self._joiner: ChunkJoiner | None = None

    def expect_head(self) -> None:
        """Expect the head of another response: the exchange with the proxy is complete."""
        self._mender = HeadMender()

    async def read_raw(self, max_bytes: int) -> bytes:
        """Return the next bytes without repairs, for an exchange that is not HTTP."""
        return await super().read(max_bytes)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        """Return the next bytes; a head is returned as a whole, and the chunks of one read are joined.

        Raises RemoteProtocolError for a response that is not HTTP/1. Its message names the protocol, if known.
        """
        if not self._mender.is_done:
            return await self._read_head(max_bytes, timeout)
        joiner = self._joiner
        if joiner is None or joiner.is_done:
            return await super().read(max_bytes, timeout)
        while not joiner.error:
            data = await super().read(max_bytes, timeout)
            joined = joiner.feed(data) if data else b""
            if joined or not data:
                return joined
        raise httpcore.RemoteProtocolError(joiner.error)

    async def _read_head(self, max_bytes: int, timeout: float | None) -> bytes:  # noqa: ASYNC109  httpcore's
        mender = self._mender
        while True:
            data = await super().read(max_bytes, timeout)
            passed = mender.feed(data) if data else mender.finish()
            if words := other_protocol(passed):
                raise httpcore.RemoteProtocolError(words)
            if mender.is_chunked:
                self._joiner = ChunkJoiner()
                head_bytes = len(passed) - mender.body_bytes
                return passed[:head_bytes] + self._joiner.feed(passed[head_bytes:])
            if passed or not data:
                return passed

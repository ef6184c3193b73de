"""A socket under httpcore whose response heads are mended before httpcore's parser (h11) sees them.

h11 has no switches for it, and what many servers send is not its grammar (``protocol/response_head.py``).
"""

from __future__ import annotations

import socket

import httpcore

from sseclient_cli.client.socket_stream import SocketStream
from sseclient_cli.sse.response_head import HeadMender, other_protocol


class HttpStream(SocketStream):
    """A connection of one request, which is not used again; the exchange with a proxy may come before it."""

    def __init__(self, connected: socket.socket, *, has_timestamps: bool) -> None:
        super().__init__(connected, has_timestamps=has_timestamps)
        self._mender = HeadMender()

    def expect_head(self) -> None:
        """Expect the head of another response next."""
        self._mender = HeadMender()

    async def read_raw(self, max_bytes: int) -> bytes:
        """Return the next bytes of the exchange before HTTP."""
        return await super().read(max_bytes)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        """Return the next bytes, and a head as a whole.

        Raises RemoteProtocolError for an answer that is no HTTP/1; its words say what it is instead.
        """
        if self._mender.is_done:
            return await super().read(max_bytes, timeout)
        while True:
            data = await super().read(max_bytes, timeout)
            passed = self._mender.feed(data) if data else self._mender.finish()
            if words := other_protocol(passed):
                raise httpcore.RemoteProtocolError(words)
            if passed or not data:
                return passed

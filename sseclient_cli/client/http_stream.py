"""A network stream for httpcore that repairs response heads before httpcore's parser (h11) sees them.

Many servers send heads that violate h11's grammar, and h11 has no option to tolerate them (``sse/response_head.py``).
"""

from __future__ import annotations

import socket

import httpcore

from sseclient_cli.client.socket_stream import SocketStream
from sseclient_cli.sse.response_head import HeadMender, other_protocol


class HttpStream(SocketStream):
    """A connection for one request. The exchange with a proxy may precede the request."""

    def __init__(self, connected: socket.socket, *, has_timestamps: bool) -> None:
        super().__init__(connected, has_timestamps=has_timestamps)
        self._mender = HeadMender()

    def expect_head(self) -> None:
        """Expect the head of another response: the exchange with the proxy is complete."""
        self._mender = HeadMender()

    async def read_raw(self, max_bytes: int) -> bytes:
        """Return the next bytes without repairs, for an exchange that is not HTTP."""
        return await super().read(max_bytes)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        """Return the next bytes; a head is returned as a whole.

        Raises RemoteProtocolError for a response that is not HTTP/1. Its message names the protocol, if known.
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

"""A network stream for httpcore that carries one request by HTTP/2.

With HTTP/2, httpcore (1.0) also offers HTTP/1.1, and reads any bytes as frames. Here, only HTTP/2 is offered, and a
server that answers in another protocol is recognized.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

import httpcore

from sseclient_cli.client.goaway_filter import GoawayFilter
from sseclient_cli.client.socket_stream import SocketStream

OFFERED_BY_HTTPCORE = ("http/1.1", "h2")
"""What httpcore sets in each TLS context that it is given: contexts are shared, so it must be one for these."""

_PREFACE = b"PRI * HTTP/2.0"


class OtherProtocol:
    """The argument of the exception for another protocol, where httpcore's have an event of h2."""


class Http2Stream(SocketStream):
    """A connection for one request. The exchange with a proxy may precede the request."""

    def __init__(self, connected: socket.socket, *, has_timestamps: bool) -> None:
        super().__init__(connected, has_timestamps=has_timestamps)
        self._frames: GoawayFilter | None = None
        self._is_unanswered = False

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
    ) -> SocketStream:
        """Do the TLS handshake, and offer only HTTP/2."""
        ssl_context.set_alpn_protocols(["h2"])
        return await super().start_tls(ssl_context, server_hostname, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  httpcore's
        """Send all bytes. After an error the next read raises, or returns what the server has sent before it closed."""
        if buffer.startswith(_PREFACE):
            self._frames, self._is_unanswered = GoawayFilter(), True
        with suppress(httpcore.WriteError):
            await super().write(buffer, timeout)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        """Return the next bytes. Raises RemoteProtocolError if they are not the first frame of HTTP/2."""
        while True:
            data = await super().read(max_bytes, timeout)
            if self._frames is None:
                return data
            # A frame begins with its length in three bytes, at first 16,384 at most (RFC 9113 4.2).
            if self._is_unanswered and data[:1] not in (b"", b"\0"):
                raise httpcore.RemoteProtocolError(OtherProtocol())
            self._is_unanswered = False
            if passed := self._frames.feed(data) if data else self._frames.finish():
                return passed
            if not data:
                return data

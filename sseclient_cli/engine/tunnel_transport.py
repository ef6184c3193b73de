"""A wire to a server behind an HTTP proxy: the proxy's CONNECT first, TLS with the server in its tunnel then."""

from __future__ import annotations

import ssl

from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.engine.tls_transport import TlsTransport
from sseclient_cli.request.target import Address
from sseclient_cli.tunnel import Tunnel


class TunnelTransport(TlsTransport):
    """As a ``TlsTransport``; the tunnel is a part of its ``handshake``."""

    __slots__ = ("_tunnel",)

    def __init__(
        self, address: Address, source: str | None, context: ssl.SSLContext, host: str, tunnel: Tunnel
    ) -> None:
        """Begin to connect to the proxy at ``address``; the server's certificate must name ``host``."""
        super().__init__(address, source, context, host)
        self._tunnel: Tunnel | None = tunnel
        self._unsent = tunnel.request

    def handshake(self) -> bool:
        """Open the tunnel, and shake hands with the server. Raises ProxyError, too."""
        if self._tunnel is not None:
            if not self._is_open(self._tunnel):
                return False
            self._tunnel = None
        return super().handshake()

    def _is_open(self, tunnel: Tunnel) -> bool:
        """Go on with the CONNECT as far as the bytes that are here allow."""
        if not self.flush():
            return False
        try:
            data, _ = TcpTransport.read(self)
        except BlockingIOError:
            return False
        tunnel.feed(data)
        if tunnel.status and not tunnel.is_open:
            # With what has come of its body: the preflight waits for the rest.
            raise tunnel.refusal()
        return tunnel.is_open

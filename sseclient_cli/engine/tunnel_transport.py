"""A connection through an HTTP proxy: CONNECT to the proxy first, then TLS or plain bytes in the tunnel."""

from __future__ import annotations

import ssl

from sseclient_cli.engine.tcp_transport import SocketOptions, TcpTransport
from sseclient_cli.engine.tls_transport import TlsTransport
from sseclient_cli.request.target import Address
from sseclient_cli.tunnel import Tunnel


class PlainTunnelTransport(TcpTransport):
    """A transport without TLS that opens the tunnel as ``handshake``, for ws:// URLs."""

    __slots__ = ("_tunnel",)

    def __init__(self, address: Address, source: str | None, tunnel: Tunnel, options: SocketOptions = ()) -> None:
        """Begin to connect to the proxy at ``address``."""
        super().__init__(address, source, options)
        self._tunnel = tunnel
        self._unsent = tunnel.request

    def handshake(self) -> bool:
        """Open the tunnel. Raises ProxyError."""
        return is_tunnel_open(self, self._tunnel)


class TunnelTransport(TlsTransport):
    """A TLS transport that opens the tunnel as part of ``handshake``."""

    __slots__ = ("_tunnel",)

    def __init__(
        self,
        address: Address,
        source: str | None,
        context: ssl.SSLContext,
        host: str,
        tunnel: Tunnel,
        options: SocketOptions = (),
    ) -> None:
        """Begin to connect to the proxy at ``address``; the server's certificate must name ``host``."""
        super().__init__(address, source, context, host, options)
        self._tunnel: Tunnel | None = tunnel
        self._unsent = tunnel.request

    def handshake(self) -> bool:
        """Open the tunnel, then do the TLS handshake with the server. Also raises ProxyError."""
        if self._tunnel is not None:
            if not is_tunnel_open(self, self._tunnel):
                return False
            self._tunnel = None
        return super().handshake()


def is_tunnel_open(transport: TcpTransport, tunnel: Tunnel) -> bool:
    """Continue the CONNECT request with the bytes that have arrived. Return whether the tunnel is open."""
    if not transport.flush():
        return False
    try:
        data, _ = TcpTransport.read(transport)
    except BlockingIOError:
        return False
    tunnel.feed(data)
    if tunnel.status and not tunnel.is_open:
        # The error contains the part of the body that has arrived. Only the preflight waits for the rest.
        raise tunnel.error()
    return tunnel.is_open

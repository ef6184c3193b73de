"""TCP keepalive for both clients: the kernel notices a peer that has vanished without a FIN or RST."""

from __future__ import annotations

import socket

KEEPALIVE_IDLE_S = 10
"""The kernel sends the first probe after this much silence. A peer that restarted answers it with RST."""

KEEPALIVE_INTERVAL_S = 3
KEEPALIVE_PROBES = 3
"""After this many unanswered probes the connection is lost (ETIMEDOUT): 10 + 3 * 3 s, about 20 s in all."""

# macOS calls the first one TCP_KEEPALIVE. A platform that lacks one keeps its own value.
_OPTIONS = (
    (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), KEEPALIVE_IDLE_S),
    (("TCP_KEEPINTVL",), KEEPALIVE_INTERVAL_S),
    (("TCP_KEEPCNT",), KEEPALIVE_PROBES),
)


def keep_alive(sock: socket.socket) -> None:
    """Switch keepalive on for a TCP socket; do nothing for a unix socket, which cannot lose its peer."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for names, value in _OPTIONS:
        number = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
        if number is not None:
            sock.setsockopt(socket.IPPROTO_TCP, number, value)

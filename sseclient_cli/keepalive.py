"""TCP keep-alive: detect a peer that vanished without FIN or RST, in about 20 seconds.

After a power loss, a broken cable or an expired NAT entry, no segment arrives. Without probes, a client that only reads
never notices. By default, keep-alive is off, and Linux sends its first probe after two hours.
"""

from __future__ import annotations

import socket
from contextlib import suppress

IDLE_S = 10
"""Silence before the first probe. Most servers send a heartbeat every 15 to 30 s; a probe is 66 bytes."""

INTERVAL_S = 3
PROBES = 3

VANISHED_AFTER_S = IDLE_S + INTERVAL_S * PROBES
"""The connection is closed after this time without a segment from the peer."""

# macOS calls TCP_KEEPIDLE TCP_KEEPALIVE. SO_KEEPALIVE comes last: earlier, Linux would start its timer twice.
_IDLE_OPTION = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)
_OPTIONS = [
    (socket.IPPROTO_TCP, option, value)
    for option, value in (
        (_IDLE_OPTION, IDLE_S),
        (getattr(socket, "TCP_KEEPINTVL", None), INTERVAL_S),
        (getattr(socket, "TCP_KEEPCNT", None), PROBES),
    )
    if option is not None
] + [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


def keep_alive(sock: socket.socket) -> None:
    """Enable keep-alive, with these times where the platform supports them. Does nothing for sockets other than TCP."""
    with suppress(OSError):
        for level, option, value in _OPTIONS:
            sock.setsockopt(level, option, value)

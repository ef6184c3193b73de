"""TCP keep-alive: notice a peer that vanished without a word, in about 20 seconds.

A server that lost its power, a cable, or a NAT entry that expired sends neither FIN nor RST. Without probes, a client
that only reads waits for days. Linux sends the first probe after two hours by default.
"""

from __future__ import annotations

import socket
from contextlib import suppress

IDLE_S = 10
"""Silence before the first probe. Most servers send a heartbeat every 15 to 30 s; a probe is 66 bytes."""

INTERVAL_S = 3
PROBES = 3

VANISHED_AFTER_S = IDLE_S + INTERVAL_S * PROBES
"""When a peer that does not answer is given up."""

# macOS names the time before the first probe differently. Before SO_KEEPALIVE: Linux would start its timer twice.
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
    """Switch keep-alive on, with these times where the platform has them; a socket that is not TCP stays as it is."""
    with suppress(OSError):
        for level, option, value in _OPTIONS:
            sock.setsockopt(level, option, value)

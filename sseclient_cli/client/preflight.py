"""One request before a run: the target is there, it is an event stream, and this is where exactly.

Follows redirects, and finds the address that answered, so that thousands of streams neither resolve the name again nor
try an address that nobody listens on.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from sseclient_cli.client.connection import Connector, Peer
from sseclient_cli.errors import ConnectionLostError, ReadTimeoutError
from sseclient_cli.protocol.reconnection import last_event_id_header
from sseclient_cli.target import Address, Hop, Target

ANSWER_TIMEOUT_S = 30.0
"""How long the response head may take: longer than any sane time to first byte, shorter than a person's patience."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found: each request that led to the stream, redirects first; the last one is the stream's own."""

    hops: tuple[Hop, ...]


async def preflight(target: Target) -> Preflight:
    """Open one stream, look at its head, and close it.

    Raises SseError if the target is not there or is no event stream that a load can be made of.
    """
    limit_s = ANSWER_TIMEOUT_S if target.head_timeout_s is None else target.head_timeout_s
    async with Connector(target, limit_s) as connector:
        try:
            connection = await connector.connect(last_event_id_header(target.last_event_id))
        except ReadTimeoutError as exc:
            raise ReadTimeoutError(
                f"{target.redacted_url} took the request and did not answer within {limit_s:g} s"
            ) from exc
        try:
            if connection.refusal is not None:
                raise connection.refused(connection.refusal)
            return Preflight(tuple(_hop(*asked) for asked in connection.way))
        finally:
            await connection.aclose()


def _hop(target: Target, peer: Peer) -> Hop:
    if target.unix_socket is not None:
        return Hop(target, Address(socket.AF_UNIX, target.unix_socket))
    if not isinstance(peer, tuple):
        raise ConnectionLostError(f"the connection to {target.redacted_url} was reset after the response's head")
    # Of a numeric host: its family, and what a link-local one has besides.
    numeric = socket.getaddrinfo(*peer[:2], type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    family, _, _, _, address = numeric[0]
    return Hop(target, Address(family, address))

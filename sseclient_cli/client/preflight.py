"""One request before a run: the target is there, it is an event stream, and this is where exactly.

Follows redirects, and finds the address that answered, so that thousands of streams neither resolve the name again nor
try an address that nobody listens on.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from sseclient_cli.client.connection import Connector
from sseclient_cli.errors import ConnectionLostError
from sseclient_cli.target import Address, Target

ANSWER_TIMEOUT_S = 30.0
"""How long the response head may take: longer than any sane time to first byte, shorter than a person's patience."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found: the target as it is after redirects, and the address that answered for it."""

    target: Target
    address: Address


async def preflight(target: Target) -> Preflight:
    """Open one stream, look at its head, and close it.

    Raises SseError if the target is not there or is no event stream, with what to do about it.
    """
    async with Connector(target, ANSWER_TIMEOUT_S) as connector:
        connection = await connector.connect(None)
        try:
            if connection.refusal is not None:
                raise connection.refused(connection.refusal)
            if connection.peer is None:
                raise ConnectionLostError(
                    f"the connection to {target.redacted_url} was reset after the response's head"
                )
            family = socket.AF_INET6 if len(connection.peer) == 4 else socket.AF_INET
            return Preflight(connection.target, Address(family, connection.peer))
        finally:
            await connection.aclose()

"""One request before a run: the target is there, it is an event stream, and this is where exactly.

Follows redirects, and finds the address that answered, so that thousands of streams neither resolve the name again nor
try an address that nobody listens on.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace

from sseclient_cli.client.connection import Connection, Connector
from sseclient_cli.target import SECRET_HEADERS, Address, Target

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
            family = socket.AF_INET6 if len(connection.peer) == 4 else socket.AF_INET
            return Preflight(_redirected(target, connection), Address(family, connection.peer))
        finally:
            await connection.aclose()


def _redirected(target: Target, connection: Connection) -> Target:
    """Return the target that the last request was made to, without what redirects take away."""
    final = replace(target, url=connection.url, method=connection.method)
    if final.method != target.method:
        # A POST that is redirected by 303 (and, as browsers do it, 301 and 302) goes on as a GET.
        final = replace(final, body=None)
    if final.origin != target.origin:
        # Fetch 4.4 HTTP-redirect fetch, step 13: credentials do not follow to another origin.
        kept = tuple(pair for pair in final.headers if pair[0].lower() not in SECRET_HEADERS)
        final = replace(final, headers=kept)
    return final

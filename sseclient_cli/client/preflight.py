"""One request before a run: the target is there, it is an event stream, and this is where exactly.

Follows redirects, and finds the address that answered, so that thousands of streams neither resolve the name again nor
try an address that does not accept connections. A server notices the request: it may hold a place until the server sees
that its connection is closed, or use up a ticket in the URL. So a run can do without it, and its report says which.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sseclient_cli.client.connection import Connector, Peer
from sseclient_cli.errors import BadStatusError, ConnectionLostError, ReadTimeoutError
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.sse.reconnection import Reconnection, last_event_id_header

ANSWER_TIMEOUT_S = 30.0
"""How long the response head may take unless the target says: longer than any sane time to first byte, shorter than a
person's patience."""


MAX_RETRYING_S = 60.0
"""So long the request before a run is retried: a server that starts or is deployed is back by then."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found: each request that led to the stream, redirects first; the last one is the stream's own.

    ``status`` is that of the last response. All connections are closed.
    """

    hops: tuple[ResolvedTarget, ...]
    status: int = 200


async def preflight(
    target: Target,
    retry_statuses: Collection[int] = (),
    on_wait: Callable[[BadStatusError, float], None] | None = None,
) -> Preflight:
    """Open one stream, look at its head, and close it; retry responses with one of ``retry_statuses``.

    ``on_wait`` gets the response and the wait in seconds before the next request. Raises SseError if the target is not
    there or is no event stream that a load can be made of, and the last response's error after MAX_RETRYING_S.
    """
    reconnection = Reconnection(retry_statuses=retry_statuses)
    ends_s = time.monotonic() + MAX_RETRYING_S
    while True:
        try:
            return await _attempt(target)
        except BadStatusError as exc:
            delay_ms = reconnection.delay_ms(exc, opened=False, delivered=False, random=random.random())
            if delay_ms is None:
                raise
            if time.monotonic() + delay_ms / 1000 > ends_s:
                exc.add_note(f"the next request would be more than {MAX_RETRYING_S:g} s after the first one")
                raise
            if on_wait is not None:
                on_wait(exc, delay_ms / 1000)
        await asyncio.sleep(delay_ms / 1000)


async def _attempt(target: Target) -> Preflight:
    timeout_s = target.head_timeout_s or ANSWER_TIMEOUT_S
    async with Connector(target, timeout_s) as connector:
        try:
            # As a whole, too: a head may come byte by byte, and each read of it in time.
            async with asyncio.timeout(target.connect_timeout_s + timeout_s):
                connection = await connector.connect(last_event_id_header(target.last_event_id))
        except (ReadTimeoutError, TimeoutError) as exc:
            raise ReadTimeoutError(
                f"{target.redacted_url} accepted the request and did not answer within {timeout_s:g} s",
                code="preflight-timeout",
                arguments=["head_timeout_s"],
            ) from exc
        try:
            if connection.refusal is not None:
                raise await connection.refused(connection.refusal)
            return Preflight(tuple(_hop(*asked) for asked in connection.way), connection.status)
        finally:
            await connection.aclose()


def _hop(target: Target, peer: Peer) -> ResolvedTarget:
    if target.unix_socket is not None:
        return ResolvedTarget(target, Address(socket.AF_UNIX, target.unix_socket))
    if not isinstance(peer, tuple):
        raise ConnectionLostError(f"the connection to {target.redacted_url} was reset after the response's head")
    # Of a numeric host: its family, and what a link-local one has besides.
    numeric = socket.getaddrinfo(*peer[:2], type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    family, _, _, _, address = numeric[0]
    return ResolvedTarget(target, Address(family, address))

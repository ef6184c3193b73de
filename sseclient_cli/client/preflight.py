"""The preflight request before a run: check that the target is an event stream, and find its final URL and address.

It follows redirects and records the address that answered, so that thousands of streams neither repeat the name lookup
nor try an address that refuses connections. The server sees this request: it may occupy a slot until the server notices
the close, or consume a one-time ticket in the URL. A run can therefore skip it; the report says whether it did.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sseclient_cli.client.connection import Peer
from sseclient_cli.client.connector import Connector
from sseclient_cli.errors import BadStatusError, ConnectionLostError, ReadTimeoutError
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.sse.retry_policy import Reconnection, last_event_id_header

ANSWER_TIMEOUT_S = 30.0
"""The default time limit for the response head: longer than any reasonable time to first byte, short enough to wait."""


MAX_RETRYING_S = 60.0
"""The time limit for retries: a restart or a deployment of the server takes less."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """The result: the requests of the redirect chain, the stream's own request last, and the status of its response."""

    chain: tuple[ResolvedTarget, ...]
    requests: int
    """On a cluster, each machine sends those of its own chain."""
    status: int = 200


async def preflight(
    target: Target,
    retry_statuses: Collection[int] = (),
    on_wait: Callable[[BadStatusError, float], None] | None = None,
) -> Preflight:
    """Open one stream, check its response head, and close it. Retry responses with one of ``retry_statuses``.

    ``on_wait`` is called before each retry with the error and the wait in seconds. Raises SseError if the target is
    unreachable or not an event stream, and the error of the last response after MAX_RETRYING_S.
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
            # A limit for the whole head: if it arrives byte by byte, no single read times out.
            async with asyncio.timeout(target.connect_timeout_s + timeout_s):
                connection = await connector.connect(last_event_id_header(target.last_event_id))
        except (ReadTimeoutError, TimeoutError) as exc:
            raise ReadTimeoutError(
                f"{target.redacted_url} accepted the request and did not answer within {timeout_s:g} s",
                code="preflight-timeout",
                arguments=["head_timeout_s"],
            ) from exc
        try:
            if connection.stop_reason is not None:
                raise await connection.response_error(connection.stop_reason)
            await connection.require_format()
            chain = tuple(resolved_request(*request) for request in connection.requests)
            return Preflight(chain, len(chain), connection.status)
        finally:
            await connection.aclose()


def resolved_request(target: Target, peer: Peer) -> ResolvedTarget:
    """Return a request with the address that answered it. Raises SseError if the peer is unknown."""
    if target.unix_socket is not None:
        return ResolvedTarget(target, Address(socket.AF_UNIX, target.unix_socket))
    if not isinstance(peer, tuple):
        raise ConnectionLostError(f"the connection to {target.redacted_url} was reset after the response head")
    # The host is numeric: this adds its family, and the scope ID of a link-local address.
    numeric = socket.getaddrinfo(*peer[:2], type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    family, _, _, _, address = numeric[0]
    return ResolvedTarget(target, Address(family, address))

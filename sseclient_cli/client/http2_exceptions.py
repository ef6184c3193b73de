"""Find the reasons of HTTP/2 in exceptions of httpx, httpcore and h2.

httpcore (1.0) passes h2's event or exception as the argument of its own exception, and does not map exceptions of h2
while it reads a body. h2 may not be installed, so its classes are known by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sseclient_cli.client.http2_stream import OtherProtocol
from sseclient_cli.errors import Http2Error
from sseclient_cli.http2_errors import going_away, not_spoken, stream_reset, violation_of
from sseclient_cli.request.proxied import answering_peer
from sseclient_cli.request.target import Target


def is_from_h2(exc: BaseException) -> bool:
    """Return whether the package h2 raised it."""
    return type(exc).__module__ == "h2.exceptions"


def http2_error(causes: Iterable[BaseException], target: Target) -> Http2Error | None:
    """Return the error for an exception with these causes; None without a reason of HTTP/2."""
    peer = answering_peer(target)
    for cause in causes:
        reason: Any = cause if is_from_h2(cause) else next(iter(cause.args), None)
        if isinstance(reason, OtherProtocol):
            return not_spoken(peer, answered=True)
        name = type(reason).__name__
        if name == "StreamReset":
            return stream_reset(int(reason.error_code), by_server=reason.remote_reset)
        if name == "ConnectionTerminated":
            return going_away(
                int(reason.error_code), reason.additional_data or b"", is_processed=bool(reason.last_stream_id)
            )
        if isinstance(reason, Exception) and is_from_h2(reason):
            return violation_of(reason)
    return None

"""Maps the exception that ended a connection to an error of this package."""

from __future__ import annotations

import errno

from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectionRefusedByTargetError,
    ConnectTimeoutError,
    InternalError,
    ReadTimeoutError,
    SseError,
)
from sseclient_cli.keepalive import VANISHED_AFTER_S
from sseclient_cli.lost_connections import broken
from sseclient_cli.redaction import redacted_text

# Linux reports these when keep-alive probes fail: a timeout, or the last ICMP error that it received.
_VANISHED = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})

# Connect errors, to which the name of the proxy is added.
_CONNECTING: tuple[type[SseError], ...] = (ConnectError, ConnectionRefusedByTargetError, ConnectTimeoutError)


def is_cut(cause: Exception | None) -> bool:
    """Return whether the peer or the network ended a connection, not a limit or a keep-alive probe of this client."""
    if isinstance(cause, OSError):
        return cause.errno not in _VANISHED
    return cause is None or (isinstance(cause, ConnectionLostError) and not isinstance(cause, ReadTimeoutError))


def mapped(exc: Exception, unanswered: PreparedRequest | None = None) -> SseError:
    """Return the error of this package for an exception. An unexpected exception becomes InternalError.

    ``unanswered`` is the request if it has no response head yet.
    """
    if isinstance(exc, SseError):
        proxy = None if unanswered is None else unanswered.target.proxy
        if proxy is None or type(exc) not in _CONNECTING:
            return exc
        return type(exc)(f"{exc} ({proxy})", code=exc.code, arguments=exc.arguments, values=exc.values)
    if isinstance(exc, OSError) and exc.errno in _VANISHED:
        return ConnectionLostError(f"the server vanished: no answer to keep-alive probes for {VANISHED_AFTER_S} s")
    if isinstance(exc, OSError):
        return broken((exc.strerror or str(exc)).lower(), None if unanswered is None else unanswered.target)
    return InternalError(redacted_text(f"{type(exc).__name__}: {exc}"))

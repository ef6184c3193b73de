"""Exception mapping: what ended a connection, as an error of this package."""

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
from sseclient_cli.redaction import redacted_text
from sseclient_cli.response_errors import tls_hint

# What Linux reports when keep-alive probes failed: a timeout, or the last ICMP error that it received.
_VANISHED = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})

# Of a connection that a proxy should have taken.
_CONNECTING: tuple[type[SseError], ...] = (ConnectError, ConnectionRefusedByTargetError, ConnectTimeoutError)


def is_cut(cause: Exception | None) -> bool:
    """Return whether the peer or the network ended a connection, not a limit or probe of this client."""
    return not isinstance(cause, ReadTimeoutError) and not (isinstance(cause, OSError) and cause.errno in _VANISHED)


def mapped(exc: Exception, unanswered: PreparedRequest | None = None) -> SseError:
    """Return the error of this package for an exception; an unexpected one becomes InternalError.

    ``unanswered`` is the request, as long as it has no response head.
    """
    if isinstance(exc, SseError):
        proxy = None if unanswered is None else unanswered.target.proxy
        return type(exc)(f"{exc} ({proxy})") if proxy is not None and type(exc) in _CONNECTING else exc
    if isinstance(exc, OSError) and exc.errno in _VANISHED:
        return ConnectionLostError(f"the server vanished: no answer to keep-alive probes for {VANISHED_AFTER_S} s")
    if isinstance(exc, OSError):
        when, hint = (" before the server answered", tls_hint(unanswered.target)) if unanswered else ("", "")
        return ConnectionLostError(f"the connection broke{when}: {(exc.strerror or str(exc)).lower()}{hint}")
    return InternalError(redacted_text(f"{type(exc).__name__}: {exc}"))

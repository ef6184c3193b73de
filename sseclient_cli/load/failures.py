"""What ends one of many streams, as an error of ours: an answer that is no event stream, a connection that breaks."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    InternalError,
    SseError,
    WrongContentTypeError,
)
from sseclient_cli.keepalive import VANISHED_AFTER_S
from sseclient_cli.protocol.reconnection import StopReason, refusal_of
from sseclient_cli.redaction import redacted_text

# What Linux reports when keep-alive probes failed: a timeout, or the last ICMP error that it received.
_VANISHED = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})


def check_response(status: int, headers: Mapping[str, str]) -> None:
    """Raise BadStatusError or WrongContentTypeError if this is no event stream (9.2.3)."""
    refusal = refusal_of(status, headers.get("content-type"))
    if refusal is StopReason.WRONG_CONTENT_TYPE:
        content_type = headers.get("content-type", "")
        raise WrongContentTypeError(f"a stream answered with {content_type!a}", status=200, headers=headers)
    if refusal is not None:
        raise BadStatusError(f"a stream was answered {status}", status=status, headers=headers)


def check_end(*, is_open: bool, ends_with_connection: bool) -> None:
    """Raise ConnectionLostError if the end of a connection is not the proper end of a response."""
    if not is_open:
        raise ConnectionLostError("the server closed the connection before it answered")
    if not ends_with_connection:
        raise ConnectionLostError("the connection was cut in the middle of the response")


def as_ours(exc: Exception) -> SseError:
    """Return the error of this package for what ended a connection; what nobody expected is a bug of ours."""
    if isinstance(exc, SseError):
        return exc
    if isinstance(exc, OSError) and exc.errno in _VANISHED:
        return ConnectionLostError(f"the server vanished: no answer to keep-alive probes for {VANISHED_AFTER_S} s")
    if isinstance(exc, OSError):
        return ConnectionLostError(f"the connection broke: {(exc.strerror or str(exc)).lower()}")
    return InternalError(redacted_text(f"{type(exc).__name__}: {exc}"))

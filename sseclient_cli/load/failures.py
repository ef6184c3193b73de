"""What ends one of many streams, as an error of ours: an answer that is no event stream, a connection that breaks."""

from __future__ import annotations

from collections.abc import Mapping

from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    InternalError,
    SseError,
    WrongContentTypeError,
)
from sseclient_cli.protocol.reconnection import StopReason, refusal_of


def check_response(status: int, headers: Mapping[str, str]) -> None:
    """Raise BadStatusError or WrongContentTypeError if this is no event stream (9.2.3)."""
    refusal = refusal_of(status, headers.get("content-type"))
    if refusal is StopReason.WRONG_CONTENT_TYPE:
        content_type = headers.get("content-type", "")
        raise WrongContentTypeError(f"a stream answered with {content_type!a}", status=200, headers=headers)
    if refusal is not None:
        raise BadStatusError(f"a stream was answered {status}", status=status, headers=headers)


def as_ours(exc: Exception) -> SseError:
    """Return the error of this package for what ended a connection; what nobody expected is a bug of ours."""
    if isinstance(exc, SseError):
        return exc
    if isinstance(exc, OSError):
        return ConnectionLostError(f"the connection broke: {(exc.strerror or str(exc)).lower()}")
    return InternalError(f"{type(exc).__name__}: {exc}")

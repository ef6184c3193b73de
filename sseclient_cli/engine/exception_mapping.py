"""What ends one of many streams, as an error of ours: an answer that is no event stream, a connection that breaks."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.http1 import ResponseReader
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
from sseclient_cli.refusals import refused, tls_hint
from sseclient_cli.sse.reconnection import refusal_of

# What Linux reports when keep-alive probes failed: a timeout, or the last ICMP error that it received.
_VANISHED = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})

# Of a connection that a proxy should have taken.
_CONNECTING: tuple[type[SseError], ...] = (ConnectError, ConnectionRefusedByTargetError, ConnectTimeoutError)


def check_response(
    leg: PreparedRequest, first: PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Raise BadStatusError or WrongContentTypeError if this is no event stream (9.2.3).

    The request was ``leg``, to which redirects from ``first`` may have led; ``body`` is as much of it as has come.
    """
    target = leg.hop.target
    refusal = refusal_of(status, headers.get("content-type"), any_type=target.any_content_type)
    if refusal is not None:
        led_from = None if leg is first else first.hop.target
        raise refused(target, status, headers, body, refusal, led_from=led_from)


def check_end(leg: PreparedRequest, http: ResponseReader, *, is_open: bool) -> None:
    """Raise ConnectionLostError if the end of a connection is not the proper end of a response."""
    if not is_open:
        target = leg.hop.target
        peer = "the server" if target.proxy is None or target.is_tunnelled else str(target.proxy)
        raise ConnectionLostError(f"{peer} closed the connection before it answered{tls_hint(target)}")
    if not http.ends_with_connection:
        raise ConnectionLostError("the connection was cut in the middle of the response")


def is_a_cut(cause: Exception | None) -> bool:
    """Say whether the other side, or something on the way, ended a connection; not our own limits and probes."""
    return not isinstance(cause, ReadTimeoutError) and not (isinstance(cause, OSError) and cause.errno in _VANISHED)


def as_ours(exc: Exception, unanswered: PreparedRequest | None = None) -> SseError:
    """Return the error of this package for what ended a connection; an unexpected exception is a bug of ours.

    ``unanswered`` is the request, as long as no response head has come.
    """
    if isinstance(exc, SseError):
        proxy = None if unanswered is None else unanswered.hop.target.proxy
        return type(exc)(f"{exc} ({proxy})") if proxy is not None and type(exc) in _CONNECTING else exc
    if isinstance(exc, OSError) and exc.errno in _VANISHED:
        return ConnectionLostError(f"the server vanished: no answer to keep-alive probes for {VANISHED_AFTER_S} s")
    if isinstance(exc, OSError):
        hint = f" before the server answered{tls_hint(unanswered.hop.target)}" if unanswered else ""
        return ConnectionLostError(f"the connection broke{hint}: {(exc.strerror or str(exc)).lower()}")
    return InternalError(redacted_text(f"{type(exc).__name__}: {exc}"))

"""Map exceptions of httpx, ssl and sockets to errors of this package.

This is the only place that inspects these exceptions (``transport.py`` maps httpcore's to httpx's). Text from a server
is escaped, because messages are printed on terminals.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from sseclient_cli.client.http2_exceptions import http2_error, is_from_h2
from sseclient_cli.errors import (
    ConnectError,
    ConnectionRefusedByTargetError,
    ConnectTimeoutError,
    InvalidResponseError,
    LimitError,
    NameNotResolvedError,
    ReadTimeoutError,
    SseError,
    UsageError,
)
from sseclient_cli.http2_errors import violated
from sseclient_cli.lost_connections import broken, closed_before_response, cut_in_response
from sseclient_cli.redaction import redacted_text
from sseclient_cli.request.proxied import answering_peer, tls_host
from sseclient_cli.request.target import Target
from sseclient_cli.request.tls import tls_error
from sseclient_cli.sse.response_head import SWITCHED_PROTOCOL

# h11 quotes its input as the repr of a bytearray.
_BYTEARRAY = re.compile(r"bytearray\(b(.*)\)")

# The message of httpcore (1.0) for HTTP/2, in a response too; for HTTP/1.1, it says "without sending a response", too.
_CLOSED_HTTP2 = "Server disconnected"

MAX_REASON_CHARS = 200
"""A message is one line, but a parser may quote a whole response head."""


@contextmanager
def mapped_exceptions(target: Target, read_timeout_s: float | None, *, answered: bool = True) -> Iterator[None]:
    """Map exceptions within the block. ``answered``: the response head has arrived."""
    try:
        yield
    except httpx.ReadError as exc:
        raise broken(_reason(exc), None if answered else target) from exc
    except httpx.ReadTimeout as exc:
        raise ReadTimeoutError(f"no bytes for {read_timeout_s or 0:g} s", arguments=["read_timeout_s"]) from exc
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
        if answered and str(exc) == _CLOSED_HTTP2:
            raise cut_in_response() from exc
        raise _mapped(exc, target) from exc
    except Exception as exc:  # only with a client of the caller
        error = http2_error([exc], target) if is_from_h2(exc) else None
        if error is None:
            raise
        raise error from exc


def _mapped(exc: Exception, target: Target) -> SseError:
    if isinstance(exc, httpx.ProtocolError) and (error := http2_error(_causes(exc), target)):
        return error
    for foreign, error_for in _MAPPING:
        if isinstance(exc, foreign):
            return error_for(exc, target)
    return broken(_reason(exc))


def _connect_error(exc: Exception, target: Target) -> SseError:
    """Map the most specific cause; httpx itself says only "All connection attempts failed"."""
    peer = target.peer
    for cause in _causes(exc):
        if isinstance(cause, socket.gaierror):
            return NameNotResolvedError(f"the host name of {peer} has no address: check its spelling")
        # A refused connection is not a reset: this connection was established, and cut during the handshake.
        if isinstance(cause, ssl.SSLError | ConnectionResetError | BrokenPipeError):
            return tls_error(cause, answering_peer(target), http2=target.http2)
        if isinstance(cause, OSError):
            if cause.errno == errno.ECONNREFUSED:
                what = "the server" if target.proxy is None else "it"
                where = "" if target.unix_socket else ", and is this its port"
                return ConnectionRefusedByTargetError(f"nothing listens on {peer}: is {what} running{where}?")
            if cause.errno in (errno.EMFILE, errno.ENFILE):
                return LimitError("this process has too many open files: raise `ulimit -n`")
    attempts = [str(cause) for cause in _causes(exc) if isinstance(cause, OSError) and cause.__cause__ is None]
    # asyncio has no error code for this case, only a message.
    if attempts and all("no matching local address" in words for words in attempts):
        return UsageError(
            f"{peer} and `source_address` have different address families: use only IPv4 or only IPv6",
            arguments=["source_address"],
        )
    return ConnectError(f"cannot connect to {peer}: {_reason(exc)}")


def _protocol_error(exc: Exception, target: Target) -> SseError:
    peer = answering_peer(target)
    # httpcore and h11 raise one class for invalid and for truncated responses; only the messages differ.
    if _CLOSED_HTTP2 in str(exc):
        return closed_before_response(peer, target)
    if "peer closed connection" in str(exc):
        return cut_in_response()
    if "_SWITCH_UPGRADE" in str(exc):
        return InvalidResponseError(f"{peer} {SWITCHED_PROTOCOL}")
    if target.http2:
        return violated(_reason(exc))
    return InvalidResponseError(f"the response of {peer} is not valid HTTP/1.1: {_reason(exc)}")


def _through(target: Target) -> str:
    return f"{answering_peer(target)} through {target.proxy}" if target.is_tunnelled else target.peer


# The first match applies: a subclass must precede its base class.
_MAPPING: tuple[tuple[type[Exception], Callable[[Exception, Target], SseError]], ...] = (
    (
        httpx.ConnectTimeout,
        lambda _, target: ConnectTimeoutError(
            f"no connection to {_through(target)} within {target.connect_timeout_s:g} s: is a firewall in between"
            f"{', or does that port not speak TLS' if tls_host(target) is not None else ''}?",
            arguments=["connect_timeout_s"],
        ),
    ),
    (httpx.ConnectError, _connect_error),
    (httpx.RemoteProtocolError, _protocol_error),
    (httpx.LocalProtocolError, lambda exc, _: UsageError(f"the request is not valid HTTP/1.1: {_reason(exc)}")),
    (httpx.InvalidURL, lambda exc, _: UsageError(f"the URL is not valid: {_reason(exc)}")),
    # The next two are only possible with a client of the caller: its pool may be full, and it may have proxies.
    (
        httpx.PoolTimeout,
        lambda _, target: ConnectTimeoutError(
            f"the client's connection pool had no free connection for {target.peer}: raise its limits or pool timeout"
        ),
    ),
    (
        httpx.ProxyError,
        lambda exc, target: ConnectError(f"the proxy did not connect to {target.peer}: {_reason(exc)}"),
    ),
    # After the client's part of the handshake: a TLS 1.3 server then reports a missing client certificate.
    (ssl.SSLError, lambda exc, target: tls_error(exc, answering_peer(target), http2=target.http2)),
)


def _reason(exc: Exception) -> str:
    """Return the message of the innermost cause with a message."""
    for cause in reversed(list(_causes(exc))):
        words = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        if words:
            words = redacted_text(_BYTEARRAY.sub(r"\1", words))
            return (words if words[:2].isupper() else words[:1].lower() + words[1:])[:MAX_REASON_CHARS]
    return "it was reset by the peer"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, including the members of exception groups (one per address)."""
    yield exc
    if isinstance(exc, BaseExceptionGroup):
        for member in exc.exceptions:
            yield from _causes(member)
    elif exc.__cause__ is not None:
        yield from _causes(exc.__cause__)
    elif exc.__context__ is not None:
        yield from _causes(exc.__context__)

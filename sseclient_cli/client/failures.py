"""What went wrong with a connection, as an error of this package: what happened, and what to do.

The one place where exceptions of httpx, ssl and the sockets are looked at; ``transport.py`` makes httpx's of
httpcore's. Text that a server chose comes into a message only escaped: messages are printed on terminals.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from sseclient_cli.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectionRefusedByTargetError,
    ConnectTimeoutError,
    InvalidResponseError,
    LimitError,
    NameNotResolvedError,
    ReadTimeoutError,
    SseError,
    UsageError,
)
from sseclient_cli.redaction import redacted_text
from sseclient_cli.refusals import tls_hint
from sseclient_cli.request.proxied import answering_peer, tls_host
from sseclient_cli.request.target import Target
from sseclient_cli.request.tls import tls_error
from sseclient_cli.sse.response_head import SWITCHED_PROTOCOL

# h11 quotes what it was sent as Python writes it.
_BYTEARRAY = re.compile(r"bytearray\(b(.*)\)")

MAX_REASON_CHARS = 200
"""A message is one line: what a parser of others quotes of what it was sent may be a whole head."""


@contextmanager
def foreign_errors_mapped(target: Target, read_timeout_s: float | None, *, answered: bool = True) -> Iterator[None]:
    """Turn what httpx, ssl and the sockets raise into errors of this package; ``answered``: the head is in."""
    try:
        yield
    except httpx.ReadError as exc:
        when, hint = ("", "") if answered else (" before the server answered", tls_hint(target))
        raise ConnectionLostError(f"the connection broke{when}: {_reason(exc)}{hint}") from exc
    except httpx.ReadTimeout as exc:
        raise ReadTimeoutError(f"no bytes for {read_timeout_s or 0:g} s", arguments=["read_timeout_s"]) from exc
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
        raise _translated(exc, target) from exc


def _translated(exc: Exception, target: Target) -> SseError:
    for foreign, translate in _TRANSLATIONS:
        if isinstance(exc, foreign):
            return translate(exc, target)
    return ConnectionLostError(f"the connection broke: {_reason(exc)}")


def _connect_error(exc: Exception, target: Target) -> SseError:
    """Look for the cause that says most; httpx itself says "All connection attempts failed" at best."""
    peer = target.peer
    for cause in _causes(exc):
        if isinstance(cause, socket.gaierror):
            return NameNotResolvedError(f"the host name of {peer} has no address: check its spelling")
        # A connection that is refused is not reset: this one was had, and cut in the handshake.
        if isinstance(cause, ssl.SSLError | ConnectionResetError | BrokenPipeError):
            return tls_error(cause, answering_peer(target))
        if isinstance(cause, OSError):
            if cause.errno == errno.ECONNREFUSED:
                what = "the server" if target.proxy is None else "it"
                where = "" if target.unix_socket else ", and is this its port"
                return ConnectionRefusedByTargetError(f"nothing listens on {peer}: is {what} running{where}?")
            if cause.errno in (errno.EMFILE, errno.ENFILE):
                return LimitError("this process has too many open files: raise `ulimit -n`")
    attempts = [str(cause) for cause in _causes(exc) if isinstance(cause, OSError) and cause.__cause__ is None]
    # asyncio has no code for it, only words.
    if attempts and all("no matching local address" in words for words in attempts):
        return UsageError(
            f"{peer} and `source_address` are not of one kind: IPv4 and IPv6 do not mix", arguments=["source_address"]
        )
    return ConnectError(f"cannot connect to {peer}: {_reason(exc)}")


def _protocol_error(exc: Exception, target: Target) -> SseError:
    peer = answering_peer(target)
    # httpcore and h11 have one class for "not HTTP" and for "cut short"; only their words tell them apart.
    if "disconnected without sending a response" in str(exc):
        return ConnectionLostError(f"{peer} closed the connection before it answered{tls_hint(target)}")
    if "peer closed connection" in str(exc):
        return ConnectionLostError("the connection was cut in the middle of the response")
    if "_SWITCH_UPGRADE" in str(exc):
        return InvalidResponseError(f"{peer} {SWITCHED_PROTOCOL}")
    return InvalidResponseError(f"the answer of {peer} is not valid HTTP/1.1: {_reason(exc)}")


def _through(target: Target) -> str:
    return f"{answering_peer(target)} through {target.proxy}" if target.is_tunnelled else target.peer


# Looked through in this order: a subclass stands before its base.
_TRANSLATIONS: tuple[tuple[type[Exception], Callable[[Exception, Target], SseError]], ...] = (
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
    (httpx.LocalProtocolError, lambda exc, _: UsageError(f"this cannot be sent as HTTP/1.1: {_reason(exc)}")),
    (httpx.InvalidURL, lambda exc, _: UsageError(f"this is not a URL: {_reason(exc)}")),
    # Only a client of the caller has a pool that can be full, and proxies.
    (
        httpx.PoolTimeout,
        lambda _, target: ConnectTimeoutError(
            f"no connection of the client was free for {target.peer} in time: raise its limits or its pool timeout"
        ),
    ),
    (httpx.ProxyError, lambda exc, target: ConnectError(f"no way to {target.peer} by the proxy: {_reason(exc)}")),
    # After our half of the handshake: that is when, in TLS 1.3, a server misses our certificate.
    (ssl.SSLError, lambda exc, target: tls_error(exc, answering_peer(target))),
)


def _reason(exc: Exception) -> str:
    """Return the words of the innermost cause that has any."""
    for cause in reversed(list(_causes(exc))):
        words = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        if words:
            words = redacted_text(_BYTEARRAY.sub(r"\1", words))
            return (words if words[:2].isupper() else words[:1].lower() + words[1:])[:MAX_REASON_CHARS]
    return "it was reset by the other side"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what led to it: causes, and the members of groups (one per address tried)."""
    yield exc
    if isinstance(exc, BaseExceptionGroup):
        for member in exc.exceptions:
            yield from _causes(member)
    elif exc.__cause__ is not None:
        yield from _causes(exc.__cause__)
    elif exc.__context__ is not None:
        yield from _causes(exc.__context__)

"""All errors of this package, in one tree.

Each class has a stable ``kind``. Counters and the JSON report use the kind, never the message text. ``exit_code`` is
the exit code of a command that the error ends.

A message says what happened, with the values, and then how to fix it. It names arguments of the library in backticks
and never an option of the command line: ``cli/advice.py`` replaces each argument in ``arguments`` by its option, and
adds advice by ``code``.

Of this package, this module imports the exit codes only; every other module may import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Self

from sseclient_cli.exit_codes import EXIT_INCOMPLETE, EXIT_NO_USABLE_STREAM


class SseError(Exception):
    """Base class of all errors that this package raises on purpose.

    ``code`` is a stable name of the cause where a kind has several, else empty. ``arguments`` are the arguments
    that the error is about, and ``values`` holds other values for the advice on this code.
    """

    kind: str = "error"
    exit_code: ClassVar[int] = EXIT_NO_USABLE_STREAM

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        arguments: Iterable[str] = (),
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.arguments = tuple(arguments)
        self.values = dict(values or {})


class UsageError(SseError):
    """An argument is invalid: a URL, a header, or a combination of options."""

    kind = "usage"
    exit_code = 2


class LimitError(SseError):
    """A resource limit of this machine is too low for the request: open files, ports, memory."""

    kind = "limit"
    exit_code = 2


class MemoryLimitError(LimitError):
    """The unfinished events of all streams together exceed their memory limit."""

    kind = "memory-limit"


class ClusterError(SseError):
    """The cluster cannot run the load: no scheduler answers, or its machines differ."""

    kind = "cluster"
    exit_code = 2


class ConnectError(SseError):
    """The connection failed for a reason without a class of its own."""

    kind = "connect-failed"


class NameNotResolvedError(ConnectError):
    """The host name has no address."""

    kind = "dns"


class ConnectionRefusedByTargetError(ConnectError):
    """Nothing listens on that port."""

    kind = "connect-refused"


class ConnectTimeoutError(ConnectError):
    """The connection was not established within the connect timeout."""

    kind = "connect-timeout"


class TlsError(ConnectError):
    """The TLS handshake failed: an untrusted or expired certificate, a wrong name, or no TLS at all."""

    kind = "tls"


class ProxyError(ConnectError):
    """The proxy did not open a connection to the server: it refused to, or did not answer like a proxy."""

    kind = "proxy"


class ConnectionLostError(SseError):
    """An open connection broke: reset, or cut in the middle of a response."""

    kind = "connection-lost"


class ReadTimeoutError(ConnectionLostError):
    """No bytes arrived within the read timeout."""

    kind = "read-timeout"


class Http2Error(ConnectionLostError):
    """HTTP/2 cannot be used, or ended a stream or its connection (RFC 9113)."""

    kind = "http2"


class Http2NotOfferedError(Http2Error):
    """The server does not speak HTTP/2: it did not choose it in the TLS handshake, or answered with HTTP/1.1."""

    kind = "http2-not-offered"


class Http2ResetError(Http2Error):
    """The server reset a stream. ``kind`` is ``http2-reset-`` plus the code: ``http2-reset-refused-stream``."""

    kind = "http2-reset-refused-stream"

    def __init__(self, message: str = "", reason: str = "REFUSED_STREAM", **options: Any) -> None:
        super().__init__(message, **options)
        self.reason = reason
        self.kind = f"http2-reset-{reason.lower().replace('_', '-')}"


class Http2GoawayError(Http2Error):
    """The server closes the connection (GOAWAY), and has not processed this stream or reports an error."""

    kind = "http2-goaway"
    may_repeat = False
    """Whether the server closes the connection without an error, and has not processed the request (RFC 9113 6.8)."""


class Http2ProtocolError(Http2Error):
    """The server violated HTTP/2."""

    kind = "http2-protocol"


class UnansweredError(SseError):
    """No response head arrived in time: within ``head_timeout_s``, or before the end of the stream's lifetime."""

    kind = "unanswered"


class InvalidResponseError(SseError):
    """The response is not valid HTTP/1.1 (RFC 9112)."""

    kind = "invalid-response"


class UnexpectedResponseError(SseError):
    """A complete HTTP response that is not an event stream (WHATWG HTML 9.2.3: "fail the connection").

    ``status`` and ``headers`` belong to the response; header names are lower case. ``body`` is the start of its body,
    at most 4 KiB.
    """

    kind = "unexpected-response"

    def __init__(
        self, message: str, *, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", code: str = ""
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.body = body
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers or {}))

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[object, ...], dict[str, object]]:
        """Support copy and pickle: Exception does not pass on the keyword arguments of ``__init__``."""
        rest = {name: value for name, value in vars(self).items() if name != "headers"}  # notes, for example
        return partial(type(self), status=self.status, headers=dict(self.headers)), self.args, rest


class BadStatusError(UnexpectedResponseError):
    """The status is not 200. ``kind`` is ``http-`` plus the status: ``http-404``."""

    def __init__(
        self, message: str, *, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", code: str = ""
    ) -> None:
        super().__init__(message, status=status, headers=headers, body=body, code=code)
        self.kind = f"http-{status}"


class WrongContentTypeError(UnexpectedResponseError):
    """The status is 200, but the content type is not text/event-stream."""

    kind = "content-type"


class WebSocketClosedError(SseError):
    """The server closed the WebSocket with a code for an error. ``kind`` is ``ws-`` plus the code: ``ws-1011``."""

    kind = "ws-1011"

    def __init__(self, message: str = "", close_code: int = 1011, **options: Any) -> None:
        super().__init__(message, **options)
        self.close_code = close_code
        self.kind = f"ws-{close_code}"


class RpcError(SseError):
    """The server answered a request with a JSON-RPC error. ``rpc_code`` is its code.

    ``kind`` is ``rpc`` plus the code, ``rpc-32601``, if JSON-RPC 2.0 (5.1) reserves it: else ``rpc-error``. A server
    could send another code with each answer.
    """

    kind = "rpc-error"

    def __init__(self, message: str = "", rpc_code: int = 0, **options: Any) -> None:
        super().__init__(message, **options)
        self.rpc_code = rpc_code
        if -32768 <= rpc_code <= -32000:
            self.kind = f"rpc{rpc_code}"


class ToolError(SseError):
    """The result of an MCP tool is an error (``isError``)."""

    kind = "tool-error"


class NoResultError(SseError):
    """The response to a JSON-RPC request has no final result: it ended before, or the server asks for input."""

    kind = "no-result"


class SessionGoneError(SseError):
    """The server does not know the MCP session of the request (any more)."""

    kind = "mcp-session"


class PublishCommandError(SseError):
    """The command that publishes the events of a run ended early, or does not read its input."""

    kind = "publish-command"


class EventTooLargeError(SseError):
    """An event exceeded ``max_event_bytes`` before its blank line arrived."""

    kind = "event-too-large"


class AnswerError(SseError):
    """The stream of an answer reports an error in one of its events; the response itself had status 200."""

    kind = "answer-error"


class IncompleteAnswerError(SseError):
    """The response ended properly, but has no complete answer of a known API."""

    kind = "answer-incomplete"


class InternalError(SseError):
    """A bug of this package, in the measurement of one of many streams. The other streams continue."""

    kind = "internal"


class OutputError(SseError):
    """A result could not be put into the form of a file. The other files are written."""

    kind = "output"
    exit_code = 2


class WorkerLostError(SseError):
    """A worker process ended without a report: it was killed, crashed, or hung until its timeout."""

    kind = "worker-lost"
    exit_code = EXIT_INCOMPLETE


class HostLostError(SseError):
    """A machine of a cluster did not answer any more, or the cluster's own program on it ended."""

    kind = "host-lost"
    exit_code = EXIT_INCOMPLETE

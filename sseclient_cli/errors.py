"""Every error of this package, in one tree.

Each class has a stable ``kind``: counters and the JSON report use it, never the message text. ``exit_code`` is the exit
code of a command that the error ends.

A message says what happened, with the values, and then how to fix it. It names arguments of the library in backticks
and never an option of the command line: ``cli/advice.py`` puts the option in place of each argument in ``arguments``,
and adds advice by ``code``.

This file imports nothing of ours; every other module may import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import ClassVar, Self

EXIT_UNMET = 1
"""What ``sse watch`` ends with when what it was told to wait for did not come, or an error event did."""

EXIT_NO_USABLE_STREAM = 3
"""What ``sse bench`` ends with when no stream opened, or errors ended all of them before any event."""

EXIT_SATURATED = 4
"""What ``sse bench --strict`` ends with when the generator, not the server, set the pace of the run."""

EXIT_INCOMPLETE = 5
"""What ``sse bench`` ends with when a worker was lost, and with it a part of the report."""

EXIT_FAILED_STREAMS = 6
"""What ``sse bench`` ends with when more streams failed, or were broken by an error, than ``--strict`` or
``--max-failed`` allow, or when an error event came with ``--fail-on-error-event``."""

EXIT_INTERRUPTED = 130
"""What a command ends with after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


class SseError(Exception):
    """Base of every error that this package raises on purpose.

    ``code`` is a stable name of the cause where a kind has several, else empty. ``arguments`` are the arguments
    that the error is about, and ``values`` what the advice on this code needs besides.
    """

    kind: str = "error"
    exit_code: ClassVar[int] = 3

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
    """The request makes no sense as given: a bad URL, header, or combination of options."""

    kind = "usage"
    exit_code = 2


class LimitError(SseError):
    """This machine cannot hold what was asked for: open files, ports, memory."""

    kind = "limit"
    exit_code = 2


class MemoryLimitError(LimitError):
    """The unfinished events of all streams together need more memory than is set aside for them."""

    kind = "memory-limit"


class ConnectError(SseError):
    """No connection could be had, and no more specific reason is known."""

    kind = "connect-failed"


class NameNotResolvedError(ConnectError):
    """The host name has no address."""

    kind = "dns"


class ConnectionRefusedByTargetError(ConnectError):
    """Nothing listens on that port."""

    kind = "connect-refused"


class ConnectTimeoutError(ConnectError):
    """No connection within the time allowed for it."""

    kind = "connect-timeout"


class TlsError(ConnectError):
    """The TLS handshake failed: an untrusted or expired certificate, a wrong name, or no TLS at all."""

    kind = "tls"


class ProxyError(ConnectError):
    """The HTTP proxy did not connect us to the server: it refused that, or did not answer as a proxy does."""

    kind = "proxy"


class ConnectionLostError(SseError):
    """An open connection broke: reset, or cut in the middle of a response."""

    kind = "connection-lost"


class ReadTimeoutError(ConnectionLostError):
    """Nothing arrived for longer than the caller allows."""

    kind = "read-timeout"


class UnansweredError(SseError):
    """No response head came in time: within ``head_timeout_s``, or before the stream's lifetime was over."""

    kind = "unanswered"


class InvalidResponseError(SseError):
    """The peer does not speak HTTP as RFC 9112 says."""

    kind = "invalid-response"


class UnexpectedResponseError(SseError):
    """A complete HTTP response that is not an event stream (WHATWG HTML 9.2.3: "fail the connection").

    ``status`` and ``headers`` are those of the response; header names are lower case. ``body`` is the beginning of its
    body, at most 4 KiB, as far as it had come.
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
        """Copy and pickle with what Exception does not know of: the keywords of ``__init__``."""
        rest = {name: value for name, value in vars(self).items() if name != "headers"}  # notes, for example
        return partial(type(self), status=self.status, headers=dict(self.headers)), self.args, rest


class BadStatusError(UnexpectedResponseError):
    """The status is not 200. ``kind`` is ``http-`` and the status: ``http-404``."""

    def __init__(
        self, message: str, *, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", code: str = ""
    ) -> None:
        super().__init__(message, status=status, headers=headers, body=body, code=code)
        self.kind = f"http-{status}"


class WrongContentTypeError(UnexpectedResponseError):
    """The status is 200, but the content type is not text/event-stream."""

    kind = "content-type"


class EventTooLargeError(SseError):
    """An event grew beyond ``max_event_bytes`` before its blank line came."""

    kind = "event-too-large"


class InternalError(SseError):
    """A bug of this package, met while it measured one of many streams: the others go on."""

    kind = "internal"


class WorkerLostError(SseError):
    """A worker process ended without its report: killed, crashed, or hung and given up."""

    kind = "worker-lost"
    exit_code = EXIT_INCOMPLETE

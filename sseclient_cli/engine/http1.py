"""Sans-I/O HTTP/1.1 for measured streams: builds request bytes, parses the response with httptools (llhttp).

This module does not use sockets or clocks, and does not interpret the body.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import httptools

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.request.proxied import absolute_form
from sseclient_cli.request.target import Target
from sseclient_cli.sse.response_head import MAX_HEAD_BYTES, SWITCHED_PROTOCOL, HeadMender, other_protocol
from sseclient_cli.sse.websocket_handshake import SWITCHING_PROTOCOLS

# h11, and so `sse watch` and the preflight, accept these responses. A stream must not fail on a response that passed
# the preflight. llhttp calls these options dangerous because they allow request smuggling on a reused connection. This
# client does not reuse connections.
_LENIENCIES = {
    "lenient_keep_alive": True,  # parse the response after an interim response with "Connection: close"
    "lenient_chunked_length": True,  # RFC 9112 6.3: "the Transfer-Encoding overrides the Content-Length"
    "lenient_optional_cr_before_lf": True,  # RFC 9112 2.2: "MAY recognize a single LF as a line terminator"
    "lenient_spaces_after_chunk_size": True,  # RFC 9112 7.1.1: "BWS" before an extension
}


def request_bytes(target: Target) -> bytes:
    """Return the whole request, head and body (RFC 9112 3)."""
    url = target.parsed_url
    headers = target.stream_headers()
    names = {name.lower() for name, _ in headers}
    proxy = None if target.is_tunnelled else target.proxy
    request_target = url.raw_path if proxy is None else absolute_form(url)
    if proxy is not None and proxy.authorization is not None and "proxy-authorization" not in names:
        headers.append(("Proxy-Authorization", proxy.authorization))
    lines = [target.method.encode() + b" " + request_target + b" HTTP/1.1"]
    lines += [f"{name}: {value}".encode() for name, value in headers]
    # RFC 9110 8.6: a method that anticipates content sends Content-Length even for an empty body.
    has_body = target.body is not None or target.method in ("POST", "PUT", "PATCH")
    if has_body and "content-length" not in names:
        lines.append(b"Content-Length: %d" % len(target.body or b""))
    return b"\r\n".join([*lines, b"", target.body or b""])


class ResponseReader:
    """Parses one response from bytes in pieces of any size.

    Interim responses (1xx) are skipped (RFC 9110 15.2). Data after the end of the message is ignored, because
    connections are not reused; only with ``accepts_switch``, a response may switch to another protocol. Header names
    are lower case. The values of a repeated header are joined by commas (RFC 9110 5.3). A reader must be created and
    fed in the same thread.
    """

    __slots__ = (
        "_accepts_switch", "_body", "_callbacks", "_head", "_head_bytes", "_mender", "_parse_error", "_parser",
        "_pending", "complete", "ends_with_connection", "error", "headers", "status",
    )  # fmt: skip

    def __init__(self, *, accepts_switch: bool = False) -> None:
        self._accepts_switch = accepts_switch
        self._callbacks = callbacks = _THREAD.callbacks
        self._body = callbacks.body
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(callbacks)
        self._parser.set_dangerous_leniencies(**_LENIENCIES)
        self._head_bytes = 0
        self._pending: dict[str, str] | None = {}
        # All heads so far, to repair and parse them again if llhttp rejects one; None after the final head.
        self._head: bytearray | None = bytearray()
        # Set while rejected heads are repaired, until the final head is complete.
        self._mender: HeadMender | None = None
        self._parse_error: InvalidResponseError | None = None
        self.status = 0
        """The final status; 0 until the head is complete."""
        self.headers: dict[str, str] | None = None
        """The headers, once the head is complete. The caller may reset this to None to free them: they are most of the
        memory of a reader."""
        self.ends_with_connection = False
        """Whether the body ends properly when the connection closes (RFC 9112 6.3, point 8)."""
        self.complete = False
        """Whether the message is complete by its own framing (not because the connection closed)."""
        self.error: InvalidResponseError | None = None
        """The error that stopped parsing. Body bytes that ``feed`` has returned are valid."""

    def feed(self, data: bytes) -> bytes:
        """Parse bytes from the connection and return the body bytes. The caller must check ``error`` afterwards."""
        parser = self._parser
        if parser is None:
            if self._mender is not None:
                return self._mend(self._mender, data)
            return data if self.ends_with_connection or self.is_switched else b""
        if not self.status:
            return self._feed_head(parser, data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._end(exc)
        body = self._body
        if not body:
            # Trailers, or chunk extensions. Limit their size: an endless one would be buffered without limit.
            self._head_bytes += len(data)
            self._limit_head()
            return b""
        self._head_bytes = 0
        return body.pop() if len(body) == 1 else self._take_body()

    @property
    def is_switched(self) -> bool:
        """Whether the server has switched to another protocol. ``feed`` then returns all bytes after the head."""
        return self.status == SWITCHING_PROTOCOLS

    def _feed_head(self, parser: httptools.HttpResponseParser, data: bytes) -> bytes:
        self._callbacks.reader = self
        if self._head is not None:
            self._head += data
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as exc:
            self._parser = None
            self._body.append(data[exc.args[0] :])
        except httptools.HttpParserError as exc:
            self._end(exc)
        self._callbacks.reader = None
        if self.error is not None and not self.status and self._head is not None:
            return self._begin_to_mend(self.error, bytes(self._head))
        self._take_head(len(data))
        if self._body:
            self._head_bytes = 0
        return self._take_body()

    def _take_body(self) -> bytes:
        whole = b"".join(self._body)
        self._body.clear()
        return whole

    def _end(self, cause: httptools.HttpParserError) -> None:
        """Handle the exception that stopped parsing: the end of the message (see ``_Callbacks``), or an error."""
        self._parser = None
        reason = cause.__context__
        if isinstance(reason, _EndOfMessageError):
            self.complete = True
        elif isinstance(reason, InvalidResponseError):
            self.error = reason.with_traceback(None)  # the traceback refers to this object: a reference cycle
        else:
            words = other_protocol(bytes(self._head or b"")) or str(cause)
            self.error = InvalidResponseError(f"the answer is not valid HTTP/1.1: {words}")

    def _begin_to_mend(self, error: InvalidResponseError, heads: bytes) -> bytes:
        """Start to repair the heads. The error becomes final if the complete heads contain nothing to repair."""
        self._callbacks.body.clear()
        self._head, self.error, self._parse_error = None, None, error
        self._mender, self._pending = HeadMender(), {}
        return self._mend(self._mender, heads)

    def _mend(self, mender: HeadMender, data: bytes) -> bytes:
        """Buffer heads until the final one is complete, then parse the repaired heads."""
        self._head = self._head or bytearray()
        self._head += mender.feed(data)
        if not mender.is_done:
            return b""
        heads, self._head, self._mender = bytes(self._head), None, None
        if not mender.has_changed:
            self.error = self._parse_error
            return b""
        self._parser = httptools.HttpResponseParser(self._callbacks)
        self._parser.set_dangerous_leniencies(**_LENIENCIES)
        return self.feed(heads)

    def _take_head(self, size: int) -> None:
        """Determine the framing of the body when the head is complete, and limit the size of the head."""
        self._head_bytes += size
        if self.error is not None:
            return
        if self.headers is None:
            self._limit_head()
        elif self.is_switched:
            self._parser = None
        elif not self.complete and "transfer-encoding" not in self.headers and "content-length" not in self.headers:
            # All further data is body, which llhttp would return unchanged.
            self._parser = None
            self.ends_with_connection = True

    def _limit_head(self) -> None:
        if self._head_bytes > MAX_HEAD_BYTES and self.error is None and not self.complete:
            self.error = InvalidResponseError(f"the head of the answer is larger than {MAX_HEAD_BYTES:,} bytes")
            self._parser = None

    # Called while the head is parsed.

    def take_header(self, name: bytes, value: bytes) -> None:
        """Store a header. Trailers are ignored."""
        pending = self._pending
        if pending is not None:
            key, text = _lowered(name), value.decode("latin-1").rstrip(" \t")
            pending[key] = f"{pending[key]}, {text}" if key in pending else text

    def take_headers_complete(self) -> None:
        """Store status and headers of the final response, or raise InvalidResponseError."""
        parser = self._parser
        status = parser.get_status_code() if parser is not None else 0
        if status == SWITCHING_PROTOCOLS and self._accepts_switch:
            self.status, self.headers, self._pending, self._head = status, self._pending, None, None
            return
        if status == SWITCHING_PROTOCOLS:
            raise InvalidResponseError(f"the server {SWITCHED_PROTOCOL}")
        if status < 100:
            raise InvalidResponseError(f"the answer has the status {status:03}")
        if status < 200 or parser is None:
            self._pending = {}
            return
        coding = (self._pending or {}).get("transfer-encoding", "chunked")
        if coding.lower() != "chunked":
            # RFC 9112 7.4: a server sends other transfer codings only to clients that request them with TE. Raise here,
            # before the body, which cannot be decoded.
            raise InvalidResponseError(f"the body has the Transfer-Encoding {coding[:100]!a}, which was not requested")
        self.status, self.headers, self._pending, self._head = status, self._pending, None, None
        # In a chunked body this leniency would accept a chunk that is one byte shorter than its size.
        parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=False)


class _Callbacks:
    """The callbacks of httptools, shared by all readers of a thread: ``feed`` empties ``body`` before it returns.

    One object per reader would take a third of the memory of a stream and form a reference cycle with its reader, which
    only the garbage collector can free. An exception from a callback is the context of the HttpParserError that
    ``feed_data`` then raises.
    """

    def __init__(self) -> None:
        self.reader: ResponseReader | None = None
        """The reader whose head is parsed; None while a body is parsed."""
        self.body: list[bytes] = []
        # Bind the methods once, or each parser would hold its own bound methods. The body callback is ``list.append``:
        # the call of a Python function would take longer than the rest of ``feed``.
        self.on_body = self.body.append
        self.on_header = self._header
        self.on_headers_complete = self._headers_complete
        self.on_message_complete = self._message_complete

    def _header(self, name: bytes, value: bytes) -> None:
        if self.reader is not None:
            self.reader.take_header(name, value)

    def _headers_complete(self) -> None:
        if self.reader is not None:
            self.reader.take_headers_complete()

    def _message_complete(self) -> None:
        """Stop parsing after the final response: llhttp would expect another response."""
        if self.reader is None or (self.reader.status and not self.reader.is_switched):
            raise _EndOfMessageError


class _EndOfMessageError(Exception):
    """The response is complete by its own framing."""


class _Thread(threading.local):
    def __init__(self) -> None:
        self.callbacks = _Callbacks()


_THREAD = _Thread()


@lru_cache(maxsize=256)
def _lowered(name: bytes) -> str:
    """Return a header name in lower case. The cache lets thousands of streams share the same few strings."""
    return name.decode("latin-1").lower()

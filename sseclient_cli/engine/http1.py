"""HTTP/1.1 for a stream that is measured: request bytes out, response head and body in. Sans-I/O, around httptools.

What this file must not know: sockets, clocks, and what a body means.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import httptools

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.request.proxied import absolute_form
from sseclient_cli.request.target import Target
from sseclient_cli.sse.response_head import MAX_HEAD_BYTES, SWITCHED_PROTOCOL, HeadMender, other_protocol

# What h11 takes, and so `sse watch` and the preflight: a stream must not fail in the run for what passed before it.
# llhttp calls them dangerous because of what one connection may smuggle past a proxy; here no connection is used twice.
_LENIENCIES = {
    "lenient_keep_alive": True,  # what is behind an interim response counts, even if that says "Connection: close"
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
    asked = url.raw_path if proxy is None else absolute_form(url)
    if proxy is not None and proxy.authorization is not None and "proxy-authorization" not in names:
        headers.append(("Proxy-Authorization", proxy.authorization))
    lines = [target.method.encode() + b" " + asked + b" HTTP/1.1"]
    lines += [f"{name}: {value}".encode() for name, value in headers]
    # RFC 9110 8.6: a method that means a body says the length of one that is empty.
    has_body = target.body is not None or target.method in ("POST", "PUT", "PATCH")
    if has_body and "content-length" not in names:
        lines.append(b"Content-Length: %d" % len(target.body or b""))
    return b"\r\n".join([*lines, b"", target.body or b""])


class ResponseReader:
    """Reads one response: bytes in any pieces -> ``status``, ``headers``, and its body piece by piece.

    Interim responses (1xx) are skipped (RFC 9110 15.2), and so is what comes behind the end of the message: no
    connection is used twice. Header names are lower case; the values of a repeated header are joined by commas (RFC
    9110 5.3). It is made and fed in one thread.
    """

    __slots__ = (
        "_body", "_callbacks", "_head", "_head_bytes", "_mender", "_parser", "_pending", "_refused_by", "complete",
        "ends_with_connection", "error", "headers", "status",
    )  # fmt: skip

    def __init__(self) -> None:
        self._callbacks = callbacks = _THREAD.callbacks
        self._body = callbacks.body
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(callbacks)
        self._parser.set_dangerous_leniencies(**_LENIENCIES)
        self._head_bytes = 0
        self._pending: dict[str, str] | None = {}
        # All heads so far, to read them once more if llhttp refuses one; None once that cannot be.
        self._head: bytearray | None = bytearray()
        # From llhttp's refusal to the end of the final head.
        self._mender: HeadMender | None = None
        self._refused_by: InvalidResponseError | None = None
        self.status = 0
        """The final status; 0 until the head is complete."""
        self.headers: dict[str, str] | None = None
        """The headers, once the head is complete. Whoever has looked at them may set this to None again: they are most
        of what a stream holds here."""
        self.ends_with_connection = False
        """Whether the end of the connection is this body's proper end (RFC 9112 6.3, point 8)."""
        self.complete = False
        """Whether the message has ended by its own framing (not by the connection's end)."""
        self.error: InvalidResponseError | None = None
        """Why no more of this can be read; what ``feed`` returned until then counts."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the connection and return the body bytes among them; look at ``error`` afterwards."""
        parser = self._parser
        if parser is None:
            if self._mender is not None:
                return self._mend(self._mender, data)
            return data if self.ends_with_connection else b""
        if not self.status:
            return self._feed_head(parser, data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._end(exc)
        body = self._body
        if not body:
            # Trailers, or what stands beside the size of a chunk; without end, it would be kept without end.
            self._head_bytes += len(data)
            self._limit_head()
            return b""
        self._head_bytes = 0
        return body.pop() if len(body) == 1 else self._take_body()

    def _feed_head(self, parser: httptools.HttpResponseParser, data: bytes) -> bytes:
        self._callbacks.reader = self
        if self._head is not None:
            self._head += data
        try:
            parser.feed_data(data)
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
        """Take what ended the parsing: the end of the message (see ``_Callbacks``), or an error."""
        self._parser = None
        reason = cause.__context__
        if isinstance(reason, _EndOfMessageError):
            self.complete = True
        elif isinstance(reason, InvalidResponseError):
            self.error = reason.with_traceback(None)  # which refers to this object
        else:
            words = other_protocol(bytes(self._head or b"")) or str(cause)
            self.error = InvalidResponseError(f"the answer is not valid HTTP/1.1: {words}")

    def _begin_to_mend(self, error: InvalidResponseError, heads: bytes) -> bytes:
        """Take an error for final only when the heads are complete and there is nothing to mend in them."""
        self._callbacks.body.clear()
        self._head, self.error, self._refused_by = None, None, error
        self._mender, self._pending = HeadMender(), {}
        return self._mend(self._mender, heads)

    def _mend(self, mender: HeadMender, data: bytes) -> bytes:
        """Hold heads back until the final one is complete, and have them read as they are mended."""
        self._head = self._head or bytearray()
        self._head += mender.feed(data)
        if not mender.is_done:
            return b""
        heads, self._head, self._mender = bytes(self._head), None, None
        if not mender.has_changed:
            self.error = self._refused_by
            return b""
        self._parser = httptools.HttpResponseParser(self._callbacks)
        self._parser.set_dangerous_leniencies(**_LENIENCIES)
        return self.feed(heads)

    def _take_head(self, size: int) -> None:
        """See how the body is framed, once that is known, and that it is known in time."""
        self._head_bytes += size
        if self.error is not None:
            return
        if self.headers is None:
            self._limit_head()
        elif not self.complete and "transfer-encoding" not in self.headers and "content-length" not in self.headers:
            # All that comes now is body: llhttp would hand it on as it is.
            self._parser = None
            self.ends_with_connection = True

    def _limit_head(self) -> None:
        if self._head_bytes > MAX_HEAD_BYTES and self.error is None and not self.complete:
            self.error = InvalidResponseError(f"the head of the answer is larger than {MAX_HEAD_BYTES:,} bytes")
            self._parser = None

    # Called while the head is read.

    def take_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer says nothing that matters here."""
        pending = self._pending
        if pending is not None:
            key, text = _lowered(name), value.decode("latin-1").rstrip(" \t")
            pending[key] = f"{pending[key]}, {text}" if key in pending else text

    def take_headers_complete(self) -> None:
        """Publish the head of the final response."""
        parser = self._parser
        status = parser.get_status_code() if parser is not None else 0
        if status == 101:
            raise InvalidResponseError(f"the server {SWITCHED_PROTOCOL}")
        if status < 100:
            raise InvalidResponseError(f"the answer has the status {status:03}")
        if status < 200 or parser is None:
            self._pending = {}
            return
        coding = (self._pending or {}).get("transfer-encoding", "chunked")
        if coding.lower() != "chunked":
            # RFC 9112 7.4: other codings are for those who ask for them with TE. It is said here, before the first byte
            # of a body that nobody can read.
            raise InvalidResponseError(f"the body has the Transfer-Encoding {coding[:100]!a}, which is not asked for")
        self.status, self.headers, self._pending, self._head = status, self._pending, None, None
        # In a body it would let chunks pass that are one byte shorter than they say.
        parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=False)


class _Callbacks:
    """What httptools calls: one object for all readers of a thread, as ``feed`` takes what it brings before it returns.

    One per reader would be a third of what a stream holds, and refer to it in a circle: work for the garbage collector.
    What is raised here is the context of the HttpParserError that then ends ``feed_data``.
    """

    def __init__(self) -> None:
        self.reader: ResponseReader | None = None
        """Whose head is being read; None in a body."""
        self.body: list[bytes] = []
        # Bound once, or each parser would hold methods of its own. No function of ours for the body: to call it would
        # take longer than anything else in ``feed``.
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
        """End the parsing with the final response: llhttp would look for a next one."""
        if self.reader is None or self.reader.status:
            raise _EndOfMessageError


class _EndOfMessageError(Exception):
    """The response has ended by its own framing."""


class _Thread(threading.local):
    def __init__(self) -> None:
        self.callbacks = _Callbacks()


_THREAD = _Thread()


@lru_cache(maxsize=256)
def _lowered(name: bytes) -> str:
    """Return a header's name in lower case; thousands of streams have the same few names, and share them."""
    return name.decode("latin-1").lower()

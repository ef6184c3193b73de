"""The checks, each declared once: name, title, meaning, and the fix of a problem."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class Status(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    """It works here, and may fail elsewhere: behind a proxy, in a browser, after a reconnection."""
    FAULT = "fault"
    """Clients lose events, wait for them, or cannot read the stream."""
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class _Said:
    name: str
    title: str
    meaning: str
    fix: str


class Check(Enum):
    """A check; its order is that of the report."""

    REDIRECTS = _Said(
        "redirects",
        "redirects",
        "Clients follow redirects again at each reconnection.",
        "Give clients the final URL, so that each reconnection is one request.",
    )
    CONTENT_TYPE = _Said(
        "content-type",
        "content type",
        "Browsers require text/event-stream, and always decode UTF-8.",
        "Send `Content-Type: text/event-stream` without a charset, or with charset=utf-8.",
    )
    CACHING = _Said(
        "cache-control",
        "caching",
        "A cache that stores the response replays old events, or waits for its end.",
        "Send `Cache-Control: no-store`.",
    )
    PROXY_BUFFERING = _Said(
        "x-accel-buffering",
        "X-Accel-Buffering",
        "nginx holds events back in its buffers, unless the response has `X-Accel-Buffering: no`.",
        "Send `X-Accel-Buffering: no`, so that an nginx in front of the server does not hold events back.",
    )
    HOP_BY_HOP = _Said(
        "hop-by-hop",
        "connection headers",
        "A stream has no Content-Length, and HTTP/2 forbids headers about the connection.",
        "Remove Content-Length and other headers about the connection: the server sets those that it needs.",
    )
    FIRST_FLUSH = _Said(
        "first-flush",
        "first flush",
        "A client is connected once the response head arrives; a late head can exceed the timeout of a proxy.",
        "Send and flush the response head (and a comment) at once, before the first event.",
    )
    BURSTS = _Said(
        "bursts",
        "bursts",
        "A proxy or a server that buffers events delivers them late, several at once.",
        "Flush after each event, and turn off response buffering in proxies (nginx: `proxy_buffering off`).",
    )
    HEARTBEAT = _Said(
        "heartbeat",
        "heartbeat",
        "Proxies close a silent connection: nginx after 60 s by default, others after 30 to 60 s.",
        "Send a comment line (`: ping`) after each 15 to 30 s of silence.",
    )
    RETRY = _Said(
        "retry",
        "retry",
        "The field `retry` sets how long clients wait before they reconnect.",
        "Send one `retry` field of 1,000 to 30,000 ms at the start of the stream.",
    )
    IDS = _Said(
        "ids",
        "event IDs",
        "A client that reconnects sends the ID of its last event, so each event needs an ID of its own.",
        "Give each event an `id` of its own, which never repeats.",
    )
    REPLAY = _Said(
        "replay",
        "replay",
        "A client that reconnects with Last-Event-ID receives each missed event once, in order.",
        "Keep a history of events, and begin after the event that the Last-Event-ID header names.",
    )
    UNKNOWN_ID = _Said(
        "unknown-id",
        "unknown ID",
        "A client may return with an ID that the server has forgotten; an error makes it stop forever.",
        "Open the stream for an unknown Last-Event-ID, too, from the oldest event or with new ones.",
    )
    ENDING = _Said(
        "ending",
        "end of the stream",
        "Browsers reconnect after every end of a stream, unless the answer to that request is status 204.",
        "Answer 204 when a client of a finished stream reconnects, or let it close the stream at a last event.",
    )
    COMPRESSION = _Said(
        "compression",
        "compression",
        "Browsers accept compressed responses; a compressor that is not flushed holds events back.",
        "Do not compress text/event-stream, or flush the compressor after each event.",
    )
    HTTP2 = _Said(
        "http2",
        "HTTP/2",
        "With HTTP/1.1, a browser has 6 connections for all tabs of a host; each stream takes one.",
        "Offer HTTP/2 (ALPN h2), for example in the proxy that terminates TLS.",
    )
    HEAD = _Said(
        "head",
        "HEAD request",
        "Monitors and load balancers send HEAD; it must end at once, without a body.",
        "Answer HEAD with the head of a GET, or with 405, and end the response.",
    )
    CORS = _Said(
        "cors",
        "CORS",
        "A page of another origin reads the stream only with Access-Control-Allow-Origin.",
        "Send exactly one `Access-Control-Allow-Origin` with the origin of the page, and `Vary: Origin`.",
    )
    PREFLIGHT = _Said(
        "preflight",
        "CORS preflight",
        "Clients that use fetch() ask with OPTIONS before they send Last-Event-ID to another origin.",
        "Answer OPTIONS with 204 and `Access-Control-Allow-Headers: Last-Event-ID` (and the other headers in use).",
    )
    UTF_8 = _Said(
        "utf-8",
        "UTF-8",
        "An event stream is UTF-8; other bytes become U+FFFD.",
        "Encode the stream as UTF-8, without a byte order mark.",
    )
    LINE_ENDS = _Said(
        "line-ends",
        "line ends",
        "LF, CRLF and CR end a line; clients that follow the standard less closely know only LF.",
        "End all lines with LF.",
    )
    FIELDS = _Said(
        "fields",
        "fields",
        "Clients ignore a line whose field is not exactly data, event, id or retry, and invalid values.",
        "Write fields in lower case at the start of the line, as `data: text`.",
    )
    LAST_EVENT = _Said(
        "last-event",
        "last event",
        "A client discards an event that no blank line ends.",
        "Write a blank line after each event, the last one included.",
    )
    EVENT_SIZE = _Said(
        "event-size",
        "event size",
        "Many clients and proxies limit an event to 64 KiB to 1 MiB.",
        "Send large content by reference: an ID or a URL in the event.",
    )
    ERROR_EVENTS = _Said(
        "error-events",
        "error events",
        "After status 200, a server reports an error as an event of type `error` or with `error` in its JSON.",
        "Find the error in the server's log; `sse watch` shows the event.",
    )

    @property
    def said(self) -> _Said:
        """Name, title, meaning and fix."""
        return self.value

    def ok(self, seen: str) -> Result:
        """Return the result without a problem."""
        return Result(self, Status.OK, seen)

    def warning(self, seen: str, fix: str = "") -> Result:
        """Return a warning. ``fix`` replaces the fix of the check."""
        return Result(self, Status.WARNING, seen, fix or self.said.fix)

    def fault(self, seen: str, fix: str = "") -> Result:
        """Return a fault. ``fix`` replaces the fix of the check."""
        return Result(self, Status.FAULT, seen, fix or self.said.fix)

    def not_checked(self, reason: str, fix: str = "") -> Result:
        """Return why it was not checked. ``fix`` says how to check it."""
        return Result(self, Status.NOT_CHECKED, reason, fix)


@dataclass(frozen=True, slots=True)
class Result:
    """The observation of a check. ``fix`` is empty if there is nothing to fix."""

    check: Check
    status: Status
    seen: str
    fix: str = ""

"""Outcome of a connection -> how long to wait and which Last-Event-ID to send, or stop and why.

WHATWG HTML 9.2.2 and 9.2.3:
https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model

The rules. The end of a stream and every network error reconnect after the reconnection time; a response that
is not 200 with text/event-stream fails for good, and 204 is the server's way to ask for that. The
specification allows a client to wait longer ("Optionally, wait some more"); two things here use that:

* attempts that fail one after the other back off exponentially, with jitter, so that many clients of a server
  that is down do not come back in step;
* ``retry: 0`` is honoured after a connection that brought something (a long poll), but is no busy loop.

What a command-line tool needs more is off by default: statuses that are waited out (``retry_statuses``) instead of
being final, with the server's Retry-After.

This file must not know of clocks, randomness, sockets, or any HTTP library: the random number is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum

from sseclient_cli.errors import (
    BadStatusError,
    ConnectError,
    ConnectionLostError,
    InvalidResponseError,
    LimitError,
    SseError,
    UnansweredError,
    UsageError,
)
from sseclient_cli.sse.event_stream import EventStreamParser

DEFAULT_RECONNECTION_TIME_MS = 3_000
"""The specification says "probably in the region of a few seconds"; Chromium, WebKit and undici wait 3 s."""

MAX_BACKOFF_MS = 30_000
"""LaunchDarkly's SDKs, which back off the same way, stop growing here."""

MAX_RECONNECTION_TIME_MS = 24 * 60 * 60 * 1000
"""A ``retry`` may have any number of digits; no timer has."""

MIN_BACKOFF_MS = 100
"""The least wait after a connection that brought nothing: what keeps ``retry: 0`` from being a busy loop."""

JITTER = 0.5
"""The share of a backed-off wait that is random."""

# The values of a list of them: a comma inside of quotes separates nothing (Fetch 2.2.2 "get, decode, and split").
_VALUE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+\\?(?:"|$))++', re.DOTALL)
# MIME Sniffing 4.4: type and subtype consist of token code points (RFC 9110 5.6.2).
_MIME_TYPE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class StopReason(Enum):
    """Why no further connection is made."""

    NO_CONTENT = "the server ended the stream for good (status 204)"
    BAD_STATUS = "the status is not 200"
    WRONG_CONTENT_TYPE = "the content type is not text/event-stream"


def refusal_of(status: int, content_type: str | None, *, any_type: bool = False) -> StopReason | None:
    """Say why a response is no event stream; None when it is one (9.2.3), or with ``any_type`` may be read as one.

    Only the essence of the content type counts, in any case: parameters (and a lone trailing semicolon) are
    ignored, and the stream is UTF-8 whatever its charset says. Values of several headers are joined by commas.
    """
    if status == 204:
        return StopReason.NO_CONTENT
    if status != 200:
        return StopReason.BAD_STATUS
    return None if any_type or _essence(content_type or "") == "text/event-stream" else StopReason.WRONG_CONTENT_TYPE


def _essence(content_type: str) -> str:
    """Extract a MIME type (Fetch 3.5.1): of several values the last valid one counts; empty if there is none."""
    essence = ""
    for value in _VALUE.findall(content_type):
        found = value.partition(";")[0].strip(" \t\r\n").lower()
        # "If temporaryMimeType is failure or its essence is "*/*", then continue."
        if _MIME_TYPE.fullmatch(found) and found != "*/*":
            essence = found
    return essence


def last_event_id_header(last_event_id: str) -> bytes | None:
    """Encode an event ID as the value of a Last-Event-ID header; None when there is nothing that can be sent.

    "If es's last event ID string is not the empty string", its UTF-8 bytes are the value (9.2.3). HTTP strips
    spaces around a value (RFC 9110 5.5) and has no place for control characters other than the tab.
    """
    value = last_event_id.strip(" \t").encode("utf-8", "replace")
    sendable = all((byte >= 0x20 and byte != 0x7F) or byte == 0x09 for byte in value)
    return value if value and sendable else None


# What Fetch calls a network error, and a lack of resources that may be over at the next attempt.
_PASSING_ERRORS = (ConnectError, ConnectionLostError, InvalidResponseError, LimitError, UnansweredError)


def retry_after_ms(headers: Mapping[str, str]) -> int:
    """Return the wait that a response asks for with Retry-After (RFC 9110 10.2.3); 0 when it names none.

    A date counts from the response's own Date, so that nobody's clock but the server's is needed; without one it names
    none.
    """
    from email.utils import parsedate_to_datetime  # loads much of the library, and is seldom needed

    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value.lstrip("0")[:9] or "0") * 1000, MAX_RECONNECTION_TIME_MS)
    try:
        wait_s = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
        return 0
    return min(max(round(wait_s * 1000), 0), MAX_RECONNECTION_TIME_MS)


class Reconnection:
    """Decides what follows a connection: one object for the life of a stream, over all its connections.

    ``last_event_id`` is what the next connection goes on after. A response with one of ``retry_statuses`` does not end
    the stream for good: 400 to 599, or UsageError, because any other one is the server's word.
    """

    __slots__ = ("_failures", "_max_backoff_ms", "_reconnection_time_ms", "_retry_statuses", "last_event_id")

    def __init__(
        self,
        last_event_id: str = "",
        retry_statuses: Collection[int] = (),
        reconnection_time_ms: int = DEFAULT_RECONNECTION_TIME_MS,
        max_backoff_ms: int = MAX_BACKOFF_MS,
    ) -> None:
        self.last_event_id = last_event_id
        self._max_backoff_ms = max_backoff_ms
        self._failures = 0
        self._reconnection_time_ms = min(reconnection_time_ms, MAX_RECONNECTION_TIME_MS)
        """What ``retry`` last said, over all connections, but at most 24 h."""
        self._retry_statuses = frozenset(retry_statuses)
        if not all(status in range(400, 600) for status in self._retry_statuses):
            raise UsageError("statuses to retry are numbers from 400 to 599: any other answer is meant as it is")

    @property
    def reconnection_time_ms(self) -> int:
        """The wait after a connection that ended: what ``retry`` last said."""
        return self._reconnection_time_ms

    @property
    def header(self) -> bytes | None:
        """The Last-Event-ID of a connection made now."""
        return last_event_id_header(self.last_event_id)

    def connection_opened(self) -> None:
        """Note that the head of an event stream has arrived: failures before it no longer count."""
        self._failures = 0

    def remember(self, parser: EventStreamParser) -> None:
        """Take over what the stream has said so far: its last event ID, and the reconnection time if it named one."""
        self.last_event_id = parser.last_event_id
        if parser.reconnection_time_ms is not None:
            self._reconnection_time_ms = min(parser.reconnection_time_ms, MAX_RECONNECTION_TIME_MS)

    def delay_ms(self, error: SseError | None, *, opened: bool, delivered: bool, random: float) -> int | None:
        """Return the wait before the next connection; None if there is none: the stream is over for good.

        ``error`` is what ended the connection, None for the proper end of the response. ``opened``: it was an event
        stream; ``delivered``: it brought an event. ``random`` is from 0 to 1.
        """
        if isinstance(error, BadStatusError) and error.status in self._retry_statuses:
            return max(self._delay_ms_after_failure(random), retry_after_ms(error.headers))
        if error is not None and not isinstance(error, _PASSING_ERRORS):
            return None
        if opened:
            return max(self._reconnection_time_ms, 0 if delivered else MIN_BACKOFF_MS)
        return self._delay_ms_after_failure(random)

    def _delay_ms_after_failure(self, random: float) -> int:
        """Return the wait after an attempt that brought no event stream.

        The n-th failure in a row waits ``d = reconnection time * 2^(n-1)``, less up to ``JITTER * d`` by
        ``random``, and never less than the reconnection time: that much the server has asked for.
        """
        self._failures += 1
        base_ms = max(self._reconnection_time_ms, MIN_BACKOFF_MS)
        ceiling_ms = max(self._max_backoff_ms, base_ms)
        # 2^20 times the least base is beyond any ceiling; a shift by days of failures would be a huge number.
        full_ms = min(base_ms << min(self._failures - 1, 20), ceiling_ms)
        return max(base_ms, round(full_ms * (1 - JITTER * random)))

"""The retry policy: after each connection, how long to wait and which Last-Event-ID to send, or stop.

WHATWG HTML 9.2.2 and 9.2.3:
https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model

The rules. After the end of a stream and after a network error, reconnect after the reconnection time. A response that
is not an event stream is final (``response_check.py``). The specification allows a longer wait ("Optionally, wait some
more"). Two rules use that:

* Consecutive failed attempts back off exponentially, with jitter, so the clients of a server that was down do not all
  reconnect at once.
* ``retry: 0`` applies after a connection with an event (a long poll). After a connection without one, a minimum wait
  prevents a busy loop.

``retry_statuses``, an extension of the specification, is empty by default: responses with these statuses are retried,
with back-off and the server's Retry-After.

This module must not know clocks, randomness, sockets or an HTTP library: the random number is an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sseclient_cli.errors import (
    BadStatusError,
    ConnectError,
    ConnectionLostError,
    Http2NotOfferedError,
    InvalidResponseError,
    LimitError,
    SseError,
    UnansweredError,
    UsageError,
    WebSocketClosedError,
)
from sseclient_cli.sse.framing import StreamParser

DEFAULT_RECONNECTION_TIME_MS = 3_000
"""The specification says "probably in the region of a few seconds"; Chromium, WebKit and undici wait 3 s."""

MAX_BACKOFF_MS = 30_000
"""The upper limit of the back-off in LaunchDarkly's SDKs, which back off the same way."""

MAX_RECONNECTION_TIME_MS = 24 * 60 * 60 * 1000
"""The value of ``retry`` may have any number of digits; timers have a limit."""

MIN_BACKOFF_MS = 100
"""The minimum wait after a connection without an event, also with ``retry: 0``."""

JITTER = 0.5
"""The random share of a back-off."""


def last_event_id_header(last_event_id: str) -> bytes | None:
    """Encode an event ID as the value of a Last-Event-ID header; None if it is empty or not a valid value.

    "If es's last event ID string is not the empty string", its UTF-8 bytes are the value (9.2.3). HTTP strips
    spaces around a value, and allows no control characters except the tab (RFC 9110 5.5).
    """
    value = last_event_id.strip(" \t").encode("utf-8", "replace")
    sendable = all((byte >= 0x20 and byte != 0x7F) or byte == 0x09 for byte in value)
    return value if value and sendable else None


# The network errors of Fetch, and resource limits that may no longer apply at the next attempt.
_TRANSIENT_ERRORS = (ConnectError, ConnectionLostError, InvalidResponseError, LimitError, UnansweredError)

# Close codes of a WebSocket: an internal error, a restart, an overload, a gateway's error. The others blame the client
# or belong to the application, so another connection would end in the same way.
_TRANSIENT_CLOSE_CODES = frozenset({1011, 1012, 1013, 1014})


def retry_after_ms(headers: Mapping[str, str]) -> int:
    """Return the wait in a response's Retry-After header (RFC 9110 10.2.3); 0 without a valid one.

    The wait until a date is counted from the response's Date header, so only the server's clock matters. Without a Date
    header, such a Retry-After is ignored.
    """
    from email.utils import parsedate_to_datetime  # a slow import, rarely needed

    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value.lstrip("0")[:9] or "0") * 1000, MAX_RECONNECTION_TIME_MS)
    try:
        wait_s = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError, OverflowError):  # not a date, or without a time zone
        return 0
    return min(max(round(wait_s * 1000), 0), MAX_RECONNECTION_TIME_MS)


def _is_transient(error: SseError) -> bool:
    if isinstance(error, WebSocketClosedError):
        return error.close_code in _TRANSIENT_CLOSE_CODES
    return isinstance(error, _TRANSIENT_ERRORS) and not isinstance(error, Http2NotOfferedError)


class Reconnection:
    """Decides what follows a connection: one object for a stream and all its connections.

    ``last_event_id`` is sent with the next connection. Responses with one of ``retry_statuses`` are retried. Raises
    UsageError unless these are 400 to 599: other statuses are final.
    """

    __slots__ = (
        "_failures", "_max_backoff_ms", "_reconnection_time_ms", "_retry_statuses", "is_time_from_server",
        "last_event_id",
    )  # fmt: skip

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
        """The last ``retry`` over all connections, but at most 24 h."""
        self.is_time_from_server = False
        """Whether the server has set the reconnection time."""
        self._retry_statuses = frozenset(retry_statuses)
        for status in self._retry_statuses:
            if status not in range(400, 600):
                raise UsageError(f"status {status} cannot be retried: only 400 to 599 can")

    @property
    def reconnection_time_ms(self) -> int:
        """The wait after the end of a stream: the last ``retry``."""
        return self._reconnection_time_ms

    @property
    def header(self) -> bytes | None:
        """The value of Last-Event-ID for the next connection; None to send none."""
        return last_event_id_header(self.last_event_id)

    def connection_opened(self) -> None:
        """Reset the back-off: the head of an event stream has arrived."""
        self._failures = 0

    def remember(self, parser: StreamParser) -> None:
        """Take the last event ID of the stream, and its reconnection time if it has set one."""
        self.last_event_id = parser.last_event_id
        if parser.reconnection_time_ms is not None:
            self._reconnection_time_ms = min(parser.reconnection_time_ms, MAX_RECONNECTION_TIME_MS)
            self.is_time_from_server = True

    def delay_ms(self, error: SseError | None, *, opened: bool, delivered: bool, random: float) -> int | None:
        """Return the wait before the next connection; None to stop.

        ``error`` ended the connection; None means a proper end of the response. ``opened``: the response was an event
        stream. ``delivered``: the stream had an event. ``random`` is from 0 to 1.
        """
        if isinstance(error, BadStatusError) and error.status in self._retry_statuses:
            return max(self._delay_ms_after_failure(random), retry_after_ms(error.headers))
        if error is not None and not _is_transient(error):
            return None
        if opened:
            return max(self._reconnection_time_ms, 0 if delivered else MIN_BACKOFF_MS)
        return self._delay_ms_after_failure(random)

    def _delay_ms_after_failure(self, random: float) -> int:
        """Return the wait after a failed attempt.

        The n-th consecutive failure waits ``d = reconnection time * 2^(n-1)``, less up to ``JITTER * d`` by ``random``,
        but never less than the server's reconnection time.
        """
        self._failures += 1
        base_ms = max(self._reconnection_time_ms, MIN_BACKOFF_MS)
        ceiling_ms = max(self._max_backoff_ms, base_ms)
        # 2^20 times the minimum is beyond any limit; without a cap, days of failures would shift to a huge number.
        full_ms = min(base_ms << min(self._failures - 1, 20), ceiling_ms)
        return max(base_ms, round(full_ms * (1 - JITTER * random)))

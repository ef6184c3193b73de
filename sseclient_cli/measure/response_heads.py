"""Evaluates the response heads of a worker's streams: the server's clock, content codings, events sent with the head.

Pure. The Date header gives the server's clock, to the second (RFC 9110 6.6.1). The timestamp in an event is from the
server's clock, so a constant difference would be part of every ``delivery``.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from sseclient_cli.engine.observer import Opened
from sseclient_cli.units import NS_PER_S

LEAST_DIFFERENCE_S = 2
"""A Date has whole seconds, and may be one second old when it is sent (uvicorn creates one per second)."""

MAX_DIFFERENCES = 100
"""Maximum of different values that are kept: a server could send a new one with each response."""

MAX_CODING_CHARS = 40
"""A longer Content-Encoding is cut. A coding that can be decoded has one or two short names."""


class ResponseHeads:
    """The facts that one worker has collected from response heads."""

    __slots__ = ("date_differences_s", "encodings", "formats", "server_less_client_ns", "with_events")

    def __init__(self) -> None:
        self.date_differences_s: Counter[int] = Counter()
        """Server's Date minus arrival of the head in whole seconds, with the number of heads."""
        self.encodings: Counter[str] = Counter()
        """Content-Encodings with the number of responses."""
        self.formats: Counter[str] = Counter()
        """Formats of streams with the number of responses."""
        self.with_events = 0
        """Heads that arrived together with a part of the body."""
        self.server_less_client_ns = 0
        """How far the server's clock is ahead, according to its Date headers."""

    def note(self, opened: Opened, arrival_ns: int) -> None:
        """Record the head of a stream that opened. It arrived at ``arrival_ns`` (corrected wall clock)."""
        self.with_events += not opened.is_alone
        self.formats[opened.stream_format.value] += 1
        headers = opened.headers
        if "date" in headers:
            self.note_date(headers["date"], arrival_ns, opened.arrival_monotonic_ns - opened.requested_ns)
        coding = headers.get("content-encoding")
        if coding:
            self.encodings[coding[:MAX_CODING_CHARS]] += 1

    def note_date(self, date: str, arrival_ns: int, waited_ns: int = 0) -> None:
        """Record the Date of a head that arrived at ``arrival_ns`` (wall clock) after a wait of ``waited_ns``.

        The server may have created it at any moment of the wait.
        """
        date_s = _seconds(date)
        if date_s is not None:
            # A Date drops the fraction of its second: 0.5 s on average.
            after_request_s = date_s + 0.5 - (arrival_ns - waited_ns) / NS_PER_S
            after_arrival_s = date_s + 0.5 - arrival_ns / NS_PER_S
            # 0 if the Date lies between the request and the arrival.
            difference_s = round(max(after_arrival_s, 0) or min(after_request_s, 0))
            if difference_s in self.date_differences_s or len(self.date_differences_s) < MAX_DIFFERENCES:
                self.date_differences_s[difference_s] += 1
        self.server_less_client_ns = usual_difference_s(self.date_differences_s) * NS_PER_S


def usual_difference_s(differences_s: Counter[int]) -> int:
    """Return by how many seconds most Dates are ahead; 0 if the difference is within the precision of a Date."""
    if not differences_s:
        return 0
    (difference_s, _), *_ = differences_s.most_common(1)
    return difference_s if abs(difference_s) >= LEAST_DIFFERENCE_S else 0


@lru_cache(maxsize=64)
def _seconds(date: str) -> int | None:
    """Return a Date in seconds since 1970. Cached, because thousands of responses have the same one."""
    from email.utils import parsedate_to_datetime  # imports many modules of the standard library

    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if moment.tzinfo is None else round(moment.timestamp())

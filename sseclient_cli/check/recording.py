"""A recorded response: its head, its bytes with their arrival times, and its end. Pure: times are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES, Event, EventStreamParser
from sseclient_cli.units import NS_PER_S

MAX_BYTES = 8 * 1024 * 1024
"""How much of a response is recorded: far more than the checks need of a usual stream."""

START_S = 0.5

_HEARTBEAT_TYPES = frozenset({"ping", "heartbeat", "keepalive", "keep-alive", "keep_alive"})
"""nchan, Anthropic and others send events as heartbeats."""


class End(Enum):
    """How a recording ended."""

    OPEN = auto()
    """The server did not end the stream."""
    ENDED = auto()
    BROKEN = auto()
    FULL = auto()
    """There was more than MAX_BYTES."""


@dataclass(frozen=True, slots=True)
class Head:
    """A response head. Times are wall-clock ns. ``urls`` is the redirect chain without credentials."""

    status: int
    headers: Mapping[str, str]
    sent_ns: int
    arrived_ns: int
    urls: tuple[str, ...] = ()

    @property
    def delay_s(self) -> float:
        """The time from the request to the response head."""
        return max(self.arrived_ns - self.sent_ns, 0) / NS_PER_S


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes of the body, decoded, and when they arrived."""

    arrived_ns: int
    data: bytes


class Recording:
    """One response, recorded piece by piece."""

    def __init__(self, head: Head, max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self.head = head
        self.reads: list[Read] = []
        self.events: list[Event] = []
        self.identified: list[Event] = []
        """The events that set an ID other than the one before: an event without an ID keeps that."""
        self.comment_count = 0
        self.heartbeats_ns: list[int] = []
        """The arrival time of each comment, and of each event that is one by its type; without those at the start."""
        self.silences_before_heartbeats_ns: list[int] = []
        """The silence that each read with a heartbeat ended."""
        self.end = End.OPEN
        self.ended_ns = head.arrived_ns
        self.problem = ""
        """Why the connection broke, or could not be read further."""
        self.too_large = False
        self.size_bytes = 0
        self._now_ns = head.arrived_ns
        self._longest_silence_ns = 0
        self._latest_id = ""
        self._parser = EventStreamParser("", self._comment, max_event_bytes)

    def feed(self, data: bytes, arrived_ns: int) -> None:
        """Take the next bytes."""
        if self.end is not End.OPEN or self.too_large:
            return
        silence_ns, self._now_ns = arrived_ns - self._now_ns, arrived_ns
        self._longest_silence_ns = max(self._longest_silence_ns, silence_ns)
        self.reads.append(Read(arrived_ns, data))
        self.size_bytes += len(data)
        heartbeat_count = len(self.heartbeats_ns)
        try:
            self._take(self._parser.feed(data, arrived_ns))
        except EventTooLargeError:
            self.too_large = True
        if len(self.heartbeats_ns) > heartbeat_count:
            self.silences_before_heartbeats_ns.append(silence_ns)
        if self.too_large or self.size_bytes > MAX_BYTES:
            self.close(arrived_ns, End.FULL)

    def close(self, now_ns: int, end: End = End.OPEN, problem: str = "") -> None:
        """End the recording, unless it has ended before."""
        if self.end is End.OPEN:
            self.end, self.ended_ns, self.problem = end, max(now_ns, self._now_ns), problem

    @property
    def body(self) -> bytes:
        """All bytes of the body."""
        return b"".join(read.data for read in self.reads)

    @property
    def retry_ms(self) -> int | None:
        """The last valid `retry` field."""
        return self._parser.reconnection_time_ms

    @property
    def has_unfinished_event(self) -> bool:
        """Whether an event has no blank line yet."""
        return self._parser.has_unfinished_event

    @property
    def watched_s(self) -> float:
        """How long the stream was recorded, from its head."""
        return max(self.ended_ns - self.head.arrived_ns, 0) / NS_PER_S

    def longest_silence_s(self, now_ns: int) -> float:
        """Return the longest time without a byte, the open one included."""
        return max(self._longest_silence_ns, now_ns - self._now_ns) / NS_PER_S

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if event.id not in ("", self._latest_id):
                self.identified.append(event)
            self._latest_id = event.id
            if event.type.lower() in _HEARTBEAT_TYPES:
                self._heartbeat()
        self.events += events

    def _comment(self, _text: str) -> None:
        self.comment_count += 1
        self._heartbeat()

    def _heartbeat(self) -> None:
        # A comment at the start of a stream flushes the head.
        if self._now_ns - self.head.arrived_ns > START_S * NS_PER_S:
            self.heartbeats_ns.append(self._now_ns)


def is_limited(status: int | None) -> bool:
    """Return whether the server may have refused a request because there are too many."""
    return status in (429, 503)

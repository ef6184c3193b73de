"""The last events of a channel, for clients that reconnect. Bounded in events and bytes; lost events are announced."""

from __future__ import annotations

import json
from collections import deque

from starlette.types import Message

from demo_server.channels.events import GAP, NEVER, PublishedEvent, format_id, parse_id
from demo_server.streams.encoding import encode_event
from demo_server.streams.messages import body
from demo_server.workers.counters import Number

HISTORY_EVENTS = 500
HISTORY_BYTES = 1 << 20
# Python's memory for an event in addition to its bytes, rounded up. tracemalloc reports 400 with Python 3.11.
EVENT_OVERHEAD_BYTES = 512


class History:
    """The last events of one channel."""

    def __init__(self) -> None:
        self._events: deque[PublishedEvent] = deque()
        self._events_bytes = 0
        self._last: Number | None = None

    @property
    def held_bytes(self) -> int:
        """Approximate size in memory."""
        return self._events_bytes + len(self._events) * EVENT_OVERHEAD_BYTES

    def clear(self) -> None:
        """Drop the events. The numbering continues, so that a reconnecting client is told of the gap."""
        self._events.clear()
        self._events_bytes = 0

    def add(self, event: PublishedEvent) -> None:
        """Add an event, and drop the oldest ones beyond the limits."""
        if self._last is not None and self._last.epoch != event.number.epoch:
            self.clear()
        self._last = event.number
        self._events.append(event)
        self._events_bytes += event.size_bytes
        while len(self._events) > HISTORY_EVENTS or self._events_bytes > HISTORY_BYTES:
            self._events_bytes -= self._events.popleft().size_bytes

    def after(self, last_event_id: str) -> tuple[list[Message], Number]:
        """Return the messages that follow an id, and the number up to which the client has every event."""
        seen = parse_id(last_event_id)
        if self._last is None or seen.epoch != self._last.epoch:
            gap = self._gap(last_event_id, "this id is unknown: the server may have been restarted")
            return [gap, *(event.message for event in self._events)], NEVER
        missed = [event for event in self._events if event.number.value > seen.value]
        messages = [event.message for event in missed]
        lost = self._last.value - seen.value - len(missed)
        if lost > 0:
            messages.insert(0, self._gap(last_event_id, f"{lost} events are no longer in the history"))
        return messages, seen

    def gap_before(self, number: Number) -> PublishedEvent | None:
        """Return the announcement of events that this process did not receive before the one with this number."""
        if self._last is None:
            return None
        is_same_epoch = number.epoch == self._last.epoch
        lost = number.value - 1 - (self._last.value if is_same_epoch else 0)
        if lost <= 0:
            return None
        last_lost = Number(number.epoch, number.value - 1)
        announcement = json.dumps({"after": format_id(self._last), "reason": f"{lost} events were lost"})
        return PublishedEvent(last_lost, body(encode_event(format_id(last_lost), GAP, announcement)))

    def _gap(self, last_event_id: str, reason: str) -> Message:
        """Return the event that announces a gap, with the id of the last lost event: it is announced only once."""
        event_id = None
        if self._last is not None:
            first = self._events[0].number.value if self._events else self._last.value + 1
            event_id = format_id(Number(self._last.epoch, first - 1))
        return body(encode_event(event_id, GAP, json.dumps({"after": last_event_id, "reason": reason})))

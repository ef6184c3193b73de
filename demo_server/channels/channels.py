"""All channels of a worker: deliver published events to the subscribers, and bound the total memory.

The number of channels, the histories and the queues are bounded together. At a limit, the least recently used channels
are forgotten (and reported as a gap later), slow subscribers are dropped, or a request is refused.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from demo_server.channels.backlog import Backlog
from demo_server.channels.events import PublishedEvent, format_id
from demo_server.channels.history import History
from demo_server.channels.subscriber import Subscriber
from demo_server.streams.encoding import encode_event
from demo_server.streams.messages import body
from demo_server.workers.counters import Number

MAX_CHANNELS = 256
MAX_HISTORIES_BYTES = 64 << 20
# Writing to this many clients takes some milliseconds. Then other tasks run.
DELIVERIES_PER_TURN = 500


class Channel:
    """The history and the subscribers of one channel."""

    def __init__(self) -> None:
        self.subscribers: dict[Subscriber, None] = {}  # a set in insertion order
        self.history = History()


class Channels:
    """All channels of this worker."""

    def __init__(self) -> None:
        self._channels: OrderedDict[str, Channel] = OrderedDict()  # least recently used first
        self._histories_bytes = 0
        self.backlog = Backlog()

    def is_full_for(self, name: str) -> bool:
        """Say whether a new channel is impossible, because all existing ones have subscribers."""
        if name in self._channels or len(self._channels) < MAX_CHANNELS:
            return False
        return all(channel.subscribers for channel in self._channels.values())

    @contextmanager
    def subscribed(self, name: str, subscriber: Subscriber, last_event_id: str) -> Iterator[None]:
        """Deliver to a subscriber inside the block, beginning with the events after its id, if it has one."""
        channel = self._channel(name)
        if last_event_id:
            subscriber.begin(*channel.history.after(last_event_id))
        channel.subscribers[subscriber] = None
        try:
            yield
        finally:
            del channel.subscribers[subscriber]
            subscriber.close()

    async def deliver(self, name: str, event_type: str | None, data: str, number: Number) -> int:
        """Send an event to all subscribers of this worker, and return their number."""
        # Another worker may still accept this channel. A client that subscribes here later is told of the gap.
        if self.is_full_for(name):
            return 0
        channel = self._channel(name)
        event = PublishedEvent(number, body(encode_event(format_id(number), event_type, data)))
        gap = channel.history.gap_before(number)
        self._remember(channel, event)
        # A client that subscribes after this line finds the event in the history.
        subscribers = tuple(channel.subscribers)
        for position, subscriber in enumerate(subscribers, 1):
            if gap is not None:
                await subscriber.deliver(gap)
            await subscriber.deliver(event)
            if position % DELIVERIES_PER_TURN == 0:
                await asyncio.sleep(0)
        return len(subscribers)

    def _remember(self, channel: Channel, event: PublishedEvent) -> None:
        self._histories_bytes -= channel.history.held_bytes
        channel.history.add(event)
        self._histories_bytes += channel.history.held_bytes
        for least_recent in self._channels.values():
            if self._histories_bytes <= MAX_HISTORIES_BYTES:
                break
            self._histories_bytes -= least_recent.history.held_bytes
            least_recent.history.clear()

    def _channel(self, name: str) -> Channel:
        channel = self._channels.setdefault(name, Channel())
        self._channels.move_to_end(name)
        if len(self._channels) > MAX_CHANNELS:
            # A channel with subscribers is kept: they would never receive another event.
            unused = [other for other, its in self._channels.items() if not its.subscribers and other != name]
            for other in unused[: len(self._channels) - MAX_CHANNELS]:
                self._histories_bytes -= self._channels.pop(other).history.held_bytes
        return channel

"""Channels: who publishes to one reaches all who subscribe to it, and those who come back find what they missed.

- An event is encoded once, whoever reads it: all subscribers share the bytes.
- To a client that keeps up, an event is written by whoever publishes, without waking the subscriber's own task: half
  the cost, and thousands get it within tens of milliseconds.
- A client that does not keep up has a queue, which its task empties. The queue is bounded, in events and bytes: at its
  end the subscriber is dropped, is told so if it ever reads again, and finds the rest in the history when it returns.
- The history is bounded, in events and bytes. What a returning client has missed and is no longer there is announced.
- All of them together are bounded, too: channels, histories and queues. At the limit, what was unused for longest is
  forgotten (and announced as missing), slow subscribers are dropped, or a request is refused.

Event ids are ``epoch-number``. The epoch changes when a numbering begins anew, as with each start of the server: an id
from before is then known as such.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import Message, Send

from demo_server.channels.backlog import Backlog
from demo_server.streams.encoding import comment, encode_event
from demo_server.streams.messages import NOTHING, body
from demo_server.streams.parameters import MAX_ID_DIGITS
from demo_server.streams.stream import Notice, Stream
from demo_server.workers.peers import Number

HISTORY_EVENTS = 500
HISTORY_BYTES = 1 << 20
# More than the history, so that a client which is sent all of that does not begin at its limit.
MAX_BEHIND_EVENTS = 1000
MAX_BEHIND_BYTES = 4 << 20
MAX_CHANNELS = 256
MAX_HISTORIES_BYTES = 64 << 20
# What Python takes for an event besides its bytes, rounded up: tracemalloc shows 400 with Python 3.11.
EVENT_OVERHEAD_BYTES = 512
# Writing to so many clients takes some milliseconds; in between, the loop looks at everybody else.
DELIVERIES_PER_TURN = 500

GAP = "gap"
DROPPED = "dropped"
RESERVED_TYPES = frozenset({GAP, DROPPED})

NEVER = Number("", 0)


@dataclass(frozen=True, slots=True)
class Published:
    """An event as all subscribers get it."""

    number: Number
    message: Message

    @property
    def size_bytes(self) -> int:
        """What it takes on the wire, and about that in memory."""
        return len(self.message["body"])


class Subscriber:
    """One client of a channel."""

    def __init__(self, stream: Stream, send: Send, backlog: Backlog) -> None:
        self._stream = stream
        self._backlog = backlog
        self._send = send
        self._queue: deque[Message] = deque()
        self._queue_bytes = 0
        self._is_sending = False
        self._is_dropped = False
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._loop.time()
        self._seen = NEVER

    def begin(self, missed: list[Message], seen: Number) -> None:
        """Have these sent first, and leave out what comes with a number up to `seen`."""
        for message in missed:
            self._enqueue(message)
        self._seen = seen

    async def deliver(self, event: Published) -> None:
        """Send an event at once if the client keeps up, or else put it into the queue. Never waits for the client."""
        if self._is_dropped or self._stream.ended:
            return
        if event.number.epoch == self._seen.epoch and event.number.value <= self._seen.value:
            return  # the client had it from another worker, which was a moment ahead of this one
        if not self._is_sending and not self._queue and not self._stream.transport.get_write_buffer_size():
            await self._send(event.message)  # nothing is in the buffer, so this returns at once
            self._note_event()
            return
        self._enqueue(event.message)
        if len(self._queue) > MAX_BEHIND_EVENTS or self._queue_bytes > MAX_BEHIND_BYTES:
            self._drop("")
        elif self._backlog.is_full:
            self._drop(f", and all subscribers together {self._backlog.size_bytes} bytes")
        self._stream.wake()

    def close(self) -> None:
        """Let go of what is left."""
        self._is_dropped = True
        self._clear_queue()

    def _drop(self, others: str) -> None:
        reason = f"{len(self._queue)} events ({self._queue_bytes} bytes) behind{others}"
        self._is_dropped = True
        self._clear_queue()
        self._enqueue(body(encode_event(None, DROPPED, json.dumps({"reason": reason}))))

    def _enqueue(self, message: Message) -> None:
        self._queue.append(message)
        self._queue_bytes += len(message["body"])
        self._backlog.hold(message)

    def _clear_queue(self) -> None:
        while self._queue:
            self._backlog.let_go(self._queue.popleft())
        self._queue_bytes = 0

    async def run(self, heartbeat_s: float) -> None:
        """Send what is in the queue, and heartbeats, until the stream is ended or the subscriber dropped."""
        silence_s = heartbeat_s or float("inf")
        while not self._stream.ended:
            await self._send_queue()
            if self._is_dropped:
                return
            if self._loop.time() >= self._heard_s + silence_s:
                await self._send(body(comment(Notice.HEARTBEAT)))
                self._heard_s = self._loop.time()
            if not self._queue:  # an event may have come while the heartbeat waited for the client, and woken nobody
                await self._stream.sleep_until(self._heard_s + silence_s)
        if self._stream.is_farewell:
            await self._send(body(comment(Notice.FAREWELL)))

    async def _send_queue(self) -> None:
        self._is_sending = True
        while self._queue and not self._stream.ended:
            message = self._queue.popleft()
            self._queue_bytes -= len(message["body"])
            self._backlog.let_go(message)
            await self._send(message)
            self._note_event()
            if self._stream.transport.get_write_buffer_size():
                await self._send(NOTHING)  # waits until the client has taken the rest
        self._is_sending = False

    def _note_event(self) -> None:
        self._heard_s = self._loop.time()
        self._stream.count_event()


class Channel:
    """What one channel remembers, and who listens."""

    def __init__(self) -> None:
        self.subscribers: dict[Subscriber, None] = {}  # in the order they came
        self._history: deque[Published] = deque()
        self._history_bytes = 0
        self._last: Number | None = None

    @property
    def held_bytes(self) -> int:
        """About what the history takes in memory."""
        return self._history_bytes + len(self._history) * EVENT_OVERHEAD_BYTES

    def forget(self) -> None:
        """Let go of the history. Its numbering goes on, so that a returning client is told of the gap."""
        self._history.clear()
        self._history_bytes = 0

    def remember(self, event: Published) -> None:
        """Add an event to the history, and let go of the oldest."""
        if self._last is not None and self._last.epoch != event.number.epoch:
            self.forget()
        self._last = event.number
        self._history.append(event)
        self._history_bytes += event.size_bytes
        while len(self._history) > HISTORY_EVENTS or self._history_bytes > HISTORY_BYTES:
            self._history_bytes -= self._history.popleft().size_bytes

    def after(self, last_event_id: str) -> tuple[list[Message], Number]:
        """Return what a client has missed since an id, and the number up to which it has seen everything."""
        epoch, _, digits = last_event_id.rpartition("-")
        is_ours = digits.isascii() and digits.isdigit() and len(digits) <= MAX_ID_DIGITS
        seen = Number(epoch, int(digits)) if is_ours else NEVER
        if self._last is None or seen.epoch != self._last.epoch:
            gap = self._announce(last_event_id, "this id is not from here: the server may have been started anew")
            return [gap, *(event.message for event in self._history)], NEVER
        missed = [event for event in self._history if event.number.value > seen.value]
        messages = [event.message for event in missed]
        lost = self._last.value - seen.value - len(missed)
        if lost > 0:
            messages.insert(0, self._announce(last_event_id, f"{lost} events are no longer in the history"))
        return messages, seen

    def _announce(self, last_event_id: str, reason: str) -> Message:
        """Return the event that tells of a gap. It has the id of the last event in the gap: it is announced once."""
        event_id = None
        if self._last is not None:
            first = self._history[0].number.value if self._history else self._last.value + 1
            event_id = format_id(Number(self._last.epoch, first - 1))
        return body(encode_event(event_id, GAP, json.dumps({"after": last_event_id, "reason": reason})))


class Channels:
    """All channels of this worker."""

    def __init__(self) -> None:
        self._channels: OrderedDict[str, Channel] = OrderedDict()  # the one used last comes last
        self._histories_bytes = 0
        self.backlog = Backlog()

    def is_full_for(self, name: str) -> bool:
        """Say whether there is no room for a new channel: each that there is has subscribers."""
        if name in self._channels or len(self._channels) < MAX_CHANNELS:
            return False
        return all(channel.subscribers for channel in self._channels.values())

    @contextmanager
    def subscribed(self, name: str, subscriber: Subscriber, last_event_id: str) -> Iterator[None]:
        """Deliver to a subscriber for as long as the block runs, beginning with what it has missed, if it has an id."""
        channel = self._channel(name)
        if last_event_id:
            subscriber.begin(*channel.after(last_event_id))
        channel.subscribers[subscriber] = None
        try:
            yield
        finally:
            del channel.subscribers[subscriber]
            subscriber.close()

    async def deliver(self, name: str, event_type: str | None, data: str, number: Number) -> int:
        """Send an event to all subscribers of this worker, and return how many they were."""
        if self.is_full_for(name):  # and another worker is not: a client that comes here later is told of the gap
            return 0
        channel = self._channel(name)
        event = Published(number, body(encode_event(format_id(number), event_type, data)))
        self._remember(channel, event)
        # Who comes from now on finds the event in the history.
        subscribers = tuple(channel.subscribers)
        for position, subscriber in enumerate(subscribers, 1):
            await subscriber.deliver(event)
            if position % DELIVERIES_PER_TURN == 0:
                await asyncio.sleep(0)
        return len(subscribers)

    def _remember(self, channel: Channel, event: Published) -> None:
        self._histories_bytes -= channel.held_bytes
        channel.remember(event)
        self._histories_bytes += channel.held_bytes
        for unused in self._channels.values():  # for longest first
            if self._histories_bytes <= MAX_HISTORIES_BYTES:
                break
            self._histories_bytes -= unused.held_bytes
            unused.forget()

    def _channel(self, name: str) -> Channel:
        channel = self._channels.setdefault(name, Channel())
        self._channels.move_to_end(name)
        if len(self._channels) > MAX_CHANNELS:
            # Those used longest ago, with their history; but one with subscribers would never be heard of again.
            unused = [other for other, its in self._channels.items() if not its.subscribers and other != name]
            for other in unused[: len(self._channels) - MAX_CHANNELS]:
                self._histories_bytes -= self._channels.pop(other).held_bytes
        return channel


def format_id(number: Number) -> str:
    """Return the id of an event."""
    return f"{number.epoch}-{number.value}"

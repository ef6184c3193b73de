"""One subscriber of a channel: direct writes while its client is fast enough, otherwise a bounded queue.

- The publishing task writes an event directly to a fast client, without waking the subscriber's own task. This halves
  the cost, and thousands of clients receive an event within tens of milliseconds.
- A slow client has a queue, which its own task sends. The queue is bounded in events and bytes. Beyond a limit the
  subscriber is dropped, with a reason; the client finds the remaining events in the history when it reconnects.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque

from starlette.types import Message, Send

from demo_server.channels.backlog import Backlog
from demo_server.channels.events import DROPPED, NEVER, PublishedEvent
from demo_server.streams.encoding import comment, encode_event
from demo_server.streams.messages import DRAIN, body
from demo_server.streams.stream import Notice, Stream
from demo_server.workers.counters import Number

# Larger than the history, so that a client that receives all of it does not start at the limit.
MAX_BEHIND_EVENTS = 1000
MAX_BEHIND_BYTES = 4 << 20


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
        self._last_sent_s = self._loop.time()
        self._seen = NEVER

    def begin(self, missed: list[Message], seen: Number) -> None:
        """Queue the missed messages, and skip events numbered up to ``seen``."""
        for message in missed:
            self._enqueue(message)
        self._seen = seen

    async def deliver(self, event: PublishedEvent) -> None:
        """Send an event directly if the client is fast enough, otherwise queue it. Never waits for the client."""
        if self._is_dropped or self._stream.ended:
            return
        if event.number.epoch == self._seen.epoch and event.number.value <= self._seen.value:
            return  # the client received it from another worker, which was slightly ahead of this one
        if not self._is_sending and not self._queue and not self._stream.transport.get_write_buffer_size():
            await self._send(event.message)  # the write buffer is empty, so this does not wait
            self._note_event()
            return
        self._enqueue(event.message)
        if len(self._queue) > MAX_BEHIND_EVENTS or self._queue_bytes > MAX_BEHIND_BYTES:
            self._drop("")
        elif self._backlog.is_full:
            self._drop(f", and all subscribers together {self._backlog.size_bytes} bytes")
        self._stream.wake()

    def close(self) -> None:
        """Release the queue."""
        self._is_dropped = True
        self._clear_queue()

    async def run(self, heartbeat_s: float) -> None:
        """Send queued messages and heartbeats until the stream is ended or the subscriber is dropped."""
        silence_s = heartbeat_s or float("inf")
        while not self._stream.ended:
            await self._send_queue()
            if self._is_dropped:
                return
            if self._loop.time() >= self._last_sent_s + silence_s:
                await self._send(body(comment(Notice.HEARTBEAT)))
                self._last_sent_s = self._loop.time()
            # An event may have been queued while the heartbeat waited for the client. Its wake-up had no effect.
            if not self._queue:
                await self._stream.sleep_until(self._last_sent_s + silence_s)
        if self._stream.is_shutdown:
            await self._send(body(comment(Notice.SHUTDOWN)))

    def _drop(self, others: str) -> None:
        reason = f"{len(self._queue)} events ({self._queue_bytes} bytes) behind{others}"
        self._is_dropped = True
        self._clear_queue()
        self._enqueue(body(encode_event(None, DROPPED, json.dumps({"reason": reason}))))

    def _enqueue(self, message: Message) -> None:
        self._queue.append(message)
        self._queue_bytes += len(message["body"])
        self._backlog.add(message)

    def _clear_queue(self) -> None:
        while self._queue:
            self._backlog.remove(self._queue.popleft())
        self._queue_bytes = 0

    async def _send_queue(self) -> None:
        self._is_sending = True
        while self._queue and not self._stream.ended:
            message = self._queue.popleft()
            self._queue_bytes -= len(message["body"])
            self._backlog.remove(message)
            await self._send(message)
            self._note_event()
            if self._stream.transport.get_write_buffer_size():
                await self._send(DRAIN)
        self._is_sending = False

    def _note_event(self) -> None:
        self._last_sent_s = self._loop.time()
        self._stream.count_event()

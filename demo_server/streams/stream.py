"""One open stream: when its next event is due, and how it is ended from outside.

An endpoint runs its loop inside ``with open_stream(request) as stream`` (registry.py) and stops when ``stream.ended``
is set. Ending a stream wakes its loop at once. The task is never cancelled, because a cancellation could interrupt a
send.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import Enum

# While the client is fast enough, `send` returns without a switch to other tasks. A stream at full speed therefore
# yields to the event loop after this many events.
EVENTS_PER_TURN = 64

# Passed to sse-starlette, which has no send timeout by default: a stalled client would hold its generator forever.
SEND_TIMEOUT_S = 5.0


class Notice(Enum):
    """A message between events. Event streams send it as a comment."""

    HEARTBEAT = "heartbeat"
    SHUTDOWN = "the server is going down"


@dataclass(slots=True)
class Stats:
    """The counters of /stats."""

    streams_opened: int = 0
    streams_open: int = 0
    events_sent: int = 0


class Stream:
    """One open stream."""

    __slots__ = ("_loop", "_stats", "_waiter", "ended", "is_shutdown", "transport")

    def __init__(self, stats: Stats, transport: asyncio.WriteTransport) -> None:
        self.ended = False
        self.is_shutdown = False
        self.transport = transport
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    def ticks(self, first_seq: int, limit: int | None, interval_s: float, heartbeat_s: float = 0) -> Ticks:
        """Iterate over sequence numbers, each at its due time, and over notices in between.

        The iteration ends after ``limit`` events or when the stream is ended. A heartbeat follows ``heartbeat_s``
        seconds of silence; 0 disables heartbeats.
        """
        return Ticks(self, first_seq, limit, interval_s, heartbeat_s)

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait until a time of the loop's clock or the end of the stream; always let other tasks run."""
        waiter = self._waiter = self._loop.create_future()
        # Checked after `_waiter` is set: a signal handler may end the stream between any two statements.
        if self.ended or deadline_s <= self._loop.time():
            await asyncio.sleep(0)
            return
        timer = self._loop.call_at(deadline_s, resolve, waiter)
        try:
            await waiter
        finally:
            timer.cancel()

    def end(self, *, is_shutdown: bool = False) -> None:
        """Stop the stream's loop, waking it if it waits. At shutdown the client still gets a notice."""
        self.ended = True
        self.is_shutdown = is_shutdown
        self.wake()

    def wake(self) -> None:
        """End the current wait of the stream's loop, if there is one."""
        if self._waiter is not None:
            resolve(self._waiter)

    def count_event(self, count: int = 1) -> None:
        """Count an event, or several ones of one write, as sent.

        A closing transport drops writes, and uvicorn reports the disconnect a moment later. An event sent in between is
        not counted; the stream ends instead.
        """
        if self.transport.is_closing():
            self.end()
        else:
            self._stats.events_sent += count


class Ticks:
    """The schedule of one stream.

    Not an async generator: an abandoned generator stays suspended until the garbage collector closes it.
    """

    __slots__ = ("_deadline_s", "_end_seq", "_heartbeat_s", "_interval_s", "_now", "_seq", "_stream")

    def __init__(
        self, stream: Stream, first_seq: int, limit: int | None, interval_s: float, heartbeat_s: float
    ) -> None:
        self._stream = stream
        self._seq = first_seq
        self._end_seq = None if limit is None else first_seq + limit
        self._interval_s = interval_s
        self._heartbeat_s = heartbeat_s
        self._now = asyncio.get_running_loop().time
        self._deadline_s = self._now()

    def __aiter__(self) -> Ticks:
        return self

    async def __anext__(self) -> int | Notice:
        stream, seq = self._stream, self._seq
        if seq == self._end_seq:
            raise StopAsyncIteration
        heartbeat_at_s = self._now() + (self._heartbeat_s or math.inf)
        if heartbeat_at_s < self._deadline_s:
            await stream.sleep_until(heartbeat_at_s)
            if not stream.ended:
                return Notice.HEARTBEAT
        elif self._interval_s or seq % EVENTS_PER_TURN == 0:
            await stream.sleep_until(self._deadline_s)
        if stream.ended:
            self._end_seq = seq
            if stream.is_shutdown:
                return Notice.SHUTDOWN
            raise StopAsyncIteration
        self._seq = seq + 1
        # Added to the last deadline, not to the current time: a late event must not delay the following ones.
        self._deadline_s += self._interval_s
        return seq


def resolve(waiter: asyncio.Future[None]) -> None:
    """Resolve a future unless it is resolved or cancelled already."""
    if not waiter.done():
        waiter.set_result(None)

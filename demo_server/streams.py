"""The open streams: counted, paced, and ended from outside.

Every endpoint runs its loop inside ``with streams.open(scope) as stream`` and stops when ``stream.ended``.
Whoever ends the stream wakes the loop from its wait at once, without a cancellation that could hit it
half-way through a send.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import Enum
from itertools import count, islice

from starlette.types import Scope

# Where server.py leaves the connection's transport in the ASGI scope, under "extensions".
TRANSPORT_EXTENSION = "demo_server.transport"
# What marks a request as one that opened a stream; access_log.py looks for it.
STREAM_MARK = "demo_server.is_stream"

# At full blast a send returns at once while the client keeps up, so nothing else would ever run: a stream
# gives way after so many events.
EVENTS_PER_TURN = 64


class Notice(Enum):
    """What a stream says between its events. Event streams say it in a comment."""

    HEARTBEAT = "heartbeat"
    FAREWELL = "the server is going down"


@dataclass(slots=True)
class Stats:
    """The counters that /stats shows."""

    streams_opened: int = 0
    streams_open: int = 0
    events_sent: int = 0


class Stream:
    """One open stream."""

    __slots__ = ("_loop", "_stats", "_waiter", "ended", "is_farewell", "transport")

    def __init__(self, stats: Stats, transport: asyncio.WriteTransport) -> None:
        self.ended = False
        self.is_farewell = False
        self.transport = transport
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    async def ticks(
        self, first_seq: int, limit: int | None, interval_s: float, heartbeat_s: float = 0
    ) -> AsyncGenerator[int | Notice, None]:
        """Yield the sequence number of each event when it is due, and a notice where one is to be given.

        Ends after ``limit`` events, or when the stream is ended; a heartbeat comes after so many seconds of silence.
        """
        deadline_s = self._loop.time()
        for seq in islice(count(first_seq), limit):
            while heartbeat_s and not self.ended and deadline_s - self._loop.time() > heartbeat_s:
                await self.sleep_until(self._loop.time() + heartbeat_s)
                if not self.ended:
                    yield Notice.HEARTBEAT
            if interval_s or seq % EVENTS_PER_TURN == 0:
                await self.sleep_until(deadline_s)
            if self.ended:
                if self.is_farewell:
                    yield Notice.FAREWELL
                return
            yield seq
            # From the last deadline and not from now: lateness of one event must not delay all that follow.
            deadline_s += interval_s

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait for a time of the loop's clock, or until the stream is ended; always let other tasks run."""
        if self.ended or deadline_s <= self._loop.time():
            await asyncio.sleep(0)
            return
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_at(deadline_s, resolve, waiter)
        try:
            await waiter
        finally:
            timer.cancel()

    def end(self, *, is_farewell: bool = False) -> None:
        """Have the stream's loop stop, at once if it is waiting; a farewell is said to a client that is still there."""
        self.ended = True
        self.is_farewell = is_farewell
        self.wake()

    def wake(self) -> None:
        """Have the stream's loop look around, if it is waiting."""
        if self._waiter is not None:
            resolve(self._waiter)

    def count_event(self) -> None:
        """Count an event whose send was awaited; if the socket refused it, end the stream instead.

        An ASGI server drops what is sent to a client that has left, without saying so. Its transport knows, even
        between the refused write and the moment the disconnect is announced; and it logs what is still written.
        """
        if self.transport.is_closing():
            self.end()
        else:
            self._stats.events_sent += 1


class Streams:
    """All streams of this server."""

    def __init__(self) -> None:
        self.stats = Stats()
        self._open: set[Stream] = set()
        self._ended = False

    @contextmanager
    def open(self, scope: Scope) -> Iterator[Stream]:
        """Count a stream as open for as long as the block runs."""
        stream = Stream(self.stats, scope["extensions"][TRANSPORT_EXTENSION])
        if self._ended:
            stream.end(is_farewell=True)
        scope[STREAM_MARK] = True
        self._open.add(stream)
        self.stats.streams_opened += 1
        self.stats.streams_open += 1
        try:
            yield stream
        finally:
            self._open.discard(stream)
            self.stats.streams_open -= 1

    async def read_stats(self) -> tuple[int, ...]:
        """Return the counters of this worker, in the order of Stats."""
        return astuple(self.stats)

    def end_all(self) -> None:
        """End every stream, those still to be opened included."""
        self._ended = True
        for stream in self._open:
            stream.end(is_farewell=True)


def resolve(waiter: asyncio.Future[None]) -> None:
    """Resolve a future that may have been resolved or cancelled meanwhile."""
    if not waiter.done():
        waiter.set_result(None)

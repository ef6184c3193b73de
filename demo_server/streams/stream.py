"""The open streams: counted, paced, and ended from outside.

Every endpoint runs its loop inside ``with streams.open(scope) as stream`` and stops when ``stream.ended``.
Whoever ends the stream wakes the loop from its wait at once, without a cancellation that could hit it
half-way through a send.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass
from enum import Enum

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope

# Where server.py leaves the connection's transport in the ASGI scope, under "extensions".
TRANSPORT_EXTENSION = "demo_server.transport"
# What marks a request as one that opened a stream; access_log.py looks for it.
STREAM_MARK = "demo_server.is_stream"

# At full blast a send returns at once while the client keeps up, so nothing else would ever run: a stream
# gives way after so many events.
EVENTS_PER_TURN = 64

# For sse-starlette. Without one, a client that stops reading holds its generator, and whatever that has open, for ever.
SEND_TIMEOUT_S = 5.0


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

    def ticks(self, first_seq: int, limit: int | None, interval_s: float, heartbeat_s: float = 0) -> Ticks:
        """Iterate over the sequence number of each event when it is due, and a notice where one is to be given.

        Ends after ``limit`` events, or when the stream is ended; a heartbeat comes after so many seconds of silence.
        """
        return Ticks(self, first_seq, limit, interval_s, heartbeat_s)

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait for a time of the loop's clock, or until the stream is ended; always let other tasks run."""
        waiter = self._waiter = self._loop.create_future()
        if self.ended or deadline_s <= self._loop.time():  # after the line above: a signal may come between any two
            await asyncio.sleep(0)
            return
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


class Ticks:
    """When what is to be sent. Not an async generator: one that is left half-way must be closed by somebody."""

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
            if stream.is_farewell:
                return Notice.FAREWELL
            raise StopAsyncIteration
        self._seq = seq + 1
        # From the last deadline and not from now: lateness of one event must not delay all that follow.
        self._deadline_s += self._interval_s
        return seq


class Streams:
    """All streams of this server."""

    def __init__(self) -> None:
        self.stats = Stats()
        self._open: set[Stream] = set()
        self._ended = False

    @contextmanager
    def open(self, scope: Scope, receive: Receive | None = None) -> Iterator[Stream]:
        """Count a stream as open for as long as the block runs; with a `receive`, end it when its client leaves."""
        with self.hold(scope, receive) as stream:
            scope[STREAM_MARK] = True
            self.stats.streams_opened += 1
            self.stats.streams_open += 1
            try:
                yield stream
            finally:
                self.stats.streams_open -= 1

    @contextmanager
    def hold(self, scope: Scope, receive: Receive | None = None) -> Iterator[Stream]:
        """Have a response that is none, but takes its time, ended as the streams are."""
        stream = Stream(self.stats, scope["extensions"][TRANSPORT_EXTENSION])
        self._open.add(stream)
        if self._ended:  # not before it is among the others: the signal may come in between
            stream.end(is_farewell=True)
        watcher = None if receive is None else asyncio.create_task(end_on_disconnect(receive, stream))
        try:
            yield stream
        finally:
            if watcher is not None:
                watcher.cancel()
            self._open.discard(stream)

    async def read_stats(self) -> tuple[int, ...]:
        """Return the counters of this worker, in the order of Stats."""
        return astuple(self.stats)

    def end_all(self) -> None:
        """End every stream, those still to be opened included."""
        self._ended = True
        for stream in self._open:
            stream.end(is_farewell=True)


def opened(connection: HTTPConnection, receive: Receive | None = None) -> AbstractContextManager[Stream]:
    """Open a stream of the server that got this request."""
    streams: Streams = connection.app.state.streams
    return streams.open(connection.scope, receive)


async def end_on_disconnect(receive: Receive, stream: Stream) -> None:
    """End the stream when its client has left, without a check per event."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass
    stream.end()


def resolve(waiter: asyncio.Future[None]) -> None:
    """Resolve a future that may have been resolved or cancelled meanwhile."""
    if not waiter.done():
        waiter.set_result(None)

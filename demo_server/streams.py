"""The open streams: counted, paced, and ended from outside.

Every endpoint runs its loop inside ``with streams.open(scope) as stream`` and stops when ``stream.ended``.
Whoever ends the stream wakes the loop from its wait at once, without a cancellation that could hit it
half-way through a send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import Scope

# Where server.py leaves the connection's transport in the ASGI scope, under "extensions".
TRANSPORT_EXTENSION = "demo_server.transport"


@dataclass(slots=True)
class Stats:
    """The counters that /stats shows."""

    streams_opened: int = 0
    streams_open: int = 0
    events_sent: int = 0


class Stream:
    """One open stream."""

    __slots__ = ("_loop", "_stats", "_waiter", "ended", "transport")

    def __init__(self, stats: Stats, transport: asyncio.WriteTransport) -> None:
        self.ended = False
        self.transport = transport
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait for a time of the loop's clock, or until the stream is ended; always let other tasks run."""
        if self.ended or deadline_s <= self._loop.time():
            await asyncio.sleep(0)
            return
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_at(deadline_s, wake, waiter)
        try:
            await waiter
        finally:
            timer.cancel()

    def end(self) -> None:
        """Have the stream's loop stop, at once if it is waiting."""
        self.ended = True
        if self._waiter is not None:
            wake(self._waiter)

    def count_event(self) -> None:
        """Count an event whose send was awaited; if the socket refused it, end the stream instead.

        An ASGI server drops what is sent to a client that has left, without saying so. Its transport knows, even
        between the refused write and the moment the disconnect is announced; and it logs what is still written.
        """
        if self.transport.is_closing():
            self.ended = True
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
        stream.ended = self._ended
        self._open.add(stream)
        self.stats.streams_opened += 1
        self.stats.streams_open += 1
        try:
            yield stream
        finally:
            self._open.discard(stream)
            self.stats.streams_open -= 1

    def end_all(self) -> None:
        """End every stream, those still to be opened included."""
        self._ended = True
        for stream in self._open:
            stream.end()


def wake(waiter: asyncio.Future[None]) -> None:
    """Resolve a future that may have been resolved or cancelled meanwhile."""
    if not waiter.done():
        waiter.set_result(None)

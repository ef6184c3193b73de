"""All open streams of one worker: counted, ended when their client disconnects, and ended together at shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope

from demo_server.streams.scope_keys import STREAM_MARK, TRANSPORT_EXTENSION
from demo_server.streams.stream import Stats, Stream


class Streams:
    """All streams of this worker."""

    def __init__(self) -> None:
        self.stats = Stats()
        self._open: set[Stream] = set()
        self._ended = False

    @contextmanager
    def open(self, scope: Scope, receive: Receive | None = None) -> Iterator[Stream]:
        """Count a stream as open inside the block. With ``receive``, a disconnect of the client ends the stream."""
        with self.track(scope, receive) as stream:
            scope[STREAM_MARK] = True
            self.stats.streams_opened += 1
            self.stats.streams_open += 1
            try:
                yield stream
            finally:
                self.stats.streams_open -= 1

    @contextmanager
    def track(self, scope: Scope, receive: Receive | None = None) -> Iterator[Stream]:
        """End a slow response like a stream, but do not count it as one."""
        stream = Stream(self.stats, scope["extensions"][TRANSPORT_EXTENSION])
        self._open.add(stream)
        if self._ended:  # checked after the stream is registered: a signal handler may run in between
            stream.end(is_shutdown=True)
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
        """End every stream, including those that are opened later."""
        self._ended = True
        for stream in self._open:
            stream.end(is_shutdown=True)


def open_stream(connection: HTTPConnection, receive: Receive | None = None) -> AbstractContextManager[Stream]:
    """Open a stream for a request or WebSocket."""
    streams: Streams = connection.app.state.streams
    return streams.open(connection.scope, receive)


async def end_on_disconnect(receive: Receive, stream: Stream) -> None:
    """End the stream when its client disconnects; this needs no check per event."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass
    stream.end()

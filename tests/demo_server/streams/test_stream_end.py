"""The end of streams, at moments that a real client cannot choose."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest

from demo_server.streams.registry import Streams
from demo_server.streams.scope_keys import TRANSPORT_EXTENSION
from demo_server.streams.stream import Stats, Stream


async def test_signal_just_before_a_stream_sleeps_wakes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    stream = Stream(Stats(), Mock())
    create_future = loop.create_future

    def interrupted() -> asyncio.Future[None]:
        stream.end(is_shutdown=True)  # like a signal handler, which may run between any two statements
        return create_future()

    monkeypatch.setattr(loop, "create_future", interrupted)
    async with asyncio.timeout(1):
        await stream.sleep_until(loop.time() + 3600)


async def test_signal_during_the_opening_of_a_stream_ends_it() -> None:
    streams = Streams()

    class Interrupted(set[Stream]):
        def add(self, stream: Stream) -> None:
            streams.end_all()
            super().add(stream)

    streams._open = Interrupted()
    with streams.open({"extensions": {TRANSPORT_EXTENSION: Mock()}}) as stream:
        assert (stream.ended, stream.is_shutdown) == (True, True)


async def test_stream_opened_after_the_end_is_ended() -> None:
    streams = Streams()
    streams.end_all()
    with streams.open({"extensions": {TRANSPORT_EXTENSION: Mock()}}) as stream:
        assert (stream.ended, stream.is_shutdown) == (True, True)

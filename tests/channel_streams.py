"""Open streams of a channel, read on demand."""

from __future__ import annotations

from contextlib import ExitStack

import httpx

from sseclient_cli import Event, EventStreamParser

Options = tuple[tuple[int, int, int], ...]


class ChannelStream:
    """One subscriber."""

    def __init__(self, stack: ExitStack, client: httpx.Client, url: str, last_event_id: str = "") -> None:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        response = stack.enter_context(client.stream("GET", url, headers=headers))
        assert response.status_code == 200
        self._chunks = response.iter_raw()
        self._parser = EventStreamParser()
        self._waiting = list[Event]()

    def read(self, count: int) -> list[Event]:
        """Return the next events."""
        while len(self._waiting) < count:
            self._waiting += self._parser.feed(next(self._chunks))
        events, self._waiting = self._waiting[:count], self._waiting[count:]
        return events

    def rest(self) -> list[Event]:
        """Read to the end."""
        for chunk in self._chunks:
            self._waiting += self._parser.feed(chunk)
        return self._waiting


def open_streams(stack: ExitStack, url: str, count: int, socket_options: Options = ()) -> list[ChannelStream]:
    """Subscribe this many times."""
    transport = httpx.HTTPTransport(limits=httpx.Limits(max_connections=None), socket_options=socket_options)
    client = stack.enter_context(httpx.Client(timeout=30, trust_env=False, transport=transport))
    return [ChannelStream(stack, client, url) for _ in range(count)]

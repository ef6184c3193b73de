"""The ASGI application of a replay: every path, with every method, is a recorded stream.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from itertools import count
from typing import Any, TypeAlias

from sseclient_cli.replay.encoding import CONTENT_TYPES, comment
from sseclient_cli.replay.pacing import Pacing
from sseclient_cli.replay.playback import Playback
from sseclient_cli.replay.stream_paths import stream_at, stream_paths
from sseclient_cli.replay.timeline import Timeline
from sseclient_cli.sse.stream_format import StreamFormat

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

UNKNOWN_ID = comment(" the recording has no event with this Last-Event-ID: from the start")


class Replay:
    """The application, with a timeline for each stream of the recording.

    ``end`` ends all responses, before the server stops.
    """

    def __init__(self, timelines: Sequence[Timeline], pacing: Pacing) -> None:
        self._timelines = timelines
        self._paths = stream_paths(timelines[0].header)
        self._pacing = pacing
        self._numbers = count()
        self._playing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["method"] == "OPTIONS":
            await _respond(send, 204, [*_cors(headers), *_preflight(headers)])
            return
        timeline = self._timelines[stream_at(self._paths, scope["path"], scope["query_string"].decode("latin-1"))]
        last_event_id = headers.get(b"last-event-id", b"").decode("utf-8", "replace")
        position = timeline.position_after(last_event_id) if last_event_id else 0
        if position and not self._pacing.is_looping and not timeline.has_event_at(position):
            # "Clients will reconnect if the connection is closed; a client can be told to stop reconnecting using the
            # HTTP 204 No Content response code." (WHATWG HTML 9.2.1)
            await _respond(send, 204, _cors(headers))
            return
        content_type = CONTENT_TYPES[timeline.stream_format].encode()
        head = [(b"content-type", content_type), (b"cache-control", b"no-store"), *_cors(headers)]
        if scope["method"] == "HEAD":
            await _respond(send, 200, head)
            return
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await self._play_while_connected(timeline, position, receive, send)
        await send({"type": "http.response.body", "body": b""})

    def end(self) -> None:
        """End all responses."""
        for task in self._playing:
            task.cancel()

    async def _play_while_connected(
        self, timeline: Timeline, position: int | None, receive: Receive, send: Send
    ) -> None:
        async def write(payload: bytes) -> None:
            await send({"type": "http.response.body", "body": payload, "more_body": True})

        async def play() -> None:
            if position is None and timeline.stream_format is StreamFormat.SSE:
                await write(UNKNOWN_ID)
            await Playback(timeline, self._pacing, next(self._numbers), write).play(position or 0)

        playing = asyncio.create_task(play())
        self._playing.add(playing)
        # uvicorn (0.54) ignores messages to a client that has disconnected.
        disconnected = asyncio.create_task(_disconnected(receive))
        disconnected.add_done_callback(lambda _: playing.cancel())
        try:
            await asyncio.wait([playing])
            if not playing.cancelled():
                playing.result()
        finally:
            self._playing.discard(playing)
            playing.cancel()
            disconnected.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _respond(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _cors(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Allow every page to read the response, also one that sends credentials, for which `*` does not suffice."""
    origin = headers.get(b"origin")
    if origin is None:
        return [(b"access-control-allow-origin", b"*")]
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def _preflight(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    asked = {
        b"access-control-allow-methods": headers.get(b"access-control-request-method", b"GET"),
        b"access-control-allow-headers": headers.get(b"access-control-request-headers", b"Last-Event-ID"),
    }
    return [*asked.items(), (b"access-control-max-age", b"600")]

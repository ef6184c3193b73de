"""The order of events and comments, for all ways to cut a stream into chunks."""

from __future__ import annotations

import random

import pytest

from sseclient_cli.client.received import Received
from sseclient_cli.client.socket_stream import Arrival
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.framing import StreamFormat

LINES = (b":", b": ping", b"data: x", b"data:", b"", b"", b"id: 7", b"event: t", b"da:ta", b" :no")
NOW = Arrival(1, by_kernel=False)


def received(chunks: list[bytes]) -> list[str]:
    queue = Received("", with_comments=True, max_event_bytes=1000)
    queue.begin("", NOW, StreamFormat.SSE)
    taken = []
    for chunk in chunks:
        queue.feed(chunk, NOW)
        while queue:
            item = queue.take()
            taken.append(item.data if isinstance(item, Event) else f":{item}")
    return taken


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_comments_keep_their_place_between_events_however_the_stream_is_cut(line_end: bytes) -> None:
    for seed in range(200):
        rng = random.Random(seed)
        stream = line_end.join(rng.choices(LINES, k=30)) + line_end
        cuts = sorted(rng.sample(range(len(stream)), 3))
        chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert received(chunks) == received([stream[at : at + 1] for at in range(len(stream))]), (seed, chunks)


@pytest.mark.parametrize(
    ("stream_format", "body", "words"),
    [
        (StreamFormat.NDJSON, b'{"n":1}{"n":2}', "14 bytes received but no event: no line end follows"),
        (StreamFormat.NDJSON, b'{"n":1}\n{"n":2}', ""),
        (StreamFormat.SSE, b"retry:2000\n\n:\n\n", ""),
        (StreamFormat.SSE, b'{"n":1}\n', "8 bytes received but no event: it is JSON"),
    ],
)
def test_a_stream_that_is_closed_without_an_event_explains_its_bytes(
    stream_format: StreamFormat, body: bytes, words: str
) -> None:
    queue = Received("", with_comments=False, max_event_bytes=1000)
    queue.begin("", NOW, stream_format)
    queue.feed(body, NOW)
    diagnosis = queue.end(by_server=False)
    assert diagnosis.startswith(words)
    assert bool(diagnosis) == bool(words)

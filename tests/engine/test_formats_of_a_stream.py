"""One stream of the engine whose body is newline-delimited JSON, lines or chunks; the tests run its turns."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from engines import engine_context, measurement_of
from scripted_server import LAST_CHUNK, SSE, chunk, head

from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.observer import StreamObserver
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.stream import Stream
from sseclient_cli.errors import SseError
from sseclient_cli.measure.event_sampler import EventSampler
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.sse.stream_format import StreamFormat

AUTO = StreamFormat.AUTO
NDJSON = head(headers=b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n")
TEXT = head(headers=b"Content-Type: text/plain\r\n")


class Recorder(StreamObserver):
    """An observer that keeps the data of the events."""

    def __init__(self) -> None:
        self.data: list[str] = []

    def received(self, body: bytes, events: list[Event], *_: Any, **__: Any) -> None:
        self.data += [event.data for event in events]


class RecordingOwner:
    """An owner that keeps how the stream ended."""

    def __init__(self) -> None:
        self.endings: list[str] = []

    def opened(self, stream: Stream) -> None:
        pass

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        self.endings.append("end" if error is None else f"{error.kind}: {error}")

    def completed(self, stream: Stream) -> None:
        self.endings.append("complete")
        stream.close()


@dataclass(frozen=True)
class Answered:
    """What a stream made of a response."""

    data: list[str]
    endings: list[str]
    sampler: EventSampler
    stream: Stream


@contextmanager
def answered(
    response: bytes, stream_format: StreamFormat = AUTO, *, is_closed: bool = True, **settings: Any
) -> Iterator[Answered]:
    """Yield a stream that has received this response."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Poller() as poller:
        context = engine_context(poller, listener.getsockname()[1], stream_format, **settings)
        context.clock.ends_ns = time.monotonic_ns() + 10**12
        context.clock.synchronize()
        measurement = measurement_of(context, Choice.NONE)
        sampler, recorder, owner = EventSampler(measurement), Recorder(), RecordingOwner()
        stream = Stream(context, owner, observers=(sampler, recorder))
        stream.connect(time.monotonic_ns())
        connection, _ = listener.accept()
        with connection:
            connection.sendall(response)
            if is_closed:
                connection.shutdown(socket.SHUT_WR)
            ends_s = time.monotonic() + 20
            while not (owner.endings or (recorder.data and not is_closed)) and time.monotonic() < ends_s:
                poller.handle_ready(0.01)
            yield Answered(recorder.data, owner.endings, sampler, stream)
            stream.close()


@pytest.mark.parametrize(
    ("response", "stream_format", "data"),
    [
        (NDJSON + chunk(b'{"a":1}\n\n{"b"') + chunk(b":2}\r\n3") + LAST_CHUNK, AUTO, ['{"a":1}', '{"b":2}', "3"]),
        (TEXT + b"a\n\nb", AUTO, ["a", "", "b"]),
        (head() + b"data: a\n\ndata: b", AUTO, ["a"]),
        (head() + b"data: a\n\n", StreamFormat.LINES, ["data: a", ""]),
        (head(headers=b"") + b"1\n2", StreamFormat.NDJSON, ["1", "2"]),
    ],
)
def test_the_body_ends_with_its_last_line(response: bytes, stream_format: StreamFormat, data: list[str]) -> None:
    with answered(response, stream_format) as seen:
        assert (seen.data, seen.sampler.events, seen.endings) == (data, len(data), ["end"])


def test_the_pieces_of_one_read_are_one_chunk() -> None:
    response = head(headers=SSE + b"Transfer-Encoding: chunked\r\n") + chunk(b"a\n") + chunk(b"b")
    with answered(response, StreamFormat.CHUNKS, is_closed=False) as seen:
        assert seen.data == ["a\nb"]
        assert (seen.sampler.events, seen.stream.phase) == (len(seen.data), Phase.OPEN)


def test_a_last_line_without_line_end_can_complete_a_stream() -> None:
    for count, data in ((2, ["1", "2"]), (3, ["1", "2", "3"])):
        with answered(NDJSON + chunk(b"1\n2\n3") + LAST_CHUNK, events_per_stream=count) as seen:
            assert (seen.data, seen.endings) == (data, ["complete"])


def test_the_start_of_a_line_that_was_cut_is_no_event() -> None:
    with answered(NDJSON + chunk(b"1\n2")) as seen:
        assert seen.data == ["1"]
        assert [ending.partition(":")[0] for ending in seen.endings] == ["connection-lost"]


@pytest.mark.parametrize("body", [b"data: x\n\n", b": ping\n\n"])
def test_text_that_begins_as_an_event_stream_is_refused(body: bytes) -> None:
    with answered(TEXT + body) as seen:
        assert seen.data == []
        assert seen.endings[0].startswith("content-type: GET http://127.0.0.1:1/ answered 200 with 'text/plain'")


def test_a_line_beyond_the_limit_ends_the_stream() -> None:
    with answered(NDJSON + chunk(b"1\n23456") + LAST_CHUNK, max_event_bytes=4) as seen:
        assert seen.data == ["1"]
        assert seen.endings[0].startswith("event-too-large")


def test_a_stream_without_records_is_not_said_to_be_a_bad_event_stream() -> None:
    with answered(NDJSON + chunk(b"\n\n{") + b"5\r\n") as seen:
        assert (seen.sampler.events, seen.sampler.complaint) == (0, "")
    with answered(head() + b"{}\n") as seen:
        assert "it is JSON" in seen.sampler.complaint

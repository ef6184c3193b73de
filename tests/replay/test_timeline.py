"""The blocks of a recording, and how its records are encoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import at_ms, numbered, recording_file

from sseclient_cli.client.recording import Ended, Header, Opened, Record, RecordedComment, RecordedRetry, encode
from sseclient_cli.client.recording_reader import DamagedLine
from sseclient_cli.replay import timeline as timeline_module
from sseclient_cli.replay.encoding import encoded as encoded_in
from sseclient_cli.replay.stream_paths import stream_at, stream_paths
from sseclient_cli.replay.timeline import MAX_BLOCK_ITEMS, Timeline
from sseclient_cli.sse.event_stream import Event, EventStreamParser
from sseclient_cli.sse.framing import parser_of
from sseclient_cli.sse.stream_format import StreamFormat

encoded = partial(encoded_in, stream_format=StreamFormat.SSE)
WORD = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: text.translate({0: None, 10: None, 13: None}))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(WORD, WORD, TEXT)))
def test_a_parser_reads_the_recorded_events(events: list[tuple[str, str, str]]) -> None:
    sent = b"".join(encoded(at_ms(0, data, type=kind or "message", id=each_id)) for kind, each_id, data in events)
    lf_only = [data.replace("\r\n", "\n").replace("\r", "\n") for _, _, data in events]
    received = EventStreamParser().feed(sent)
    assert received == [Event(k or "message", d, i) for (k, i, _), d in zip(events, lf_only, strict=True)]


@given(TEXT)
def test_a_parser_reads_the_recorded_comments(text: str) -> None:
    comments: list[str] = []
    parser = EventStreamParser(on_comment=comments.append)
    assert parser.feed(encoded(RecordedComment(arrived_ns=0, elapsed_ns=0, text=text))) == []
    assert "\n".join(comments) == text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_parser_reads_the_recorded_retry() -> None:
    parser = EventStreamParser()
    parser.feed(encoded(RecordedRetry(arrived_ns=0, elapsed_ns=0, retry_ms=1500)))
    assert parser.reconnection_time_ms == 1500


def payloads(timeline: Timeline, position: int = 0) -> list[bytes]:
    found: list[bytes] = []
    while items := timeline.block_at(position):
        found += [item.payload for item in items]
        position += len(items)
    return found


@contextmanager
def made(folder: Path, *lines: Record | bytes) -> Iterator[tuple[Timeline, list[DamagedLine]]]:
    damaged: list[DamagedLine] = []
    with Timeline(recording_file(folder, *lines), damaged.append) as timeline:
        yield timeline, damaged


def test_all_items_are_found_from_every_position(tmp_path: Path) -> None:
    records = numbered(2 * MAX_BLOCK_ITEMS + 10, 1)
    expected = [encoded(record) for record in records]
    with made(tmp_path, *records[:300], b"damaged\n", *records[300:]) as (timeline, damaged):
        assert len(timeline) == timeline.events == len(expected)
        for position in (0, 1, MAX_BLOCK_ITEMS - 1, MAX_BLOCK_ITEMS, 299, 300, 301, len(expected) - 1, len(expected)):
            assert payloads(timeline, position) == expected[position:]
    assert [line.number for line in damaged] == [302]


def test_a_carriage_return_does_not_end_a_line(tmp_path: Path) -> None:
    event = encode(at_ms(0, "a"))
    with made(tmp_path, event.replace(b"{", b"{\r", 1), event.replace(b"\n", b"\r\n")) as (timeline, damaged):
        assert payloads(timeline) == [encoded(at_ms(0, "a"))] * 2
    assert damaged == []


def test_items_are_read_again_when_the_cache_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_module, "MAX_CACHE_BYTES", 1)
    with made(tmp_path, *numbered(1000, 1)) as (timeline, _):
        assert payloads(timeline) == payloads(timeline)
        assert len(timeline._cache) == 1


def test_a_client_continues_after_the_last_event_with_its_id(tmp_path: Path) -> None:
    events = [at_ms(number, "x", id=each) for number, each in enumerate(["a", "b", "b", "", "c"])]
    with made(tmp_path, *events) as (timeline, _):
        assert [timeline.position_after(each) for each in ("a", "b", "c", "d")] == [1, 3, 5, None]
        assert [timeline.has_event_at(position) for position in (0, 4, 5)] == [True, True, False]


@given(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=20))
def test_the_position_after_an_id_is_that_of_a_plain_search(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str]
) -> None:
    with made(tmp_path_factory.mktemp("ids"), *(at_ms(0, "x", id=each) for each in ids)) as (timeline, _):
        for each in set(ids):
            assert timeline.position_after(each) == len(ids) - ids[::-1].index(each)


def test_the_end_of_the_connection_counts_for_the_duration(tmp_path: Path) -> None:
    end = Ended(arrived_ns=0, elapsed_ns=7_000_000_000, reason="x")
    with made(tmp_path, at_ms(1, "x"), end) as (timeline, _):
        assert timeline.duration_ns == 7_000_000_000


def test_times_never_decrease(tmp_path: Path) -> None:
    with made(tmp_path, at_ms(5, "a"), at_ms(3, "b"), at_ms(9, "c")) as (timeline, _):
        assert [item.due_ns for item in timeline.block_at(0)] == [5_000_000, 5_000_000, 9_000_000]


def test_a_block_ends_at_its_size(tmp_path: Path) -> None:
    big = [at_ms(number, "x" * 70_000) for number in range(3)]
    with made(tmp_path, *big) as (timeline, _):
        assert len(timeline.block_at(0)) == 1
        assert payloads(timeline) == [encoded(each) for each in big]


@pytest.mark.parametrize("stream_format", [StreamFormat.NDJSON, StreamFormat.LINES])
def test_lines_are_replayed_as_lines(stream_format: StreamFormat, tmp_path: Path) -> None:
    opened = Opened(arrived_ns=0, elapsed_ns=0, status=200, headers={}, format=stream_format.value)
    comment = RecordedComment(arrived_ns=0, elapsed_ns=0, text="not sent")
    with made(tmp_path, opened, comment, at_ms(1, '{"a": 1}'), at_ms(2, "[2]")) as (timeline, _):
        assert timeline.stream_format is stream_format
        received = parser_of(stream_format).feed(b"".join(payloads(timeline)))
    assert [event.data for event in received] == ['{"a": 1}', "[2]"]


def test_an_unknown_format_is_replayed_as_an_event_stream(tmp_path: Path) -> None:
    opened = Opened(arrived_ns=0, elapsed_ns=0, status=101, headers={}, format="websocket")
    with made(tmp_path, opened, at_ms(1, "x")) as (timeline, _):
        assert payloads(timeline) == [encoded(at_ms(1, "x"))]


def test_each_stream_of_a_recording_has_its_own_items(tmp_path: Path) -> None:
    path = recording_file(tmp_path)
    header = Header(recording=1, streams=["http://a/x", "http://b/y"], started_ns=0)
    records = [replace(at_ms(number, str(number)), stream=number % 2) for number in range(1000)]
    path.write_bytes(encode(header) + b"".join(map(encode, records)))
    for stream in (0, 1):
        with Timeline(path, lambda _: None, stream) as timeline:
            assert payloads(timeline) == [encoded(record) for record in records if record.stream == stream]


def test_a_stream_is_found_by_its_path_and_query() -> None:
    urls = ["http://a/x?n=1", "http://a/x?n=2", "http://b/x?n=1", "http://c"]
    paths = stream_paths(Header(recording=1, streams=urls, started_ns=0))
    assert paths == ["/x?n=1", "/x?n=2", "/3", "/"]
    asked = [("/x", "n=2"), ("/x", "n=9"), ("/3", ""), ("/", ""), ("/other", "")]
    assert [stream_at(paths, path, query) for path, query in asked] == [1, 0, 2, 3, 0]


def test_a_file_that_was_cut_during_the_replay_ends_it(tmp_path: Path) -> None:
    records = numbered(1000, 1)
    path = recording_file(tmp_path, *records)
    with Timeline(path, lambda _: None) as timeline:
        os.truncate(path, path.stat().st_size // 2)
        found = payloads(timeline)
    assert 0 < len(found) < 1000
    assert found == [encoded(record) for record in records[: len(found)]]

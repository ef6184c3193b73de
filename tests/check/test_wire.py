"""The lines of a body, and the judgements of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.check.blocks import read_wire
from sseclient_cli.check.bodies import judge_body
from sseclient_cli.check.catalogue import Check, Result, Status
from sseclient_cli.check.recording import MAX_BYTES, End, Head, Recording
from sseclient_cli.sse.event_stream import EventStreamParser

PIECES = [
    b"data", b"id", b"event", b"retry", b"Data", b":", b": ", b" ", b"1", b"x", b"\xe9", b"\0", b"\r", b"\n", b"\r\n",
    b"\xef\xbb\xbf",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_the_blocks_with_data_are_the_events_of_the_parser(body: bytes) -> None:
    parser = EventStreamParser()
    assert len(read_wire(body).events) == len(parser.feed(body))


@given(st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_a_new_id_is_that_of_the_parser(body: bytes) -> None:
    parser, ids = EventStreamParser(), list[str]()
    for event in parser.feed(body):
        ids.append(event.id)
    own = [block.own_id for block in read_wire(body).events]
    assert all(
        event_id == mine.decode("utf-8", "replace") for event_id, mine in zip(ids, own, strict=True) if mine is not None
    )


def recorded(*pieces: bytes, end: End = End.OPEN, problem: str = "") -> Recording:
    """Record pieces that arrive a second apart, beginning a second after the head."""
    recording = Recording(Head(200, {"content-type": "text/event-stream"}, 0, 1_000_000))
    for number, piece in enumerate(pieces, 1):
        recording.feed(piece, number * 1_000_000_000)
    recording.close(len(pieces) * 1_000_000_000, end, problem)
    return recording


def result(check: Check, results: Sequence[Result]) -> tuple[Status, str]:
    (found,) = [each for each in results if each.check is check]
    return found.status, found.seen


@pytest.mark.parametrize(
    ("check", "body", "status", "words"),
    [
        (Check.RETRY, b"retry: 3000\n\n", Status.OK, "3,000 ms"),
        (Check.RETRY, b"retry: 0\n\n", Status.WARNING, "0 ms"),
        (Check.RETRY, b"retry: 600000\n\n", Status.WARNING, "600,000 ms"),
        (Check.RETRY, b"retry: 3s\n\n", Status.FAULT, "'3s'"),
        (Check.IDS, b"data: 1\n\n", Status.WARNING, "none in 1 event"),
        (Check.IDS, b"id: 1\ndata: 1\n\ndata: 2\n\n", Status.OK, "1 of 2 events"),
        (Check.IDS, b"id: 1\ndata: 1\n\nid: 2\ndata\n\nid: 1\ndata: 3\n\n", Status.FAULT, "'1' repeated"),
        (Check.IDS, b"id: 1\n\nid: 1\ndata: the block before is no event\n\n", Status.OK, "1 event"),
        (Check.IDS, b"id: a\0b\ndata: 1\n\n", Status.FAULT, r"'a\x00b'"),
        (Check.IDS, b"id:  a\ndata: HTTP strips the space\n\n", Status.FAULT, "cannot send"),
        (Check.IDS, b": nothing\n\n", Status.NOT_CHECKED, "no event"),
        (Check.UTF_8, b"data: \xe9\n\n", Status.FAULT, "invalid at byte 6"),
        (Check.UTF_8, b"data: \xc3", Status.OK, "valid"),  # the rest of the character comes later
        (Check.UTF_8, b"\xef\xbb\xbfdata: 1\n\n", Status.WARNING, "byte order mark"),
        (Check.LINE_ENDS, b"data: 1\r\n\n", Status.WARNING, "1 CRLF, 1 LF"),
        (Check.FIELDS, b"data: 1\nDATA: 2\n\n", Status.FAULT, "1 line ignored: 'DATA: 2'"),
        (Check.FIELDS, b'{"a": 1}\n{"a": 2}\n', Status.FAULT, "JSON"),
        (Check.FIELDS, b"data: 1\n\n", Status.OK, "known"),
        (Check.ERROR_EVENTS, b'data: {"error": "x"}\n\ndata: 2\n\n', Status.FAULT, "1 of 2 events"),
        (Check.EVENT_SIZE, b"data: " + b"x" * 300_000 + b"\n\n", Status.WARNING, "293 KiB"),
        (Check.EVENT_SIZE, b"data: " + b"x" * (MAX_BYTES + 1), Status.FAULT, "more than 8.0 MiB"),
    ],
)
def test_a_body_is_judged(check: Check, body: bytes, status: Status, words: str) -> None:
    found, seen = result(check, list(judge_body(recorded(body))))
    assert found is status, seen
    assert words in seen


@pytest.mark.parametrize(
    ("end", "body", "status"),
    [
        (End.OPEN, b"data: 1\n", Status.NOT_CHECKED),
        (End.ENDED, b"data: 1\n", Status.FAULT),
        (End.ENDED, b"data: 1\n\nid: 2\n", Status.OK),
        (End.BROKEN, b"data: 1\n\n", Status.FAULT),
    ],
)
def test_the_end_of_a_body_is_judged(end: End, body: bytes, status: Status) -> None:
    found, seen = result(Check.LAST_EVENT, list(judge_body(recorded(body, end=end, problem="reset"))))
    assert found is status, seen


def test_ids_of_a_request_that_is_not_resumed_are_not_missed() -> None:
    results = list(judge_body(recorded(b"data: 1\n\n"), is_resumable=False))
    assert result(Check.IDS, results)[0] is Status.OK


def test_text_of_a_server_is_cut_and_made_visible() -> None:
    _, seen = result(Check.FIELDS, list(judge_body(recorded(b"data: 1\n\x1b[31m" + b"x" * 500 + b"\n\n"))))
    assert "\\x1b[31m" in seen
    assert len(seen) < 100


def test_a_recording_has_a_limit() -> None:
    recording = recorded(*[b"data: " + b"x" * 1_000_000 + b"\n\n"] * 20)
    assert recording.end is End.FULL
    assert MAX_BYTES < recording.size_bytes < MAX_BYTES + 2_000_000

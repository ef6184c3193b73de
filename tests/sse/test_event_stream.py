"""The parser against the vectors of public test suites (their sources are in tests/data/parser_vectors.json)."""

import base64
import copy
import hashlib
import json
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event_stream import Event, EventStreamParser

VECTORS = json.loads(Path(__file__).parent.parent.joinpath("data/parser_vectors.json").read_text("utf-8"))
ALPHABET = [b"\n", b"\r", b"\r\n", b"data", b"id", b"event", b"retry", b":", b" ", b"7", b"x", b"\0", b"\xef\xbb\xbf",
            b"\xe2\x82\xac", b"\xe2", b"\xff", b"data: a\n\n", b": ping\n\n", b"id: 1\ndata: {}\n\n"]  # fmt: skip


def by_name(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in vectors]


def one_by_one(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


def parsed(chunks: Iterable[bytes], last_event_id: str = "") -> tuple[Any, ...]:
    """The observable state of a parser after these chunks."""
    comments: list[str] = []
    parser = EventStreamParser(last_event_id, comments.append)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events, comments, parser.last_event_id, parser.reconnection_time_ms


def expected(vector: dict[str, Any]) -> tuple[Any, ...]:
    events = [Event(event["event"], event["data"], event["id"]) for event in vector["expected_events"]]
    return events, vector["expected_comments"], vector["expected_last_event_id"], vector["expected_retry"]


@pytest.mark.parametrize("vector", by_name(VECTORS["parser_vectors"]))
def test_a_vector_passes_whole_byte_by_byte_and_at_every_two_way_split(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["input_base64"])
    want, seed = expected(vector), vector["initial_last_event_id"]
    assert parsed([data], seed) == want
    assert parsed(one_by_one(data), seed) == want
    for cut in range(1, len(data)):
        assert parsed([data[:cut], data[cut:]], seed) == want, f"cut at byte {cut}"


@pytest.mark.parametrize("vector", by_name(VECTORS["parser_vectors"]))
def test_each_event_of_a_vector_is_returned_at_its_earliest_byte(vector: dict[str, Any]) -> None:
    parser = EventStreamParser(vector["initial_last_event_id"])
    offsets: list[int] = []
    for offset, byte in enumerate(one_by_one(base64.b64decode(vector["input_base64"])), start=1):
        offsets += [offset] * len(parser.feed(byte))
    assert offsets == vector["dispatch_offsets"]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1 << 30, 64 * 1024, 1021])
@pytest.mark.parametrize("vector", by_name(VECTORS["large_vectors"]))
def test_a_large_vector_passes_in_chunks_of_any_size(vector: dict[str, Any], size: int) -> None:
    data = b"".join(part["text"].encode() * part["repeat"] for part in vector["input_parts"])
    assert hashlib.sha256(data).hexdigest() == vector["input_sha256"]
    parser = EventStreamParser()
    events = [event for piece in pieces(data, size) for event in parser.feed(piece)]
    want = vector["expected_events"]
    if isinstance(want, dict):
        each = want["each"]
        assert events == [Event(each["event"], each["data"], each["id"])] * want["count"]
    else:
        found = [(e.type, e.id, len(e.data), hashlib.sha256(e.data.encode()).hexdigest()) for e in events]
        assert found == [(e["event"], e["id"], e["data_length"], e["data_sha256"]) for e in want]


@given(st.lists(st.sampled_from(ALPHABET) | st.binary(max_size=4), max_size=40))
def test_the_fast_path_and_the_line_by_line_path_give_the_same_events(parts: list[bytes]) -> None:
    data = b"".join(parts)
    # A chunk of one line is never a whole block, so the second parser does not use the fast path.
    whole, lines = EventStreamParser(), EventStreamParser()
    assert whole.feed(data) == [event for line in data.splitlines(keepends=True) for event in lines.feed(line)]
    assert whole.last_event_id == lines.last_event_id


@pytest.mark.parametrize(
    ("stream", "ends_with_event"),
    [
        ("data: x\n\n", True),
        ("data: x\n\n\n", False),
        ("data: x\nretry: 1\n\n", True),
        ("data: x\nretry: 1\n\n\n\n", False),
    ],
)
def test_blank_lines_after_an_event_count_as_bytes_after_it(stream: str, ends_with_event: bool) -> None:
    parser = EventStreamParser()
    assert len(parser.feed(b"data: before\n\n" + stream.encode())) == 2
    assert parser.ends_with_event == ends_with_event


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_over_the_limit_is_an_error_after_the_events_before_it(end: bytes) -> None:
    parser = EventStreamParser(max_event_bytes=100)
    data = b"data: first" + end + end + b"data: " + b"x" * 200
    assert parser.feed(data) == [Event("message", "first", "")]
    with pytest.raises(EventTooLargeError) as caught:
        parser.feed(b"x")
    assert caught.value.kind == "event-too-large"
    assert caught.value.arguments == ("max_event_bytes",)
    assert str(caught.value) == "the stream holds an event of more than 100 bytes: raise `max_event_bytes`"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_an_event_of_exactly_the_limit_fits_and_one_more_byte_does_not(end: str) -> None:
    fits, does_not = ("€" * 20, "€" * 20 + "x")  # 60 bytes, 61 bytes
    for value, comes in ((fits, 1), (does_not, 0)):
        lines = ["\ufeffevent: four", ": no byte of this counts", "id: seven", f"data:{value}", "data", "", ""]
        data = end.join(lines).encode()
        for cut in range(len(data)):
            parser = EventStreamParser(max_event_bytes=11 + 9 + 5 + 60 + 4)
            try:
                events = parser.feed(data[:cut]) + parser.feed(data[cut:])
            except EventTooLargeError:
                events = []
            assert len(events) == comes, f"cut at byte {cut}"


def test_a_parser_raises_again_after_an_event_over_the_limit() -> None:
    parser = EventStreamParser(max_event_bytes=100)
    big = b"data: " + b"x" * 200 + b"\n\n"
    assert parser.feed(b"data: first\n\n" + big + b"data: hidden\n\n") == [Event("message", "first", "")]
    for _ in range(2):
        with pytest.raises(EventTooLargeError):
            parser.feed(b"data: later\n\n")


def test_the_limit_applies_to_the_sum_of_an_events_lines() -> None:
    parser = EventStreamParser(max_event_bytes=100)
    with pytest.raises(EventTooLargeError):
        for _ in range(20):
            parser.feed(b"data: 0123456789\n")


def test_any_number_of_events_within_the_limit_fit_into_one_chunk() -> None:
    parser = EventStreamParser(max_event_bytes=100)
    assert len(parser.feed(b"data: 0123456789\n\n" * 1000)) == 1000


def test_comments_do_not_count_against_the_limit() -> None:
    parser = EventStreamParser(max_event_bytes=100)
    for _ in range(50):
        parser.feed(b":" + b"c" * 80 + b"\n")
    assert parser.feed(b"data: x\n\n") == [Event("message", "x", "")]


def test_a_comment_without_on_comment_is_not_kept() -> None:
    parser = EventStreamParser(max_event_bytes=100)
    parser.feed(b":")
    for _ in range(1000):
        parser.feed(b"c" * 1000)
    assert parser.feed(b"\ndata: x\n\n") == [Event("message", "x", "")]


def test_an_endless_comment_with_on_comment_is_an_error() -> None:
    for end in (b"", b"\n"):
        parser = EventStreamParser(on_comment=lambda _: None, max_event_bytes=100)
        with pytest.raises(EventTooLargeError):
            parser.feed(b":" + b"c" * 200 + end)


def test_a_retry_of_five_thousand_digits_does_not_crash() -> None:
    parser = EventStreamParser()
    parser.feed(b"retry: " + b"9" * 5000 + b"\n")
    assert parser.reconnection_time_ms is not None
    assert parser.reconnection_time_ms > 10**3999


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Event("message", "x", "").data = "y"  # type: ignore[misc]


def test_every_event_of_a_chunk_has_the_arrival_time_of_the_chunk() -> None:
    simple, other = b"id: 1\ndata: x\n\n", b"data: 1\ndata: 2\n\n"
    parser = EventStreamParser()
    for arrived_ns, chunk in enumerate((simple, other, simple + other, other + simple * 3), 5):
        assert {event.arrived_ns for event in parser.feed(chunk, arrived_ns)} == {arrived_ns}


def test_an_event_in_several_chunks_has_the_arrival_time_of_the_last_one() -> None:
    for event in (b"data: x\n\n", b"event: e\ndata: 1\ndata: 2\n\n"):
        parser = EventStreamParser()
        pieces = [event[:3], event[3:-1]]
        assert [parser.feed(piece, arrived_ns) for arrived_ns, piece in enumerate(pieces, 5)] == [[], []]
        (complete,) = parser.feed(event[-1:], 7)
        assert complete.arrived_ns == 7


def test_the_arrival_time_defaults_to_zero() -> None:
    parser = EventStreamParser()
    assert [event.arrived_ns for event in parser.feed(b"data: x\n\n", 5) + parser.feed(b"data: x\n\ndata\n\n")] == [
        5,
        0,
        0,
    ]


def test_equality_hash_and_repr_ignore_the_arrival_time() -> None:
    early, late = Event("message", "x", "1", 5), Event("message", "x", "1", 6)
    assert early == late
    assert not early != late  # noqa: SIM202
    assert hash(early) == hash(late) == hash(("message", "x", "1"))
    assert repr(early) == "Event(type='message', data='x', id='1')" == repr(late)
    assert early == ("message", "x", "1")
    for other in (Event("e", "x", "1", 5), Event("message", "y", "1", 5), Event("message", "x", "2", 5)):
        assert early != other
    for unequal in (("message", "x", "1", 5), ["message", "x", "1"], "x", None):
        assert early != unequal


def test_a_copied_or_pickled_event_keeps_its_arrival_time() -> None:
    event = Event("message", "x", "1", 5)
    for same in (copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert (same, same.arrived_ns) == (event, 5)

"""The format JSON: the whole body is one event."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.framing import parser_of
from sseclient_cli.sse.stream_format import StreamFormat, format_of

JSON = StreamFormat.JSON


@given(cuts=st.lists(st.integers(0, 20)))
def test_the_body_is_one_event_however_it_arrives(cuts: list[int]) -> None:
    body = '{"a":\n "\u20ac"}\r\n'.encode()
    parser = parser_of(JSON, last_event_id="5")
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for begin, end in pairwise(places):
        assert parser.feed(body[begin:end], arrived_ns=end) == []
    assert parser.has_unfinished_event
    assert parser.feed(b"", arrived_ns=0) == []
    [event] = parser.finish()
    assert event.arrived_ns == len(body)  # when its last byte arrived
    assert [event] == [Event("message", body.decode(), "5")]
    assert parser.finish() == []


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_body_has_no_event(body: bytes) -> None:
    parser = parser_of(JSON)
    parser.feed(body)
    assert parser.finish() == []


def test_a_byte_order_mark_is_removed_and_invalid_bytes_are_replaced() -> None:
    parser = parser_of(JSON)
    parser.feed(b"\xef\xbb\xbf[\xff]")
    assert parser.finish()[0].data == "[\ufffd]"


def test_a_large_body_is_held_memory_and_too_large_at_its_limit() -> None:
    parser = parser_of(JSON, max_event_bytes=10_000)
    parser.feed(b"x" * 9_000)
    assert parser.held_bytes == 9_000
    parser.feed(b"x" * 1_000)
    with pytest.raises(EventTooLargeError, match="more than 10,000 bytes"):
        parser.feed(b"x")


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/json; charset=utf-8", JSON),
        ("application/problem+json", JSON),
        ("text/event-stream", StreamFormat.SSE),
        ("text/html", None),
        (None, None),
    ],
)
def test_json_accepts_types_of_json_and_event_streams(content_type: str | None, found: StreamFormat | None) -> None:
    assert format_of(content_type, JSON) is found


def test_json_is_not_found_by_the_content_type_alone() -> None:
    assert format_of("application/json", StreamFormat.AUTO) is None

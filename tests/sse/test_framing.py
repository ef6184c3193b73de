"""Lines, NDJSON and chunks: any split of the input gives the same events, each at the earliest byte."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sseclient_cli.errors import EventTooLargeError, SseError
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.event_stream import EventStreamParser
from sseclient_cli.sse.framing import StreamParser, parser_of
from sseclient_cli.sse.stream_format import StreamFormat, format_of

LINES, NDJSON, CHUNKS, SSE = StreamFormat.LINES, StreamFormat.NDJSON, StreamFormat.CHUNKS, StreamFormat.SSE

# Bytes with a meaning in one of the formats, invalid UTF-8, and characters of several bytes.
PIECES = st.sampled_from(
    [
        b"\r", b"\n", b"\r\n", b"\n\n", b"a", b'{"a":1}', b" ", b"\t", b"\x1e", b"\xef\xbb\xbf", b"\xe2\x82\xac",
        b"\xe2\x82", b"\xff", b"\x00", b"\x0b", b"\x0c", b"\x1c", b"\xc2\x85", b"\xe2\x80\xa8", b"data: x", b":",
    ]
)  # fmt: skip
BODIES = st.lists(PIECES, max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 120), max_size=20)


def split(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    return [body[begin:end] for begin, end in pairwise(places)]


def fed(parser: StreamParser, chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """Yield the data of the events of each chunk, and then of the end."""
    for chunk in chunks:
        yield [event.data for event in parser.feed(chunk)]
    yield [event.data for event in parser.finish()]


def all_data(parser: StreamParser, chunks: Iterable[bytes]) -> list[str]:
    return [data for each in fed(parser, chunks) for data in each]


def plain_lines(body: bytes) -> list[str]:
    """The rule in one expression: CR, LF and CRLF end a line, and a last line needs none."""
    parts = re.split(rb"\r\n|\r|\n", body)
    lines = [part.decode("utf-8", "replace") for part in (parts if parts[-1] else parts[:-1])]
    return [lines[0].removeprefix("\ufeff"), *lines[1:]] if lines else []


def records(body: bytes) -> list[str]:
    lines = (line.removeprefix("\x1e") for line in plain_lines(body))
    return [line for line in lines if line.strip(" \t")]


@given(BODIES, CUTS)
@example(b"a\r\n\r\nb", [2, 3, 4])
def test_lines_are_the_same_for_any_split(body: bytes, cuts: list[int]) -> None:
    assert all_data(parser_of(LINES), split(body, cuts)) == plain_lines(body)


@given(BODIES, CUTS)
def test_records_are_the_same_for_any_split(body: bytes, cuts: list[int]) -> None:
    assert all_data(parser_of(NDJSON), split(body, cuts)) == records(body)


@pytest.mark.parametrize("stream_format", [LINES, NDJSON])
@given(body=BODIES)
def test_an_event_is_complete_at_the_first_byte_of_its_line_end(stream_format: StreamFormat, body: bytes) -> None:
    parser, seen = parser_of(stream_format), 0
    of = plain_lines if stream_format is LINES else records
    for end in range(1, len(body) + 1):
        before = seen
        seen += len(parser.feed(body[end - 1 : end]))
        last_line_end = max(body.rfind(b"\r", 0, end), body.rfind(b"\n", 0, end)) + 1
        assert seen == len(of(body[:last_line_end]))
        if not body[:end].endswith(b"\r\n"):
            assert parser.ends_with_event == (seen > before)
        assert parser.has_unfinished_event == (last_line_end < end)


@pytest.mark.parametrize("stream_format", [LINES, NDJSON])
@given(body=BODIES, cuts=CUTS, limit=st.integers(1, 12))
def test_an_event_that_is_too_large_raises_after_the_events_before_it(
    stream_format: StreamFormat, body: bytes, cuts: list[int], limit: int
) -> None:
    lines = re.split(rb"\r\n|\r|\n", body)
    small = list(takewhile(lambda line: len(line) <= limit, lines))
    is_too_large = len(small) < len(lines)
    of = plain_lines if stream_format is LINES else records
    whole = of(b"".join(line + b"\n" for line in small)) if is_too_large else of(body)

    parser, seen, error = parser_of(stream_format, max_event_bytes=limit), list[str](), None
    try:
        for each in fed(parser, split(body, cuts)):
            seen += each
    except EventTooLargeError as exc:
        error = exc
        with pytest.raises(EventTooLargeError, match=f"more than {limit} bytes"):
            parser.feed(b"x\n")
    assert (seen, error is not None) == (whole, is_too_large)


def test_a_line_that_is_too_large_raises_at_the_first_byte_beyond_the_limit() -> None:
    parser = parser_of(LINES, max_event_bytes=3)
    assert parser.feed(b"abc") == []
    with pytest.raises(EventTooLargeError):
        parser.feed(b"d")


def test_an_event_has_the_form_of_an_event_without_fields() -> None:
    assert parser_of(NDJSON).feed(b"1\n", 7) == [Event("message", "1", "")]
    [event] = parser_of(LINES, "5").feed(b"id: 6\n", 7)
    assert tuple(event) == ("message", "id: 6", "5", 7)
    parser = parser_of(LINES)
    parser.feed(b"a", 1)
    assert [event.arrived_ns for event in parser.feed(b"b\nc", 2)] == [2]
    assert [event.arrived_ns for event in parser.finish()] == [2]
    assert parser.finish() == []


def test_a_json_text_sequence_loses_its_separators() -> None:
    assert all_data(parser_of(NDJSON), [b'\x1e{"a":1}\n\x1e\n\x1e2']) == ['{"a":1}', "2"]


@given(st.lists(BODIES, max_size=8))
def test_chunks_are_events_and_no_character_is_split(chunks: list[bytes]) -> None:
    parser = parser_of(CHUNKS)
    *per_chunk, rest = fed(parser, chunks)
    assert [len(each) for each in per_chunk] == [int(bool(chunk)) for chunk in chunks]
    text = "".join(data for each in [*per_chunk, rest] for data in each)
    assert text == b"".join(chunks).decode("utf-8", "replace")
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    assert [data for each in per_chunk for data in each] == [decoder.decode(chunk) for chunk in chunks if chunk]


def test_a_chunk_above_the_limit_raises() -> None:
    parser = parser_of(CHUNKS, max_event_bytes=3)
    assert [event.data for event in parser.feed(b"abc")] == ["abc"]
    assert parser.ends_with_event
    with pytest.raises(EventTooLargeError):
        parser.feed(b"abcd")


class RefusedError(SseError):
    pass


@pytest.mark.parametrize(
    "start", [b"data: x\n", b"data:", b":", b": ping\n\n", b"id:1", b"\xef\xbb\xbfretry: 1", b"event:e\r"]
)
def test_lines_that_begin_as_an_event_stream_are_refused_for_any_split(start: bytes) -> None:
    for chunks in ([start], split(start, range(len(start)))):
        parser, fed_bytes = parser_of(LINES, refusal=lambda body: RefusedError(repr(body))), b""
        with pytest.raises(RefusedError) as refused:
            for chunk in chunks:
                fed_bytes += chunk
                assert parser.feed(chunk) == []
        assert str(refused.value) == repr(fed_bytes)


@pytest.mark.parametrize(
    "body", [b"data 1\ndata: 2\n", b"\n: x\n", b"dat\na: x", b"data\n", b" data: x\n", b"12:00 up"]
)
@pytest.mark.parametrize("stream_format", [LINES, NDJSON])
def test_other_lines_are_not_refused(stream_format: StreamFormat, body: bytes) -> None:
    for chunks in ([body], split(body, range(len(body)))):
        parser = parser_of(stream_format, refusal=lambda _: RefusedError())
        assert all_data(parser, chunks) == (plain_lines if stream_format is LINES else records)(body)


def test_held_bytes_are_those_of_a_large_unfinished_line() -> None:
    parser = parser_of(LINES)
    parser.feed(b"x" * 100)
    assert parser.held_bytes == 0
    parser.feed(b"x" * 10_000)
    assert parser.held_bytes == 10_100
    parser.feed(b"\n")
    assert parser.held_bytes == 0


@pytest.mark.parametrize("stream_format", [LINES, NDJSON])
def test_time_is_linear_in_a_line_of_many_pieces(stream_format: StreamFormat) -> None:
    def seconds(pieces: int) -> float:
        parser = parser_of(stream_format)
        began_s = time.process_time()
        for _ in range(pieces):
            parser.feed(b"0123456789")
        assert len(parser.feed(b"\n")[0].data) == 10 * pieces
        return time.process_time() - began_s

    small, large = (min(seconds(pieces) for _ in range(3)) for pieces in (2_000, 40_000))
    assert large < 20 * small * 5  # quadratic time would be 400 times as long


def test_other_formats_have_the_parser_of_event_streams() -> None:
    for stream_format in (SSE, StreamFormat.AUTO):
        parser = parser_of(stream_format, "7", max_event_bytes=9)
        assert isinstance(parser, EventStreamParser)
        assert (parser.last_event_id, parser.finish()) == ("7", [])


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("text/event-stream", SSE),
        ("Text/Event-Stream; charset=utf-8", SSE),
        ("application/x-ndjson", NDJSON),
        ("Application/JSONL;charset=utf-8", NDJSON),
        ("application/stream+json", NDJSON),
        ("application/json-seq", NDJSON),
        ("text/plain; charset=utf-8", LINES),
        ("text/plain, text/event-stream", SSE),
        ("text/html", None),
        ("application/json", None),
        ("application/octet-stream", None),
        ("", None),
        (None, None),
    ],
)
def test_auto_finds_the_format_by_the_content_type(content_type: str | None, found: StreamFormat | None) -> None:
    assert format_of(content_type, StreamFormat.AUTO) is found
    assert format_of(content_type, StreamFormat.AUTO, any_type=True) is SSE
    assert format_of(content_type) is (SSE if found is SSE else None)
    assert format_of(content_type, any_type=True) is SSE
    for explicit in (NDJSON, LINES, CHUNKS):
        assert format_of(content_type, explicit) is explicit

"""``held_bytes`` of the parser, with which a run checks its memory limit over all streams."""

from sys import getsizeof

import pytest

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event_stream import Event, EventStreamParser

MIB = 1024 * 1024


def fed(parser: EventStreamParser, data: bytes, step: int) -> None:
    for start in range(0, len(data), step):
        parser.feed(data[start : start + step])


def test_a_small_unfinished_event_is_not_counted() -> None:
    parser = EventStreamParser()
    parser.feed(b"event: x\ndata: " + b"x" * 1000)
    assert parser.held_bytes == 0


@pytest.mark.parametrize("step", [1000, 16_384, 2 * MIB])
def test_an_unfinished_event_is_counted_until_its_end_at_any_split(step: int) -> None:
    parser = EventStreamParser()
    fed(parser, b"data: " + b"x" * MIB + b"\ndata: " + b"y" * MIB, step)
    assert 2 * MIB < parser.held_bytes < 2 * MIB + 1000
    parser.feed(b"\n\n")
    assert parser.held_bytes == 0


@pytest.mark.parametrize("step", [1000, 16_384, 2 * MIB])
def test_short_lines_count_with_their_size_as_strings(step: int) -> None:
    parser = EventStreamParser()
    fed(parser, b"data: before\n\n" + b"data:ab\n" * 50_000, step)
    assert parser.held_bytes == 50_000 * getsizeof("ab")


def test_a_line_with_an_emoji_counts_four_bytes_per_character() -> None:
    parser = EventStreamParser()
    parser.feed("data: \U0001f600{}\n".format("a" * 100_000).encode())
    assert parser.held_bytes > 400_000


def test_lines_of_an_earlier_event_are_not_counted() -> None:
    parser = EventStreamParser()
    parser.feed(b"data:" + b"x" * 5000 + b"\n")
    parser.feed(b"data:x\n\ndata:" + b"y" * 3000 + b"\n")
    assert 3000 < parser.held_bytes < 4000


def test_a_large_event_type_is_counted_until_the_event_ends() -> None:
    parser = EventStreamParser()
    parser.feed(b"event: " + b"x" * MIB + b"\n")
    assert parser.held_bytes > MIB
    parser.feed(b"data: x\n\n")
    assert parser.held_bytes == 0


def test_a_large_id_is_counted_until_a_small_one_replaces_it() -> None:
    parser = EventStreamParser()
    parser.feed(b"id: " + b"x" * MIB + b"\ndata: x\n\n")
    assert MIB < parser.held_bytes < MIB + 1000
    assert parser.feed(b"data: y\n\n") == [Event("message", "y", "x" * MIB)]
    assert MIB < parser.held_bytes < MIB + 1000
    parser.feed(b"id: 2\ndata: z\n\n")
    assert parser.held_bytes == 0


def test_the_id_of_an_unfinished_event_is_counted_in_addition_to_the_last_one() -> None:
    parser = EventStreamParser("x" * MIB)
    assert MIB < parser.held_bytes < MIB + 1000
    parser.feed(b"id: " + b"y" * MIB + b"\n")
    assert 2 * MIB < parser.held_bytes < 2 * MIB + 1000
    parser.feed(b"\n")
    assert MIB < parser.held_bytes < MIB + 1000


def test_a_parser_with_a_large_id_enforces_its_limit() -> None:
    parser = EventStreamParser("x" * MIB, max_event_bytes=10)
    assert parser.feed(b"data: 1\n\n") == [Event("message", "1", "x" * MIB)]
    with pytest.raises(EventTooLargeError):
        parser.feed(b"id: 1\ndata:2\n\n")  # eleven bytes

"""The parser against an independent transcription of the specification (tests/reference_parser.py)."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fuzz_event_stream import compare
from hypothesis import given, settings
from hypothesis import strategies as st
from pieces import one_by_one
from reference_parser import Reading

from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES

VECTORS = json.loads(Path(__file__).parent.parent.joinpath("data/parser_vectors.json").read_text("utf-8"))
ENDS = st.sampled_from([b"\n", b"\n", b"\r", b"\r\n"])
VALUES = st.sampled_from(
    [b"", b" ", b"x", b"17", b"7\0", b"\xd9\xa1", b"\xe2\x82\xac", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2"]
)
LINES = st.tuples(
    st.sampled_from([b"data", b"data", b"event", b"id", b"retry", b"", b"x"]),
    st.sampled_from([b"", b":", b": ", b":  "]),
    VALUES | st.binary(max_size=4),
    ENDS,
).map(b"".join)
BLOCKS = st.sampled_from(
    [b"data: a\n\n", b": ping\n\n", b"event: e\nid: 1\ndata: {}\n\n", b"id: \ndata: a\n\n", b"id: 7\0\ndata: a\n\n"]
)
PARTS = st.tuples(
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb"]),
    st.lists(LINES | ENDS | BLOCKS | st.binary(max_size=4), max_size=20),
).map(lambda parts: [parts[0], *parts[1]])
LIMITS = st.just(DEFAULT_MAX_EVENT_BYTES) | st.integers(0, 40)
ORDERED_VALUES = st.sampled_from([b"", b"x", b"y", b" z", b"17", b"7\0", b"data", b"data: 1", b"\xe2", b"9" * 5000])


@st.composite
def streams_of_one_order(draw: st.DrawFn) -> list[bytes]:
    """Blocks that mostly have the same lines in the same order, as those of a server."""
    names = draw(st.lists(st.sampled_from([b"event", b"id", b"data", b"data", b"retry", b"", b"x"]), max_size=6))
    end, colon = draw(ENDS), draw(st.sampled_from([b": ", b": ", b":", b":  "]))
    blocks = []
    for _ in range(draw(st.integers(1, 6))):
        lines = [name + colon + draw(ORDERED_VALUES) + end for name in names if draw(st.integers(0, 9))]
        blocks.append(b"".join([*lines, draw(st.just(b"") | LINES), end]))
    return blocks


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["name"]) for vector in VECTORS["parser_vectors"]])
def test_the_reference_parser_passes_every_vector(vector: dict[str, Any]) -> None:
    read = Reading(base64.b64decode(vector["input_base64"]), vector["initial_last_event_id"])
    assert read.events == [(event["event"], event["data"], event["id"]) for event in vector["expected_events"]]
    assert read.comments == vector["expected_comments"]
    assert read.last_event_id == vector["expected_last_event_id"]
    assert read.reconnection_time_ms == vector["expected_retry"]


@settings(max_examples=1000)  # all together take about two seconds
@given(PARTS, st.lists(st.integers(0, 255), max_size=10), st.sampled_from(["", "seed"]), LIMITS, st.booleans())
def test_any_bytes_in_any_pieces_with_any_limit_match_the_reference(
    parts: list[bytes], at: list[int], seed: str, max_event_bytes: int, hears_comments: bool
) -> None:
    stream = b"".join(parts)
    edges = [0, *sorted(min(edge, len(stream)) for edge in at), len(stream)]
    pieces = [stream[start:stop] for start, stop in pairwise(edges)]
    for cut in (parts, pieces, [stream]):
        compare(cut, seed, max_event_bytes, hears_comments=hears_comments)


@settings(max_examples=150)
@given(streams_of_one_order(), st.lists(st.integers(0, 255), max_size=3), LIMITS, st.booleans())
def test_blocks_of_any_order_match_the_reference(
    blocks: list[bytes], at: list[int], max_event_bytes: int, hears_comments: bool
) -> None:
    stream = b"".join(blocks)
    edges = [0, *sorted(min(edge, len(stream)) for edge in at), len(stream)]
    pieces = [stream[start:stop] for start, stop in pairwise(edges)]
    # A parser learns the order from its first chunk, and all blocks at once take another path than one by one.
    for cut in (blocks, pieces, [stream], [blocks[0], stream]):
        compare(cut, "seed", max_event_bytes, hears_comments=hears_comments)


@settings(max_examples=300)
@given(PARTS, LIMITS, st.booleans())
def test_any_bytes_match_the_reference_after_each_byte(
    parts: list[bytes], max_event_bytes: int, hears_comments: bool
) -> None:
    compare(one_by_one(b"".join(parts)), "", max_event_bytes, hears_comments=hears_comments)


@given(st.lists(st.integers(2030, 2060), max_size=3), st.integers(2030, 2060) | st.just(DEFAULT_MAX_EVENT_BYTES))
def test_events_around_the_size_limit_of_the_fast_path_match_the_reference(
    sizes: list[int], max_event_bytes: int
) -> None:
    # Chunks of more than 2,048 bytes take another path through the parser.
    compare([b"data:%b\n\n" % (b"x" * size) for size in sizes], "", max_event_bytes, hears_comments=False)

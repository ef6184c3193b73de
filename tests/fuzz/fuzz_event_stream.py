"""Fuzz target: any bytes, in any pieces, with any limit, are to our parser what they are to the reference.

``tests/fuzz/__main__.py`` says how to run it; hypothesis calls ``compare``, too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from pieces import MAX_SIZES, composed, one_by_one, taken
from reference_parser import Reading, within_limit

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES, Event, EventStreamParser

WORDS = [b"data", b"event", b"id", b"retry", b"data: ", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b": ", b"\0",
         b"17", b"data: x\n\n", b"id: 1\n", b"event: e\n", b"\xef\xbb\xbf", b"\xe2\x82\xac",
         b"\xf0\x9f\x98\x80"]  # fmt: skip

_FOR_EVER_MS = 10**3999
"""From this length on our parser may cut a ``retry``: a number of 4,000 digits is beyond any clock anyway."""


class Comparison:
    """A parser whose pieces the reference gets, too."""

    def __init__(self, seed: str, max_event_bytes: int, *, hears_comments: bool) -> None:
        self._seed, self._max_event_bytes, self._hears_comments = seed, max_event_bytes, hears_comments
        self._so_far = b""
        self._events: list[Event] = []
        self._comments: list[str] = []
        self._is_refused = self._has_found = False
        self._parser = EventStreamParser(seed, self._comments.append if hears_comments else None, max_event_bytes)

    def feed(self, piece: bytes) -> None:
        """Let the parser have the next piece. No other exception is caught: none is expected."""
        self._so_far += piece
        try:
            found = self._parser.feed(piece)
        except EventTooLargeError:
            self._is_refused, self._has_found = True, False
            return
        assert not self._is_refused, "a refused stream is read on"
        self._has_found = bool(found)
        self._events += found

    def verify(self) -> None:
        """Fail unless the parser's output so far is that of the bytes so far."""
        fitting = within_limit(self._so_far, self._max_event_bytes, hears_comments=self._hears_comments)
        is_too_large = len(fitting) < len(self._so_far)
        want, parser = Reading(fitting, self._seed), self._parser
        assert self._events == want.events
        assert self._comments == (want.comments if self._hears_comments else [])
        assert parser.comment_count == len(want.comments)
        assert parser.last_event_id == want.last_event_id
        assert _cut(parser.reconnection_time_ms) == _cut(want.reconnection_time_ms)
        # The error waits for the next piece if there are events before it in this one.
        assert self._is_refused == (is_too_large and not self._has_found)
        assert is_too_large or parser.ends_with_event == want.ends_with_event


def compare(pieces: Iterable[bytes], seed: str, max_event_bytes: int, *, hears_comments: bool) -> None:
    """Fail unless after each piece the parser's output is that of the bytes so far."""
    comparison = Comparison(seed, max_event_bytes, hears_comments=hears_comments)
    for piece in pieces:
        comparison.feed(piece)
        comparison.verify()


def _cut(reconnection_time_ms: int | None) -> int | None:
    return reconnection_time_ms and min(reconnection_time_ms, _FOR_EVER_MS)


def limit_of(option: int) -> int:
    """Return 0, 0, 1, 2, 4, 6, 9 and so on to 3,969 bytes, and in the end no limit to speak of."""
    step = option >> 1
    return DEFAULT_MAX_EVENT_BYTES if step == 127 else step * step // 4


def check(data: bytes) -> None:
    """Fail if these bytes of the fuzzer show a bug."""
    option, pieces = taken(data)
    stream, limit, hears_comments = b"".join(pieces), limit_of(option), bool(option & 1)
    compare(pieces, "seed", limit, hears_comments=hears_comments)
    compare([stream, b""], "seed", limit, hears_comments=hears_comments)
    # To ask the reference at each byte would take the square of the time.
    bytewise = Comparison("seed", limit, hears_comments=hears_comments)
    for byte in one_by_one(stream):
        bytewise.feed(byte)
    bytewise.verify()


MAX_SEED_BYTES = 255
"""The fuzzer begins with inputs as long as the longest of these: with all vectors it would be ten times as slow."""


def seeds() -> Iterator[bytes]:
    """Yield the initial corpus: every short vector, whole, cut, and with a limit that its events may break."""
    path = Path(__file__).parent.parent / "data/parser_vectors.json"
    for vector in json.loads(path.read_text("utf-8"))["parser_vectors"]:
        stream = base64.b64decode(vector["input_base64"])
        if len(stream) > MAX_SEED_BYTES:
            continue
        yield composed(255, [], stream)
        edges = [0, *vector["dispatch_offsets"][:MAX_SIZES]]
        yield composed(254, [stop - start for start, stop in pairwise(edges)], stream)
        yield composed(len(stream) % 60, [1, len(stream) // 2, 0], stream)

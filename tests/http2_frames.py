"""Frames of HTTP/2 as bytes, for a ``ScriptedServer`` whose faults h2 would not send.

It takes the preface of a client as its request, and its first frames as the rest, which it ignores.
"""

from __future__ import annotations

from hpack import Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

STREAM = 1
"""The first stream of a client."""

SETTINGS: bytes = SettingsFrame(0).serialize()
PING: bytes = PingFrame(0, b"12345678").serialize()


def head(status: int | str = 200, content_type: str = "text/event-stream", *, end: bool = False) -> bytes:
    """Return the head of a response."""
    block = Encoder().encode([(":status", str(status)), ("content-type", content_type)])
    return _bytes(HeadersFrame(STREAM, block, flags=["END_HEADERS", *(["END_STREAM"] if end else [])]))


def data(body: bytes, *, end: bool = False) -> bytes:
    """Return a part of the body."""
    return _bytes(DataFrame(STREAM, body, flags=["END_STREAM"] if end else []))


def reset(code: int) -> bytes:
    """Return a reset of the stream."""
    return _bytes(RstStreamFrame(STREAM, code))


def goaway(code: int = 0, last_stream: int = STREAM, debug: bytes = b"") -> bytes:
    """Return the announcement that the connection ends."""
    return _bytes(GoAwayFrame(0, last_stream, code, debug))


def frame(kind: int, stream: int, payload: bytes, flags: int = 0) -> bytes:
    """Return any frame (RFC 9113 4.1)."""
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _bytes(frame: Frame) -> bytes:
    return frame.serialize()

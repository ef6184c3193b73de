"""Fuzz target: any bytes, in any pieces, are the same response, and no exception but the project's own.

Through ``ResponseReader`` and, where its headers say so, ``ContentDecoder``, as ``sse bench`` reads a response.
``tests/fuzz/__main__.py`` says how to run it; tests/load compares ``ResponseReader`` with h11.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pieces import composed, one_by_one, taken

from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.sse.content_coding import MAX_PIECE_BYTES, ContentDecoder, decoder_of

WORDS = [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 x\r\n\r\n", b"HTTP/1.0 204", b"\r\n\r\n", b"\r\n", b"\n", b": ",
         b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
         b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n", b"Connection: Upgrade\r\n",
         b"Upgrade: h2c\r\n", b"Connection: close\r\n", b"1\r\nx\r\n", b"0\r\n\r\n", b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
         b"\x03\0", b"\x78\x9c"]  # fmt: skip

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_GZIP, _DEFLATE = b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n"

HEADS = [b"", *(_OK + headers + b"\r\n" for headers in (b"", _CHUNKED, _GZIP, _DEFLATE, _CHUNKED + _DEFLATE))]
"""The heads that the option puts before the bytes: a fuzzer rarely finds a valid one."""


@dataclass
class Answer:
    """All that can be seen of a response."""

    status: int = 0
    headers: dict[str, str] | None = None
    body: bytes = b""
    end: tuple[bool, bool] = (False, False)
    error: str | None = None
    coding_error: str | None = None
    decoded: bytes = field(default=b"", compare=False)


def answer(pieces: list[bytes]) -> Answer:
    """Read the pieces, as a stream does; fail where a promise is broken that needs no other reading to be seen."""
    read = Answer()
    reader = ResponseReader()
    decoder: ContentDecoder | None = None
    is_over = False
    for piece in pieces:
        body = reader.feed(piece)
        assert not (body and is_over), "there is a body behind the end"
        is_over = reader.complete or reader.error is not None
        read.body += body
        try:
            if read.headers is None and reader.headers is not None:
                decoder = decoder_of(reader.headers.get("content-encoding", ""))
            read.headers = reader.headers
            if decoder is not None and read.coding_error is None:
                read.decoded += _decoded(decoder, body)
        except InvalidResponseError as exc:
            read.coding_error = str(exc)
    read.status, read.end = reader.status, (reader.complete, reader.ends_with_connection)
    if reader.error is not None:
        assert type(reader.error) is InvalidResponseError
        read.error = str(reader.error)
        if not b"".join(pieces).startswith(b"HTTP/"):
            # Another protocol is named by its first bytes, as far as they have come: the words depend on the cut.
            read.error = read.error.partition(":")[0]
        assert "callback" not in read.error.lower(), "an exception of ours became an error of the server's"
    return read


def _decoded(decoder: ContentDecoder, body: bytes) -> bytes:
    found = []
    decoder.feed(body)
    while piece := decoder.piece():
        assert len(piece) <= MAX_PIECE_BYTES
        found.append(piece)
    return b"".join(found)


def check(data: bytes) -> None:
    """Fail if these bytes of the fuzzer show a bug."""
    option, pieces = taken(data)
    pieces.insert(0, HEADS[option % len(HEADS)])
    message = b"".join(pieces)
    whole, cut, bytewise = answer([message]), answer(pieces), answer(one_by_one(message))
    assert whole == cut == bytewise
    if whole.coding_error is None:
        assert whole.decoded == cut.decoded == bytewise.decoded
    # zlib gives nothing of a read in which it meets damage.
    assert bytewise.decoded.startswith(whole.decoded)
    assert bytewise.decoded.startswith(cut.decoded)


def seeds() -> Iterator[bytes]:
    """Yield the initial corpus: a short stream in every framing and coding, and responses that are refused."""
    text = b"".join(b"id: %d\ndata: {}\n\n" % number for number in range(9))
    gzipped = b"".join(gzip.compress(part, mtime=0) for part in (text[:40], b"", text[40:]))
    raw, bomb = _raw_deflate(text), _raw_deflate(bytes(3 * MAX_PIECE_BYTES) + text)
    bodies = {
        b"": text,
        _GZIP: gzipped,
        _DEFLATE: zlib.compress(text),
        b"Content-Encoding:  Deflate \r\n": raw,
        b"Content-Encoding: br\r\n": text,
    }
    for coding, body in bodies.items():
        head = _OK + b"Content-Type: text/event-stream\r\n" + coding
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        yield composed(0, [len(head), 7, 1], head + b"\r\n" + body)
        yield composed(0, [9, 9], b"HTTP/1.1 103 x\r\n\r\n" + head + length + body + b"more")
        yield composed(0, [255, 1, 0, 1], head + _CHUNKED + b"\r\n" + _chunks(body))
    yield composed(0, [], b"HTTP/1.1 204 No Content\nConnection: close\n\n")
    yield composed(0, [20], b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nx")
    yield composed(0, [60], _OK + b"Transfer-Encoding: gzip\r\n\r\nx")
    yield composed(0, [2], b"SSH-2.0")
    by_option = [
        (1, text), (2, _chunks(text)), (3, gzipped), (4, zlib.compress(text)), (4, raw), (4, bomb), (5, _chunks(raw)),
    ]  # fmt: skip
    for option, body in by_option:
        yield composed(option, [1, 2, 30], body)


def _raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def _chunks(body: bytes) -> bytes:
    return b"%x;a=b\r\n%b\r\n%X\r\n%b\r\n0\r\nT: t\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])

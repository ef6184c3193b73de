from __future__ import annotations

import gzip
import zlib

import pytest

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.protocol.content_coding import MAX_PIECE_BYTES, ContentDecoder, decoder_of

TEXT = b"".join(b"data: %d\n\n" % n for n in range(50_000))


def pieces(decoder: ContentDecoder, encoded: bytes, step: int) -> list[bytes]:
    """Feed so many bytes at a time; return what comes out."""
    found = []
    for start in range(0, len(encoded), step):
        decoder.feed(encoded[start : start + step])
        while piece := decoder.piece():
            found.append(piece)
    return found


def deflated(data: bytes, wbits: int) -> bytes:
    compressor = zlib.compressobj(wbits=wbits)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize("step", [1, 1000, 10**9])
@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("X-GZip", gzip.compress(TEXT)),
        ("gzip, identity", gzip.compress(TEXT[:999]) + gzip.compress(b"") + gzip.compress(TEXT[999:])),
        ("deflate", deflated(TEXT, zlib.MAX_WBITS)),
        ("deflate", deflated(TEXT, -zlib.MAX_WBITS)),
    ],
    ids=["gzip", "x-gzip", "members", "zlib", "raw-deflate"],
)
def test_one_coding_is_undone_however_it_is_cut(coding: str, encoded: bytes, step: int) -> None:
    decoder = decoder_of(coding)
    assert decoder is not None
    assert b"".join(pieces(decoder, encoded, step)) == TEXT


def test_what_is_flushed_comes_out_before_the_end() -> None:
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    decoder = ContentDecoder(is_gzip=True)
    for data in (b"data: 1\n\n", b"data: 2\n\n"):
        decoder.feed(compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))
        assert decoder.piece() == data
        assert decoder.piece() == b""


def test_a_bomb_comes_out_a_bounded_piece_at_a_time() -> None:
    found = pieces(ContentDecoder(is_gzip=True), gzip.compress(bytes(10**7)), 10**9)
    assert max(map(len, found)) == MAX_PIECE_BYTES
    assert sum(map(len, found)) == 10**7


def test_damage_is_an_invalid_response() -> None:
    decoder = ContentDecoder(is_gzip=True)
    decoder.feed(b"data: not gzip\n\n")
    with pytest.raises(InvalidResponseError, match="says Content-Encoding: gzip, but its body is not gzip data"):
        decoder.piece()


@pytest.mark.parametrize(
    "coding", ["", "identity", " , Identity", "none", "utf-8", "UTF-8", "chunked", "aws-chunked", "\x1b[2J"]
)
def test_no_coding_needs_no_decoder(coding: str) -> None:
    assert decoder_of(coding) is None


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "deflate,gzip", "compress", "br, \x1b[2J"])
def test_any_other_coding_is_named_and_refused(coding: str) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        decoder_of(coding)
    assert f"{coding!a}" in str(caught.value)

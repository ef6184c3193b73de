from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.sse.content_coding import (
    MAX_PIECE_BYTES,
    ContentDecoder,
    ZlibDecoder,
    decoder_of,
    readable_codings,
)

TEXT = b"".join(b"data: %d\n\n" % n for n in range(50_000))


def pieces(decoder: ContentDecoder, encoded: bytes, step: int) -> list[bytes]:
    """Feed ``step`` bytes at a time; return the decoded pieces."""
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
        ("br", brotli.compress(TEXT)),
    ],
    ids=["gzip", "x-gzip", "members", "zlib", "raw-deflate", "brotli"],
)
def test_one_coding_is_decoded_at_any_split(coding: str, encoded: bytes, step: int) -> None:
    decoder = decoder_of(coding)
    assert decoder is not None
    assert b"".join(pieces(decoder, encoded, step)) == TEXT


def test_flushed_gzip_data_is_available_before_the_end() -> None:
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    decoder = ZlibDecoder(is_gzip=True)
    for data in (b"data: 1\n\n", b"data: 2\n\n"):
        decoder.feed(compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))
        assert decoder.piece() == data
        assert decoder.piece() == b""


def test_flushed_brotli_data_is_available_before_the_end() -> None:
    compressor, decoder = brotli.Compressor(), decoder_of("br")
    assert decoder is not None
    for data in (b"data: 1\n\n", b"data: 2\n\n"):
        decoder.feed(compressor.process(data) + compressor.flush())
        assert decoder.piece() == data
        assert decoder.piece() == b""


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("br", brotli.compress)])
@pytest.mark.parametrize("max_bytes", [1000, MAX_PIECE_BYTES])
def test_a_compression_bomb_is_decoded_in_pieces_of_bounded_size(
    coding: str, compress: Callable[[bytes], bytes], max_bytes: int
) -> None:
    decoder, total_bytes = decoder_of(coding), 0
    assert decoder is not None
    decoder.feed(compress(bytes(10**6)))
    while piece := decoder.piece(max_bytes):
        assert len(piece) <= max_bytes
        total_bytes += len(piece)
    assert total_bytes == 10**6


@pytest.mark.parametrize(("coding", "name"), [("gzip", "gzip"), ("br", "brotli")])
def test_corrupt_data_is_an_invalid_response(coding: str, name: str) -> None:
    decoder = decoder_of(coding)
    assert decoder is not None
    decoder.feed(b"data: not compressed\n\n")
    with pytest.raises(InvalidResponseError, match=f"says Content-Encoding: {name}, but its body is not {name} data"):
        decoder.piece()


def test_brotli_is_supported_if_its_package_is_installed() -> None:
    assert readable_codings() == ("gzip", "deflate", "br")


@pytest.mark.parametrize(
    "coding", ["", "identity", " , Identity", "none", "utf-8", "UTF-8", "chunked", "aws-chunked", "\x1b[2J"]
)
def test_values_that_are_not_codings_need_no_decoder(coding: str) -> None:
    assert decoder_of(coding) is None


@pytest.mark.parametrize("coding", ["zstd", "gzip, gzip", "br, gzip", "deflate,gzip", "compress", "zstd, \x1b[2J"])
def test_an_unsupported_coding_is_an_error_that_names_it(coding: str) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        decoder_of(coding)
    assert f"{coding!a}" in str(caught.value)

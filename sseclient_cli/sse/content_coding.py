"""Decode a Content-Encoding in pieces of bounded size.

The request accepts no coding by default, but some servers compress every response. A kilobyte of gzip can expand to a
megabyte, so a decoder never decompresses more than the next piece. Only one coding is supported: each further one would
multiply the expansion.
"""

from __future__ import annotations

import zlib
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from sseclient_cli.errors import InvalidResponseError

MAX_PIECE_BYTES = 64 * 1024
"""The size of the largest socket read (httpcore's READ_NUM_BYTES)."""

# The registry of RFC 9110 16.6.1, without the codings that no known event-stream server uses.
_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"})

_GZIP_WBITS = 16 + zlib.MAX_WBITS  # zlib: expect a gzip header


class ContentDecoder(Protocol):
    """Decodes one coding: ``feed`` bytes, then call ``piece`` until it returns nothing."""

    def feed(self, encoded: bytes) -> None:
        """Take the next bytes of the body."""

    def piece(self, max_bytes: int = MAX_PIECE_BYTES) -> bytes:
        """Return the next bytes, at most ``max_bytes``; empty if it needs more input.

        Raises InvalidResponseError if the input does not have the coding. Valid data before the fault in the same piece
        is lost; its amount depends on the sizes of the inputs.
        """


def readable_codings() -> tuple[str, ...]:
    """Return the supported codings; br only if the brotli package is installed."""
    return ("gzip", "deflate", "br") if _new_brotli_decompressor() else ("gzip", "deflate")


def decoder_of(content_encoding: str) -> ContentDecoder | None:
    """Return a decoder for the value of a Content-Encoding header; None if there is nothing to decode.

    Ignores values that are not HTTP codings (``none``, ``utf-8``, ``chunked``), as curl does. Raises
    InvalidResponseError for more than one coding, and for an unsupported one.
    """
    if not content_encoding:
        return None
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding in _CODINGS]
    if not codings:
        return None
    # RFC 9110 8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"."
    if codings in (["gzip"], ["x-gzip"], ["deflate"]):
        return ZlibDecoder(is_gzip=codings != ["deflate"])
    if codings == ["br"] and "br" in readable_codings():
        return BrotliDecoder()
    install = "" if codings != ["br"] else ", or install the brotli package (1.2 or newer)"
    raise InvalidResponseError(
        f"the body has the unsupported Content-Encoding {content_encoding[:100]!a} (supported: one of "
        f"{', '.join(readable_codings())}): leave it out of Accept-Encoding{install}"
    )


class ZlibDecoder:
    """Decodes gzip or deflate."""

    __slots__ = ("_encoded", "_is_gzip", "_stream")

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._encoded = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, encoded: bytes) -> None:
        """Take the next bytes of the body."""
        self._encoded += encoded

    def piece(self, max_bytes: int = MAX_PIECE_BYTES) -> bytes:
        """Return the next bytes."""
        try:
            return self._piece(max_bytes)
        except zlib.error as exc:
            raise _not_encoded("gzip" if self._is_gzip else "deflate") from exc

    def _piece(self, max_bytes: int) -> bytes:
        while True:
            if self._stream is None:
                if not self._encoded:
                    return b""
                self._stream = zlib.decompressobj(self._wbits(self._encoded[0]))
            stream = self._stream
            # Also without input: the stream may still hold output that did not fit into the last piece.
            decoded = stream.decompress(self._encoded, max_bytes)
            self._encoded = stream.unconsumed_tail
            if stream.eof:
                # RFC 1952 2.2: a gzip file is "a series of members"; a server may send each event as one member.
                self._encoded, self._stream = stream.unused_data, None
            if decoded or not self._encoded:
                return decoded

    def _wbits(self, first_byte: int) -> int:
        if self._is_gzip:
            return _GZIP_WBITS
        # "deflate" is zlib's format (RFC 9110 8.4.1.2), "some non-conformant implementations send [it] without
        # the zlib wrapper". Low bits of 8 are the method field of the wrapper; in raw deflate, that bit is padding.
        return zlib.MAX_WBITS if first_byte & 0x0F == 8 else -zlib.MAX_WBITS


class BrotliDecoder:
    """Decodes br with the brotli package; ``readable_codings`` says whether it is installed."""

    __slots__ = ("_decoded", "_encoded", "_stream")

    def __init__(self) -> None:
        self._encoded = b""
        self._decoded = b""
        self._stream = _new_brotli_decompressor()()

    def feed(self, encoded: bytes) -> None:
        """Take the next bytes of the body."""
        self._encoded += encoded

    def piece(self, max_bytes: int = MAX_PIECE_BYTES) -> bytes:
        """Return the next bytes."""
        while not self._decoded:
            encoded = b""
            if self._stream.can_accept_more_data():
                encoded, self._encoded = self._encoded, b""
            if not encoded and self._stream.is_finished():
                return b""
            try:
                # Also without input: the stream may still hold output. It may exceed the limit by 32 KiB (brotli
                # 1.2.1).
                self._decoded = self._stream.process(encoded, output_buffer_limit=max_bytes)
            except import_module("brotli").error as exc:
                raise _not_encoded("brotli") from exc
            if not self._decoded and not self._encoded:
                return b""
        piece, self._decoded = self._decoded[:max_bytes], self._decoded[max_bytes:]
        return piece


@cache
def _new_brotli_decompressor() -> Any:
    """Return brotli's class; None without the package, or before 1.2, which cannot limit the size of its output."""
    try:
        decompressor = import_module("brotli").Decompressor
    except (ImportError, AttributeError):
        return None
    return decompressor if hasattr(decompressor, "can_accept_more_data") else None


def _not_encoded(coding: str) -> InvalidResponseError:
    return InvalidResponseError(
        f"the response says Content-Encoding: {coding}, but its body is not {coding} data:"
        " check the server and the proxies in front of it"
    )

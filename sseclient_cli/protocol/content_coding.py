"""A Content-Encoding undone, a bounded piece at a time.

Streams are asked for without any coding, but some servers compress whatever they send. A kilobyte of gzip can hold a
megabyte, so nothing is ever decompressed further than the next piece; and one coding is enough: each further one
multiplies that.
"""

from __future__ import annotations

import zlib

from sseclient_cli.errors import InvalidResponseError

MAX_PIECE_BYTES = 64 * 1024
"""As much as a read of a socket brings at most (httpcore's READ_NUM_BYTES)."""

# The registry of RFC 9110 16.6.1, without those of which no server of event streams was seen.
_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"})

_GZIP_WBITS = 16 + zlib.MAX_WBITS  # zlib's way to say "gzip's header"


def decoder_of(content_encoding: str) -> ContentDecoder | None:
    """Return what undoes the codings of the header; None where there is nothing to undo.

    A word that is no coding of HTTP (``none``, ``utf-8``, ``chunked``) is ignored, as curl does. Raises
    InvalidResponseError if more than one coding is named, or one that is not gzip or deflate.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding in _CODINGS]
    if not codings:
        return None
    # RFC 9110 8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"."
    if codings in (["gzip"], ["x-gzip"], ["deflate"]):
        return ContentDecoder(is_gzip=codings != ["deflate"])
    raise InvalidResponseError(
        f"the body has the Content-Encoding {content_encoding[:100]!a}, which is not asked for:"
        " only one of gzip or deflate can be read"
    )


class ContentDecoder:
    """Undoes one coding: ``feed`` bytes, then take ``piece`` until there is none."""

    __slots__ = ("_encoded", "_is_gzip", "_stream")

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._encoded = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, encoded: bytes) -> None:
        """Take the next bytes of the body."""
        self._encoded += encoded

    def piece(self, max_bytes: int = MAX_PIECE_BYTES) -> bytes:
        """Return the next bytes, at most ``max_bytes``; none if more must be fed.

        Raises InvalidResponseError where the bytes do not have the coding. What was good before these, but in the same
        piece, is lost: how much that is depends on how they were fed.
        """
        try:
            return self._piece(max_bytes)
        except zlib.error as exc:
            coding = "gzip" if self._is_gzip else "deflate"
            raise InvalidResponseError(
                f"the response says Content-Encoding: {coding}, but its body is not {coding} data:"
                " check the server and the proxies in front of it"
            ) from exc

    def _piece(self, max_bytes: int) -> bytes:
        while True:
            if self._stream is None:
                if not self._encoded:
                    return b""
                self._stream = zlib.decompressobj(self._wbits(self._encoded[0]))
            stream = self._stream
            # Asked also without input: what did not fit into the last piece may be all inside.
            decoded = stream.decompress(self._encoded, max_bytes)
            self._encoded = stream.unconsumed_tail
            if stream.eof:
                # RFC 1952 2.2: a gzip file is "a series of members"; a server may send each event as one.
                self._encoded, self._stream = stream.unused_data, None
            if decoded or not self._encoded:
                return decoded

    def _wbits(self, first_byte: int) -> int:
        if self._is_gzip:
            return _GZIP_WBITS
        # "deflate" is zlib's format (RFC 9110 8.4.1.2), "some non-conformant implementations send [it] without
        # the zlib wrapper". Method 8 in the low bits is the wrapper's; without it, that would be padding.
        return zlib.MAX_WBITS if first_byte & 0x0F == 8 else -zlib.MAX_WBITS

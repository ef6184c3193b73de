"""Decodes a body with a content coding in bounded pieces, so that one read cannot block the loop.

16 KiB of gzip can hold 16 MB. Bytes that are not decoded yet are kept here, with the arrival time of their read.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic_ns

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.sse.content_coding import ContentDecoder

PIECE_BYTES = 16_384
"""Size limit of a decoded piece. It equals the limit of a read, so a piece costs no more to parse than a plain read."""

TURN_NS = 1_000_000
"""Time limit per turn for decoding, parsing and measuring, because other streams wait. One piece is always decoded."""


class EncodedBody:
    """The encoded bytes of one read, decoded in pieces."""

    __slots__ = ("_decoder", "_ends", "_error", "_following", "arrival_ns")

    arrival_ns: int
    """Arrival time of the last byte that was fed (wall clock)."""

    def __init__(self, decoder: ContentDecoder) -> None:
        self._decoder = decoder
        self._following = b""
        self._error: InvalidResponseError | None = None

    @property
    def has_more(self) -> bool:
        """Whether ``pieces`` can yield another piece or raise an error without more input."""
        return bool(self._following) or self._error is not None

    def feed(self, encoded: bytes, arrival_ns: int, *, ends: bool) -> None:
        """Add the bytes of a read, after all pieces of the previous one. ``ends``: see ``Exchange.body_received``."""
        self._decoder.feed(encoded)
        self.arrival_ns, self._ends = arrival_ns, ends
        self._decode()

    def pieces(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the decoded pieces of one turn of the loop, each with its ``ends`` flag.

        Raises InvalidResponseError for damaged data, after the pieces that precede the damage.
        """
        until_ns = monotonic_ns() + TURN_NS
        while piece := self._following:
            self._decode()
            yield piece, self._ends and not self.has_more
            if monotonic_ns() >= until_ns:
                return
        if self._error is not None:
            raise self._error

    def _decode(self) -> None:
        """Decode one piece ahead, to know which piece is the last."""
        self._following = b""
        try:
            self._following = self._decoder.piece(PIECE_BYTES)
        except InvalidResponseError as exc:
            self._error = exc

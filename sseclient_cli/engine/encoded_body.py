"""A body with a content coding: decoded a bounded piece at a time, so that one read never takes more than its turn.

16 KiB of gzip can hold 16 MB. What is not decoded yet waits here, with the arrival time of the read that brought it.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic_ns

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.sse.content_coding import ContentDecoder

PIECE_BYTES = 16_384
"""As much as a read without a content coding brings at most, and so as much parsing and measuring."""

TURN_NS = 1_000_000
"""What decoding and all that follows may take of a turn, with one piece at least: other streams wait for that long."""


class EncodedBody:
    """The encoded bytes of one read, taken as decoded pieces."""

    __slots__ = ("_decoder", "_ends", "_error", "_following", "arrival_ns")

    arrival_ns: int
    """When the last byte that was fed arrived (wall clock)."""

    def __init__(self, decoder: ContentDecoder) -> None:
        self._decoder = decoder
        self._following = b""
        self._error: InvalidResponseError | None = None

    @property
    def has_more(self) -> bool:
        """Whether another piece, or the error in its place, can be taken without more being fed."""
        return bool(self._following) or self._error is not None

    def feed(self, encoded: bytes, arrival_ns: int, *, ends: bool) -> None:
        """Take the bytes of a read, once all pieces of the last one are taken; for ``ends`` see ``Stream._take``."""
        self._decoder.feed(encoded)
        self.arrival_ns, self._ends = arrival_ns, ends
        self._decode()

    def pieces(self) -> Iterator[tuple[bytes, bool]]:
        """Yield pieces for a turn of the loop, each with whether its last byte is the last one that had arrived.

        Raises InvalidResponseError after the last piece before the damage.
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
        """Decode one piece ahead: only then is it known which piece is the last."""
        self._following = b""
        try:
            self._following = self._decoder.piece(PIECE_BYTES)
        except InvalidResponseError as exc:
            self._error = exc

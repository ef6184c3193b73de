"""Finds chunks of one answer that arrived together, as a gateway sends them that held them back. Pure.

Models, too, send several chunks at once: with speculative decoding two to four, and very fast ones send a chunk or two
per millisecond. A burst has more chunks, at a rate that no model reaches.
"""

from __future__ import annotations

LEAST_BURST = 5
"""Chunks of a burst: one more than speculative decoding sends at once."""

CHUNK_NS = 200_000
"""The chunks of a burst arrive at this interval at most: 5,000/s, a hundred times the rate of a model that a reader
follows. The loop reads once per millisecond, so that chunks at 1,000 to 4,000/s fill reads below LEAST_BURST."""

PAUSE_NS = 1_000_000
"""A longer time between two reads ends a burst. The loop reads once per millisecond."""

TOGETHER_NS = 2_000_000
"""The chunks of one read arrived together if they did within two turns of the loop ..."""

LEAST_PAUSE_RATIO = 10
"""... or within a tenth of the pause before them. Otherwise they may have arrived one by one, and were read late."""


def arrived_together(spread_ns: int | None, pause_ns: int) -> bool:
    """Return whether the chunks of a read, which arrived within ``spread_ns`` after a pause, arrived together."""
    return spread_ns is not None and (spread_ns <= TOGETHER_NS or spread_ns * LEAST_PAUSE_RATIO <= pause_ns)


class ChunkBursts:
    """The bursts of one answer: pairs of the number of chunks, and the pause before them in us."""

    __slots__ = ("_began_ns", "_chunks", "_is_known", "_last_ns", "_pause_ns", "found")

    def __init__(self) -> None:
        self.found: list[tuple[int, int]] = []
        self._chunks = 0
        self._began_ns = self._last_ns = self._pause_ns = 0
        self._is_known = True

    def take(self, chunks: int, at_ns: int, spread_ns: int | None, sent_ns: int) -> None:
        """Take the chunks of one read. ``sent_ns`` is when the request was sent, for the pause before the first."""
        before_ns = self._last_ns or sent_ns
        if at_ns - before_ns > PAUSE_NS or not self._chunks:
            self.close()
            self._began_ns, self._pause_ns, self._is_known = at_ns, at_ns - before_ns, True
        self._chunks += chunks
        self._last_ns = at_ns
        if chunks > 1 and not arrived_together(spread_ns, self._pause_ns):
            self._is_known = False

    def close(self) -> None:
        """Take the chunks so far as a burst, if they are one."""
        is_fast = self._last_ns - self._began_ns <= self._chunks * CHUNK_NS
        if self._is_known and is_fast and self._chunks >= LEAST_BURST:
            self.found.append((self._chunks, self._pause_ns // 1000))
        self._chunks = 0

"""Whether compression holds the events of a stream back: they arrive several at once, time after time.

A compressor that is not flushed after each event keeps it until a block is full. Pure: arrival times come in, a line of
evidence comes out. A server may also send its events in batches, so the line says what was seen and what may be why.
"""

from __future__ import annotations

PAUSE_NS = 100_000_000
"""Events this far apart did not come together. What one flush brings arrives within a few ms, also in several reads."""

ENOUGH_BURSTS = 3
"""So many in a row: one or two may be chance."""


class CompressedBursts:
    """Takes the arrivals of one run; ``begin`` for each connection."""

    def __init__(self) -> None:
        self._coding = ""
        self._latest_ns = 0
        self._in_burst = 0
        self._is_at_head = True
        self._bursts: list[tuple[int, int]] = []
        """How many events came together, and when the last of them; of those in a row that are bursts."""

    def begin(self, content_encoding: str, head_ns: int) -> None:
        """Take the head of a connection; ``content_encoding`` is empty where the response is not compressed."""
        self._coding = content_encoding
        self._latest_ns = head_ns
        self._in_burst = 0
        self._bursts.clear()
        # Events that arrive with the head were not held back: they are a snapshot or a history.
        self._is_at_head = True

    def event(self, arrival_ns: int) -> str:
        """Take the arrival of the next event; return the evidence once there is enough, else nothing."""
        if not self._coding:
            return ""
        evidence = ""
        if arrival_ns - self._latest_ns >= PAUSE_NS:
            evidence = self._end_burst()
            self._is_at_head = False
        self._in_burst += 1
        self._latest_ns = arrival_ns
        return evidence

    def _end_burst(self) -> str:
        count, self._in_burst = self._in_burst, 0
        if self._is_at_head or not count:
            return ""
        if count == 1:
            self._bursts.clear()
            return ""
        self._bursts.append((count, self._latest_ns))
        if len(self._bursts) < ENOUGH_BURSTS:
            return ""
        apart_s = (self._bursts[-1][1] - self._bursts[0][1]) / (len(self._bursts) - 1) / 1e9
        events = sum(size for size, _ in self._bursts)
        coding, self._coding = self._coding, ""
        return (
            f"compression may hold events back: the response has Content-Encoding {coding}, and {events:,} events came "
            f"in {len(self._bursts)} bursts {apart_s:.1f} s apart; compare with a request without compression, or "
            "flush the compressor after each event"
        )

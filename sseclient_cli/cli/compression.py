"""Detect that compression holds events back: they arrive in bursts, several times in a row.

A compressor that is not flushed after each event holds it back until a block is full. A server may also send its events
in batches, so the message names the bursts as a fact and compression as a possible cause. Pure: arrival times are
arguments, and the result is a message.
"""

from __future__ import annotations

PAUSE_NS = 100_000_000
"""Events this far apart are not in one burst. The data of one flush arrives within a few ms, even in several reads."""

ENOUGH_BURSTS = 3
"""Bursts in a row that are evidence: one or two may be chance."""


class CompressedBursts:
    """Looks for bursts in the arrival times of one run; call ``begin`` for each connection."""

    def __init__(self) -> None:
        self._coding = ""
        self._latest_ns = 0
        self._in_burst = 0
        self._is_at_head = True
        self._bursts: list[tuple[int, int]] = []
        """Event count and last arrival time of each burst in a row."""

    def begin(self, content_encoding: str, head_ns: int) -> None:
        """Start a connection; ``content_encoding`` is empty if the response is not compressed."""
        self._coding = content_encoding
        self._latest_ns = head_ns
        self._in_burst = 0
        self._bursts.clear()
        # Events that arrive with the head were not held back: they are the current state or a history.
        self._is_at_head = True

    def event(self, arrival_ns: int) -> str:
        """Add the arrival of the next event; return a message once there is enough evidence, else an empty text."""
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
            f"compression may hold events back: the response has Content-Encoding {coding}, and {events:,} events "
            f"arrived in {len(self._bursts)} bursts {apart_s:.1f} s apart; compare with an uncompressed response, or "
            "flush the compressor after each event"
        )

"""Read statistics: how long data waited in the socket before it was read, the load generator's own delay."""

from __future__ import annotations

from array import array

from sseclient_cli.engine.clock import RunClock


class Reads:
    """Counters of one worker that its connections increase. Each tick adds them to the totals and resets them."""

    __slots__ = ("body_bytes", "delay_us", "without_timestamp")

    def __init__(self) -> None:
        self.delay_us = array("q")
        """From the kernel timestamp to the read, for each read with a usable timestamp."""
        self.without_timestamp = 0
        """Reads without a kernel timestamp, or with one that precedes a clock step."""
        self.body_bytes = 0
        """Bytes of response bodies, before content decoding."""

    def arrival_ns(self, timestamp_ns: int, now_ns: int, clock: RunClock) -> int:
        """Count a read, and return its arrival time (wall clock): the kernel timestamp, or ``now_ns`` without one.

        A timestamp that precedes a clock step is not used.
        """
        if clock.trusted_since_wall_ns < timestamp_ns <= now_ns:
            self.delay_us.append((now_ns - timestamp_ns) // 1000)
            return timestamp_ns
        self.without_timestamp += 1
        return now_ns

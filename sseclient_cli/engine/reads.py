"""Read statistics: how long data waited in the socket before it was read, the load generator's own delay."""

from __future__ import annotations

from array import array


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

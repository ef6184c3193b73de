"""What reading itself costs: how long data waited for each read. The load generator measures its own delay."""

from __future__ import annotations

from array import array


class Reads:
    """Counters that connections write into; one per worker, emptied into its totals at each tick."""

    __slots__ = ("body_bytes", "delay_us", "without_timestamp")

    def __init__(self) -> None:
        self.delay_us = array("q")
        """From the kernel timestamp to our read, for each read that has one."""
        self.without_timestamp = 0
        """Reads without a kernel timestamp, or with one from before a step of the clock."""
        self.body_bytes = 0
        """Bytes of response bodies, before content codings are undone."""

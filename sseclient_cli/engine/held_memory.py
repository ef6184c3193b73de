"""Limits the memory that all parsers of a worker hold together: unfinished events and large last event IDs.

A limit per event does not bound the sum: 20,000 streams with 16 MiB each hold 320 GB.
"""

from __future__ import annotations

from sseclient_cli.errors import MemoryLimitError

MAX_HELD_BYTES = 1024 * 1024 * 1024
"""Limit per worker: 64 unfinished events of the largest size, or 50 KB in each of 20,000 streams."""

HELD_SHARE = 0.5
"""Limit for all workers together, as a share of the available memory. The rest is for the kernel's socket buffers, and
for the copies of an event that the parser makes when the event is complete."""


def max_held_bytes(available_bytes: int | None, workers: int) -> int:
    """Return the limit of each worker; ``available_bytes`` is None if it is unknown."""
    if available_bytes is None:
        return MAX_HELD_BYTES
    return min(MAX_HELD_BYTES, int(available_bytes * HELD_SHARE) // workers)


class HeldMemory:
    """The memory held by the streams of a worker. A stream adds each change of the size that its parser holds."""

    __slots__ = ("limit_bytes", "total_bytes")

    def __init__(self, limit_bytes: int = MAX_HELD_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.total_bytes = 0

    def check(self) -> None:
        """Raise MemoryLimitError if the total exceeds the limit. A stream calls it after it has grown."""
        if self.total_bytes > self.limit_bytes:
            raise MemoryLimitError(
                f"the unfinished events of a worker's streams hold {self.total_bytes // 2**20:,} MiB together"
                f" (limit {self.limit_bytes // 2**20:,} MiB)",
                arguments=["max_event_bytes", "connections"],
            )

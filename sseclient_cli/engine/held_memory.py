"""The memory that all parsers of a worker may hold together: unfinished events, and large last event IDs.

A limit per event alone does not bound it: 20,000 streams of 16 MiB each are 320 GB.
"""

from __future__ import annotations

from sseclient_cli.errors import MemoryLimitError

MAX_HELD_BYTES = 1024 * 1024 * 1024
"""Per worker: 64 unfinished events of the largest size, or 50 KB in each of 20,000 streams."""

HELD_SHARE = 0.5
"""... and no more than this share of the available memory, for all workers together. The rest is for the kernel's
socket buffers, and for the copies that are made of an event while it is completed."""


def max_held_bytes(available_bytes: int | None, workers: int) -> int:
    """Return the limit of each worker; ``available_bytes`` is None where the system does not say."""
    if available_bytes is None:
        return MAX_HELD_BYTES
    return min(MAX_HELD_BYTES, int(available_bytes * HELD_SHARE) // workers)


class HeldMemory:
    """The sum over the streams of a worker. A stream reports each change of what its parser holds."""

    __slots__ = ("limit_bytes", "total_bytes")

    def __init__(self, limit_bytes: int = MAX_HELD_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.total_bytes = 0

    def check(self) -> None:
        """Raise MemoryLimitError if it is too much: called for a stream that has just taken more."""
        if self.total_bytes > self.limit_bytes:
            raise MemoryLimitError(
                f"the unfinished events of a worker's streams hold {self.total_bytes // 2**20:,} MiB together"
                f" (limit {self.limit_bytes // 2**20:,} MiB)",
                arguments=["max_event_bytes", "connections"],
            )

"""The bytes that wait in the queues of all subscribers of a worker.

Subscribers share the bytes of an event, so an event in several queues counts once.
"""

from __future__ import annotations

from starlette.types import Message

MAX_BACKLOG_BYTES = 64 << 20


class Backlog:
    """Counts the bytes of messages while at least one queue holds them."""

    def __init__(self) -> None:
        self._holders: dict[int, int] = {}  # by id(), which is unique while a queue holds the message
        self.size_bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the limit is exceeded."""
        return self.size_bytes > MAX_BACKLOG_BYTES

    def add(self, message: Message) -> None:
        """Count a message that enters a queue."""
        holders = self._holders.get(id(message), 0)
        self._holders[id(message)] = holders + 1
        if not holders:
            self.size_bytes += len(message["body"])

    def remove(self, message: Message) -> None:
        """Count a message that leaves a queue."""
        holders = self._holders.pop(id(message))
        if holders > 1:
            self._holders[id(message)] = holders - 1
        else:
            self.size_bytes -= len(message["body"])

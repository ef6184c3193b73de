"""What all subscribers of this worker together have not been sent yet, in bytes.

Subscribers share the bytes of an event, so an event counts once, however many queues it is in.
"""

from __future__ import annotations

from starlette.types import Message

MAX_BACKLOG_BYTES = 64 << 20


class Backlog:
    """Counts messages for as long as a queue holds them."""

    def __init__(self) -> None:
        self._holders: dict[int, int] = {}  # by id(): a message that is held keeps its id
        self.size_bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether it has passed its limit."""
        return self.size_bytes > MAX_BACKLOG_BYTES

    def hold(self, message: Message) -> None:
        """Count a message that enters a queue."""
        holders = self._holders.get(id(message), 0)
        self._holders[id(message)] = holders + 1
        if not holders:
            self.size_bytes += len(message["body"])

    def let_go(self, message: Message) -> None:
        """Count a message that leaves a queue."""
        holders = self._holders.pop(id(message))
        if holders > 1:
            self._holders[id(message)] = holders - 1
        else:
            self.size_bytes -= len(message["body"])

"""A published event, encoded once for all subscribers, and the ids and types of events in channels.

Event ids are ``epoch-number``. The epoch changes when a numbering restarts, as with each start of the server, so that
an id from before the restart is recognized.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Message

from demo_server.streams.parameters import MAX_ID_DIGITS
from demo_server.workers.counters import Number

GAP = "gap"
DROPPED = "dropped"
RESERVED_TYPES = frozenset({GAP, DROPPED})

NEVER = Number("", 0)
"""Comes before every number of an event."""


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event as all subscribers receive it."""

    number: Number
    message: Message

    @property
    def size_bytes(self) -> int:
        """Bytes on the wire, and approximately in memory."""
        return len(self.message["body"])


def format_id(number: Number) -> str:
    """Return the id of an event."""
    return f"{number.epoch}-{number.value}"


def parse_id(event_id: str) -> Number:
    """Return the number of an id, or NEVER for an id in another format."""
    epoch, _, digits = event_id.rpartition("-")
    is_valid = digits.isascii() and digits.isdigit() and len(digits) <= MAX_ID_DIGITS
    return Number(epoch, int(digits)) if is_valid else NEVER

"""The entries of the live view, and a bounded queue of them. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from sseclient_cli.sse.event import Event


class Arrived(NamedTuple):
    """An event with its arrival: ``gap_s`` is the time since the previous event, None for the first one."""

    event: Event
    time_s: float
    gap_s: float | None
    label: str
    """Names the stream, if there are several."""
    number: int
    """Counts the events of the view."""


class LineKind(Enum):
    """Which kind of line stands between events."""

    COMMENT = auto()
    CONNECTION = auto()
    NOTE = auto()
    STALL = auto()
    RULE = auto()
    NOT_DRAWN = auto()


class Line(NamedTuple):
    """A line between events. Its text is not yet ``visible``."""

    kind: LineKind
    text: str
    time_s: float = 0.0
    label: str = ""


Entry = Arrived | Line


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a queue may hold."""

    entries: int
    chars: int


_ENTRY_CHARS = 100
"""The size of an entry without its text."""


class BoundedQueue:
    """Entries in order, and how many of them are ``events``. Beyond the bounds, the oldest entries are dropped."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.events = 0
        self._chars = 0
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, entry: Entry) -> list[Entry]:
        """Add an entry; return the entries that are dropped for it. The newest one always stays."""
        self._entries.append(entry)
        self._chars += _size(entry)
        self.events += isinstance(entry, Arrived)
        dropped = []
        while len(self._entries) > 1 and (self._chars > self.bounds.chars or len(self._entries) > self.bounds.entries):
            dropped.append(self.take())
        return dropped

    def take(self) -> Entry:
        """Remove and return the oldest entry."""
        entry = self._entries.popleft()
        self._chars -= _size(entry)
        self.events -= isinstance(entry, Arrived)
        return entry


def _size(entry: Entry) -> int:
    if isinstance(entry, Arrived):
        return _ENTRY_CHARS + len(entry.event.data) + len(entry.event.type) + len(entry.event.id)
    return _ENTRY_CHARS + len(entry.text)

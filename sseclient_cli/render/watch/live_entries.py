"""The entries of the live view, and a bounded queue of them. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from sseclient_cli.sse.event import Event

ENTRY_CHARS = 100
"""The size of an entry without its text."""


class Arrived(NamedTuple):
    """An event with its arrival: ``gap_s`` is the time since the previous event, None for the first one."""

    event: Event
    time_s: float
    gap_s: float | None
    label: str
    """Names the stream, if there are several."""
    number: int
    """Counts the events of the view."""
    chars: int
    """The size, roughly."""


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

    @property
    def chars(self) -> int:
        """The size, roughly."""
        return len(self.text) + ENTRY_CHARS


Entry = Arrived | Line


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a queue may hold."""

    entries: int
    chars: int


class BoundedQueue:
    """Entries in order. Beyond the bounds, the oldest entries are dropped."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._chars = 0
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def events(self) -> int:
        """How many of the entries are events."""
        return sum([isinstance(entry, Arrived) for entry in self._entries])

    def add(self, entry: Entry) -> Sequence[Entry]:
        """Add an entry; return the entries that are dropped for it. The newest one always stays."""
        entries = self._entries
        entries.append(entry)
        self._chars += entry.chars
        bounds = self.bounds
        return self._dropped() if len(entries) > bounds.entries or self._chars > bounds.chars else ()

    def take(self) -> Entry:
        """Remove and return the oldest entry."""
        entry = self._entries.popleft()
        self._chars -= entry.chars
        return entry

    def _dropped(self) -> list[Entry]:
        bounds = self.bounds
        dropped = []
        while len(self._entries) > 1 and (len(self._entries) > bounds.entries or self._chars > bounds.chars):
            dropped.append(self.take())
        return dropped

"""A queue by due time. Pure."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Generic, TypeVar

from sseclient_cli.run.actor import NEVER_NS

_Item = TypeVar("_Item")


class DueQueue(Generic[_Item]):
    """Items with the time when each is due (monotonic ns). Of two with the same time, the first added is the first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, _Item]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_ns(self) -> int:
        """The time of the first item; NEVER_NS without one."""
        return self._heap[0][0] if self._heap else NEVER_NS

    def add(self, due_ns: int, item: _Item) -> None:
        """Add an item."""
        heappush(self._heap, (due_ns, next(self._order), item))

    def pop(self) -> tuple[int, _Item]:
        """Remove the first item, and return it with its time."""
        due_ns, _, item = heappop(self._heap)
        return due_ns, item

    def keep(self, is_wanted: Callable[[_Item], bool]) -> None:
        """Remove the items that are not wanted any more."""
        self._heap = [entry for entry in self._heap if is_wanted(entry[2])]
        heapify(self._heap)

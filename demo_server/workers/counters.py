"""Numbers that are unique across all workers: counters by name, with an epoch for each restart of a numbering."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

MAX_COUNTERS = 10_000


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a counter. A counter that was evicted starts again with a new epoch."""

    epoch: str
    value: int


class Counters:
    """Counters by name. Beyond MAX_COUNTERS, the least recently used one is evicted."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, Number] = OrderedDict()

    def next(self, name: str) -> Number:
        """Return the next number of a counter, beginning with 1."""
        last = self._last.pop(name, None) or Number(secrets.token_hex(3), 0)
        number = self._last[name] = Number(last.epoch, last.value + 1)
        if len(self._last) > MAX_COUNTERS:
            self._last.popitem(last=False)
        return number

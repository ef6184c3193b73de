"""What came under the latest numbers of a stream: it tells an event that is sent again from another with its number.

Pure.
"""

from __future__ import annotations

from array import array

KEPT = 64
"""How many of the latest numbers are remembered."""

_NO_NUMBER = -(2**63)
"""In a place that is empty: no number is as low."""


class RecentContent:
    """The latest numbers, each with a hash of its content: 1 KiB."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places = array("q", [_NO_NUMBER, 0] * KEPT)
        """KEPT places by number, each followed by the hash of its content."""

    def note(self, number: int, content: str) -> None:
        """Note what came under a number."""
        place = 2 * (number % KEPT)
        self._places[place], self._places[place + 1] = number, hash(content)

    def is_same(self, number: int, content: str) -> bool | None:
        """Return whether a number came with this content.

        None where that is not remembered, or where its neighbours had the same: then it says nothing.
        """
        known = self._hash_of(number)
        if known is None or known in (self._hash_of(number - 1), self._hash_of(number + 1)):
            return None
        return known == hash(content)

    def _hash_of(self, number: int) -> int | None:
        place = 2 * (number % KEPT)
        return self._places[place + 1] if self._places[place] == number else None

"""Hashes of the content of a stream's latest sequence numbers.

Pure. They distinguish an event that is sent again from another event with the same number.
"""

from __future__ import annotations

from array import array

KEPT = 64
"""How many of the latest numbers are kept."""

_NO_NUMBER = -(2**63)
"""The content of an empty slot: no sequence number is as low."""


class RecentContent:
    """The latest numbers, each with a hash of its content: 1 KiB."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots = array("q", [_NO_NUMBER, 0] * KEPT)
        """KEPT slots by number: each is a number and the hash of its content."""

    def note(self, number: int, content: str) -> None:
        """Keep the content of a number."""
        slot = 2 * (number % KEPT)
        self._slots[slot], self._slots[slot + 1] = number, hash(content)

    def is_same(self, number: int, content: str) -> bool | None:
        """Return whether a number arrived with this content before.

        None if the number is not kept, or if a neighbour had the same content: equal content then proves nothing.
        """
        known = self._hash_of(number)
        if known is None or known in (self._hash_of(number - 1), self._hash_of(number + 1)):
            return None
        return known == hash(content)

    def _hash_of(self, number: int) -> int | None:
        slot = 2 * (number % KEPT)
        return self._slots[slot + 1] if self._slots[slot] == number else None

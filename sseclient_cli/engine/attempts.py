"""Connection attempts: streams without a response head, ordered by start time, for timeouts."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from sseclient_cli.engine.exchange import Phase


class Attempt(Protocol):
    """The part of a connecting stream that timeouts use."""

    began_ns: int
    slot: int

    @property
    def phase(self) -> Phase:
        """The phase of its connection."""

    @property
    def requested_ns(self) -> int:
        """When the request was sent (monotonic)."""

    def ended(self, cause: Exception | None) -> None:
        """End the attempt."""


class Attempts:
    """The attempts of one worker.

    An entry is stale when its stream has started another connection: then ``began_ns`` differs.
    """

    __slots__ = ("connecting", "requesting", "under_way")

    def __init__(self, *, limits_head: bool = False) -> None:
        self.connecting: deque[tuple[int, Attempt]] = deque()
        """Start time (monotonic ns) and stream of each connection, oldest first. Finished attempts may remain here."""
        self.requesting: deque[tuple[int, Attempt]] | None = deque() if limits_head else None
        """The same, ordered by the time of the request. None if the time to the response head is not limited."""
        self.under_way = 0
        """Number of attempts that have no response head yet."""

    def begin(self, attempt: Attempt) -> None:
        """Record that a stream has started a connection."""
        self.under_way += 1
        self.connecting.append((attempt.began_ns, attempt))

    def request(self, attempt: Attempt) -> None:
        """Record that a stream sends its request."""
        if self.requesting is not None:
            self.requesting.append((attempt.began_ns, attempt))

"""The streams that have no response head yet, in the order in which they began: what timeouts look at."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from sseclient_cli.engine.connection import Phase


class Attempt(Protocol):
    """A stream that connects, as its timeout sees it."""

    began_ns: int
    slot: int

    @property
    def phase(self) -> Phase:
        """Where its connection is."""

    @property
    def requested_ns(self) -> int:
        """When the request was sent (monotonic)."""

    def ended(self, cause: Exception | None) -> None:
        """End the attempt."""


class Attempts:
    """The attempts of one worker. An entry whose stream has begun another connection since is out of date."""

    __slots__ = ("connecting", "requesting", "under_way")

    def __init__(self, *, limits_head: bool = False) -> None:
        self.connecting: deque[tuple[int, Attempt]] = deque()
        """With the moment that each connection began (monotonic ns); some may be over."""
        self.requesting: deque[tuple[int, Attempt]] | None = deque() if limits_head else None
        """The same in the order of the requests; None where the time to the response head has no limit."""
        self.under_way = 0
        """How many there are, up to the response head."""

    def begin(self, attempt: Attempt) -> None:
        """Note that a stream has begun a connection."""
        self.under_way += 1
        self.connecting.append((attempt.began_ns, attempt))

    def request(self, attempt: Attempt) -> None:
        """Note that a stream sends its request."""
        if self.requesting is not None:
            self.requesting.append((attempt.began_ns, attempt))

"""Whether an ``EventSource`` makes another connection, and when: the protocol's rules, and what the caller allows."""

from __future__ import annotations

import random

from sseclient_cli.errors import BadStatusError, SseError
from sseclient_cli.sse.reconnection import Reconnection

_SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Requests with these change nothing on the server (RFC 9110 9.2.1), so that they may be repeated unasked."""


class RetryPolicy:
    """``reconnect`` is the caller's word, None for none; ``max_reconnects`` counts those in a row without an event."""

    def __init__(self, reconnection: Reconnection, *, reconnect: bool | None, max_reconnects: int | None) -> None:
        self._reconnection = reconnection
        self._reconnect = reconnect
        self._max_reconnects = max_reconnects
        self._in_a_row = 0

    def delay_s(self, error: SseError | None, method: str, *, opened: bool, delivered: bool) -> float | None:
        """Return the wait before the next connection, None if there is none; see ``Reconnection.delay_ms``."""
        delay_ms = self._reconnection.delay_ms(error, opened=opened, delivered=delivered, random=random.random())
        if delay_ms is None or not self._is_allowed(error, method):
            return None
        if opened and delivered:
            self._in_a_row = 0
        if self._max_reconnects is not None and self._in_a_row >= self._max_reconnects:
            return None
        self._in_a_row += 1
        return delay_ms / 1000

    def _is_allowed(self, error: SseError | None, method: str) -> bool:
        if self._reconnect is not None:
            return self._reconnect
        # A status that is not to be retried has no delay.
        return method in _SAFE_METHODS or isinstance(error, BadStatusError)

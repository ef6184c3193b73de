"""Whether an ``EventSource`` repeats its request: the caller's arguments limit the rules of ``sse/retry_policy.py``."""

from __future__ import annotations

import random
from collections.abc import Collection

from sseclient_cli.client.arguments import check_retries
from sseclient_cli.errors import BadStatusError, SseError
from sseclient_cli.sse.framing import StreamFormat
from sseclient_cli.sse.retry_policy import Reconnection

_SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Requests with these methods change nothing on the server (RFC 9110 9.2.1), so they are repeated by default."""


class RepeatPolicy:
    """Decides whether and when to reconnect; the arguments are those of ``EventSource``. Raises UsageError for them.

    ``reconnection`` has the rules of the protocol, and the last event ID.
    """

    def __init__(
        self,
        last_event_id: str,
        *,
        reconnect: bool | None,
        max_reconnects: int | None,
        retry_statuses: Collection[int],
        reconnection_time_s: float,
        max_backoff_s: float,
    ) -> None:
        check_retries(
            reconnect=reconnect,
            max_reconnects=max_reconnects,
            retry_statuses=retry_statuses,
            reconnection_time_s=reconnection_time_s,
            max_backoff_s=max_backoff_s,
        )
        self._reconnect = reconnect
        self._max_reconnects = max_reconnects
        self._reconnects_without_event = 0
        self.reconnection = Reconnection(
            last_event_id, retry_statuses, round(reconnection_time_s * 1000), round(max_backoff_s * 1000)
        )

    def delay_s(
        self,
        error: SseError | None,
        method: str,
        stream_format: StreamFormat,
        *,
        opened: bool,
        delivered: bool,
        is_done: bool = False,
    ) -> float | None:
        """Return the wait before the next connection; None to stop. See ``Reconnection.delay_ms``.

        ``is_done``: the server has said that the stream is complete; by default, that is final.
        """
        if is_done and not self._reconnect:
            return None
        delay_ms = self.reconnection.delay_ms(error, opened=opened, delivered=delivered, random=random.random())
        if delay_ms is None or not self._is_allowed(error, method, stream_format):
            return None
        if opened and delivered:
            self._reconnects_without_event = 0
        if self._max_reconnects is not None and self._reconnects_without_event >= self._max_reconnects:
            return None
        self._reconnects_without_event += 1
        return delay_ms / 1000

    def _is_allowed(self, error: SseError | None, method: str, stream_format: StreamFormat) -> bool:
        if self._reconnect is not None:
            return self._reconnect
        # A BadStatusError gets here only if its status is one of retry_statuses.
        # An event stream has IDs, with which a server can continue, and a WebSocket says when it is complete: others
        # would begin again.
        is_resumable = method in _SAFE_METHODS and stream_format in (StreamFormat.SSE, StreamFormat.WEBSOCKET)
        return is_resumable or isinstance(error, BadStatusError)

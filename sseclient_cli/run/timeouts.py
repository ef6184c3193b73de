"""Ends what has taken too long: connecting, the response head, a stream without a byte. Called at each tick.

Attempts wait in queues in the order of their starts, so that a look costs nothing where none is late. Open streams are
gone through by turns, and only where the plan limits their silence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from time import monotonic_ns

from sseclient_cli.engine.attempts import Attempts
from sseclient_cli.engine.connection import Phase
from sseclient_cli.engine.stream import Stream
from sseclient_cli.errors import ConnectTimeoutError, ReadTimeoutError, UnansweredError
from sseclient_cli.request.target import Target
from sseclient_cli.units import NS_PER_S

LASTING_NS = 2 * NS_PER_S
"""The age at which a connection is given keep-alive, whose first probe comes after 10 s of silence."""

LOOKS_PER_TICK = 5_000
"""Open streams looked at in a tick, 0.1 us each, or a tenth of all if that is more: each at least once a second."""


class Timeouts:
    """The limits of time of one worker's streams."""

    def __init__(self, attempts: Attempts, target: Target, idle_timeout_s: float | None) -> None:
        self._attempts = attempts
        self._connect_ns = round(target.connect_timeout_s * NS_PER_S)
        self._head_ns = 0 if target.head_timeout_s is None else round(target.head_timeout_s * NS_PER_S)
        self._idle_s = idle_timeout_s
        self._unguarded: deque[tuple[int, int]] = deque()
        """Connections that are not kept alive yet: when they began to connect, and their slot. No streams, or it would
        keep those in memory that are over."""
        self._to_look_at: list[Stream] = []
        self._looks = LOOKS_PER_TICK

    def look(self, streams: Mapping[int, Stream]) -> None:
        """End what is overdue among these streams, and guard the connections that last."""
        self._end_connects()
        self._end_requests()
        self._keep_alive(streams)
        if self._idle_s is not None:
            self._end_idle(streams, self._idle_s)

    def _end_connects(self) -> None:
        connecting, now_ns = self._attempts.connecting, monotonic_ns()
        while connecting:
            began_ns, stream = connecting[0]
            is_under_way = stream.began_ns == began_ns and stream.phase in (Phase.CONNECTING, Phase.SECURING)
            if is_under_way and now_ns - began_ns < self._connect_ns:
                break  # the order is that of the starts: all others are younger
            connecting.popleft()
            if not is_under_way and stream.began_ns == began_ns:
                self._unguarded.append((began_ns, stream.slot))
            elif is_under_way:
                stream.ended(ConnectTimeoutError(f"no connection within {self._connect_ns / NS_PER_S:g} s"))

    def _end_requests(self) -> None:
        requesting, now_ns = self._attempts.requesting, monotonic_ns()
        while requesting:
            began_ns, stream = requesting[0]
            is_under_way = stream.began_ns == began_ns and stream.phase is Phase.REQUESTING
            if is_under_way and now_ns - stream.requested_ns < self._head_ns:
                break  # all others are younger, but for requests too large to be sent at once: these may be late
            requesting.popleft()
            if is_under_way:
                stream.ended(UnansweredError(f"no response head within {self._head_ns / NS_PER_S:g} s"))

    def _keep_alive(self, streams: Mapping[int, Stream]) -> None:
        """Switch keep-alive on for connections that last: it is of no use to others, and would slow down opening."""
        unguarded, now_ns = self._unguarded, monotonic_ns()
        while unguarded and now_ns - unguarded[0][0] >= LASTING_NS:
            began_ns, slot = unguarded.popleft()
            stream = streams.get(slot)
            if stream is not None and stream.began_ns == began_ns and stream.phase is not Phase.CLOSED:
                stream.keep_alive()

    def _end_idle(self, streams: Mapping[int, Stream], idle_s: float) -> None:
        if not self._to_look_at:
            self._to_look_at = list(streams.values())
            self._looks = max(LOOKS_PER_TICK, len(self._to_look_at) // 10)
        latest_ns = monotonic_ns() - round(idle_s * NS_PER_S)
        looked_at, self._to_look_at = self._to_look_at[: self._looks], self._to_look_at[self._looks :]
        for stream in looked_at:
            if stream.phase is Phase.OPEN and stream.last_byte_ns < latest_ns:
                stream.ended(ReadTimeoutError(f"no bytes for {idle_s:g} s"))

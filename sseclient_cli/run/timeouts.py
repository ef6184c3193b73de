"""Enforces the connect, response-head and idle timeouts, and enables keep-alive. Called at each tick.

Attempts are in queues ordered by start time, so that a check is cheap if no attempt is late. Open streams are checked
in batches, and only if the plan has an idle timeout.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from time import monotonic_ns

from sseclient_cli.engine.attempts import Attempts
from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.stream import Stream
from sseclient_cli.errors import ConnectTimeoutError, ReadTimeoutError, UnansweredError
from sseclient_cli.request.target import Target
from sseclient_cli.units import NS_PER_S

LASTING_NS = 2 * NS_PER_S
"""Age at which keep-alive is enabled for a connection. The first probe is sent after 10 s of silence."""

CHECKS_PER_TICK = 5_000
"""Open streams checked per tick, 0.1 us each. With more than ten times as many streams it is a tenth of them, so that
each stream is checked at least once per second."""

LEAST_WAIT_NS = NS_PER_S
"""A shorter wait for a response head at the end of the run is no fault of the server."""


def is_unanswered(stream: Stream, now_ns: int) -> bool:
    """Return whether the response head of a stream is overdue at the end of the run, ``now_ns`` (monotonic)."""
    return stream.phase is Phase.REQUESTING and now_ns - stream.requested_ns >= LEAST_WAIT_NS


class Timeouts:
    """The timeouts of one worker's streams."""

    def __init__(self, attempts: Attempts, target: Target, idle_timeout_s: float | None) -> None:
        self._attempts = attempts
        self._connect_ns = round(target.connect_timeout_s * NS_PER_S)
        self._head_ns = 0 if target.head_timeout_s is None else round(target.head_timeout_s * NS_PER_S)
        self._idle_s = idle_timeout_s
        self._without_keep_alive: deque[tuple[int, int]] = deque()
        """Start time and slot of connections without keep-alive. References would keep finished streams in memory."""
        self._unchecked: list[Stream] = []
        self._checks_per_tick = CHECKS_PER_TICK

    def check(self, streams: Mapping[int, Stream]) -> None:
        """End overdue attempts and streams, and enable keep-alive for lasting connections."""
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
                break  # the queue is ordered by start time: all others are younger
            connecting.popleft()
            if not is_under_way and stream.began_ns == began_ns:
                self._without_keep_alive.append((began_ns, stream.slot))
            elif is_under_way:
                stream.ended(ConnectTimeoutError(f"no connection within {self._connect_ns / NS_PER_S:g} s"))

    def _end_requests(self) -> None:
        requesting, now_ns = self._attempts.requesting, monotonic_ns()
        while requesting:
            began_ns, stream = requesting[0]
            is_under_way = stream.began_ns == began_ns and stream.phase is Phase.REQUESTING
            if is_under_way and now_ns - stream.requested_ns < self._head_ns:
                break  # all others are younger, except requests too large for one send: their timeout may be late
            requesting.popleft()
            if is_under_way:
                stream.ended(UnansweredError(f"no response head within {self._head_ns / NS_PER_S:g} s"))

    def _keep_alive(self, streams: Mapping[int, Stream]) -> None:
        """Enable keep-alive for lasting connections only: short ones do not need it, and it would slow down opening."""
        waiting, now_ns = self._without_keep_alive, monotonic_ns()
        while waiting and now_ns - waiting[0][0] >= LASTING_NS:
            began_ns, slot = waiting.popleft()
            stream = streams.get(slot)
            if stream is not None and stream.began_ns == began_ns and stream.phase is not Phase.CLOSED:
                stream.keep_alive()

    def _end_idle(self, streams: Mapping[int, Stream], idle_s: float) -> None:
        if not self._unchecked:
            self._unchecked = list(streams.values())
            self._checks_per_tick = max(CHECKS_PER_TICK, len(self._unchecked) // 10)
        latest_ns = monotonic_ns() - round(idle_s * NS_PER_S)
        batch, self._unchecked = self._unchecked[: self._checks_per_tick], self._unchecked[self._checks_per_tick :]
        for stream in batch:
            if stream.phase is Phase.OPEN and stream.last_byte_ns < latest_ns:
                stream.ended(ReadTimeoutError(f"no bytes for {idle_s:g} s"))

"""The requests of a worker: the number of each, whether its answer succeeded, and what its slot does next.

Without an API that defines the end of an answer, a stream has the number of its slot, and none of this applies.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic_ns

from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.stream import Owner
from sseclient_cli.errors import SseError, UnexpectedResponseError
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.request.target import Target
from sseclient_cli.run.conversations import Conversations
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.pooled_stream import PooledStream
from sseclient_cli.sse.retry_policy import retry_after_ms
from sseclient_cli.units import NS_PER_S

RESTART_AFTER_FAILURE_NS = NS_PER_S
"""Delay before a slot's next stream after a failed connect or response, to avoid overloading a failing server."""

LINGER_NS = NS_PER_S // 20
"""How long a complete answer may stay open. A server ends the response within a few milliseconds, or not at all."""


class RequestSlots:
    """Hands out the numbers of the requests, and judges their answers."""

    def __init__(self, plan: Plan, target: Target) -> None:
        self._numbers = plan.request_numbers if plan.has_requests or plan.requests else None
        self._taken = 0
        self._conversations = Conversations(plan, target)

    @property
    def has_more(self) -> bool:
        """Whether the plan has another stream."""
        return self._numbers is None or self._taken < len(self._numbers)

    def new_stream(
        self, context: EngineContext, owner: Owner, slot: int, measurement: Measurement
    ) -> PooledStream | None:
        """Return the next stream in a slot; None if the plan has no more."""
        if not self.has_more:
            return None
        number = slot if self._numbers is None else self._numbers[self._taken]
        self._taken += 1
        return PooledStream(context, owner, slot, number, measurement, self._conversations.next_in(slot))

    def conclude(self, stream: PooledStream, error: SseError | None) -> None:
        """Add a request to the totals whose connection has ended: successfully, or with this error."""
        if stream.probe is not None:
            stream.probe.conclude(monotonic_ns(), error)
            if error is None:
                self._conversations.answered(stream)

    def cut(self, stream: PooledStream) -> None:
        """Add a request to the totals that the plan has ended."""
        if stream.probe is not None:
            stream.probe.cut(monotonic_ns())
            if stream.probe.is_complete and stream.probe.failure() is None:
                self._conversations.answered(stream)

    def complete(self, streams: Iterable[PooledStream]) -> list[PooledStream]:
        """Return the open streams whose answer is complete, although the server has not ended the response."""
        if self._numbers is None:
            return []
        latest_ns = monotonic_ns() - LINGER_NS
        return [
            stream
            for stream in streams
            if stream.probe is not None
            and stream.probe.is_complete
            and stream.phase is Phase.OPEN
            and stream.last_byte_ns < latest_ns
        ]


def verdict_on(stream: PooledStream, error: SseError | None) -> SseError | None:
    """Return the failure of a stream whose connection ended with ``error``: an answer may have failed, or not.

    A complete answer is one even if its connection broke after it.
    """
    probe = stream.probe
    if probe is None:
        return error
    failure = probe.failure() if error is None or probe.is_complete else probe.explained(error)
    if failure is not None and failure is not error:
        failure.args = (stream.first.target.masked(str(failure)),)
    return failure


def wait_ns(stream: PooledStream, error: SseError | None, was: Phase) -> int:
    """Return how long a slot waits before its next stream, after one that ended in phase ``was``.

    A server may send the error of a request in an open response, and at once.
    """
    asked_ns = retry_after_ms(error.headers) * 1_000_000 if isinstance(error, UnexpectedResponseError) else 0
    is_failure = error is not None if stream.probe is not None else was is not Phase.OPEN
    return max(RESTART_AFTER_FAILURE_NS if is_failure else 0, asked_ns)

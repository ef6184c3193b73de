"""Adds the events of one stream to the sample for the reach of a broadcast."""

from __future__ import annotations

from sseclient_cli.engine.observer import StreamObserver
from sseclient_cli.measure.reach import ReachSample
from sseclient_cli.sse.event_stream import Event


class ReachProbe(StreamObserver):
    """Adds the events of a stream to the sample until its connection ends."""

    __slots__ = ("_bit", "_sample")

    def __init__(self, sample: ReachSample, bit: int) -> None:
        self._sample = sample
        self._bit = bit

    def received(
        self,
        body: bytes,
        events: list[Event],
        arrival_ns: int,
        arrival_monotonic_ns: int,
        *,
        is_exact: bool,
        is_fresh: bool,
    ) -> None:
        """Add the events of one read."""
        if events:
            self._sample.take(events, self._bit, arrival_monotonic_ns)

    def ended(self, now_ns: int, last_byte_ns: int, *, is_cut: bool) -> None:
        """Leave the sample: an event that is sent while the stream is disconnected cannot reach it."""
        self._sample.leave(now_ns)

    def finished(self, now_ns: int) -> None:
        """Leave the sample with the stream."""
        self._sample.leave(now_ns)

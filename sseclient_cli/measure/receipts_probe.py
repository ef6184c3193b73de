"""Records which published events a stream receives, and when. Times count from the start of the run."""

from __future__ import annotations

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.observer import Opened, StreamObserver
from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure.fanout_token import TokenReader
from sseclient_cli.measure.receipts import Receipts, StreamReceipts
from sseclient_cli.sse.event_stream import Event


class ReceiptsProbe(StreamObserver):
    """Adds the events of one stream to the receipts of its worker."""

    __slots__ = ("_clock", "_opened_ns", "_own", "_poller", "_receipts", "_tokens")

    def __init__(
        self, tokens: TokenReader, receipts: Receipts, own: StreamReceipts, *, clock: RunClock, poller: Poller
    ) -> None:
        self._tokens = tokens
        self._receipts = receipts
        self._own = own
        self._clock, self._poller = clock, poller
        self._opened_ns: int | None = None
        """When the connection opened; None without one."""

    def opened(self, opened: Opened) -> None:
        """Begin the interval of a connection."""
        self._opened_ns = opened.arrival_monotonic_ns - self._clock.started_ns

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
        """Record the published events of one read."""
        for place, event in enumerate(events, 1):
            for number, sent_ns in self._tokens.read(event.data):
                is_timed = is_exact and place == len(events)
                if not is_timed:
                    is_timed = self._poller.uncertainty_ns(arrival_ns, is_fresh=is_fresh) is not None
                self._take(number, sent_ns, arrival_monotonic_ns - self._clock.started_ns, is_timed=is_timed)

    def _take(self, number: int, sent_ns: int, arrived_ns: int, *, is_timed: bool) -> None:
        own, receipts = self._own, self._receipts
        if not own.take(number):
            return
        if self._opened_ns is None or sent_ns < self._opened_ns:
            receipts.replayed += 1
        elif not is_timed:
            receipts.untimed += 1
        else:
            delay_us = (arrived_ns - sent_ns) // 1000
            receipts.arrived(number, delay_us, arrived_ns)
            own.timed += 1
            own.delay_sum_us += delay_us
            own.delay_max_us = max(own.delay_max_us, delay_us)

    def ended(self, now_ns: int, last_byte_ns: int, *, is_cut: bool) -> None:
        """End the interval of a connection."""
        self._end(now_ns)

    def finished(self, now_ns: int) -> None:
        """End the interval of the last connection."""
        self._end(now_ns)

    def _end(self, now_ns: int) -> None:
        if self._opened_ns is not None:
            self._own.connections.append(
                (self._opened_ns, min(now_ns - self._clock.started_ns, self._receipts.ends_ns))
            )
            self._opened_ns = None

"""Losses and returns of streams at given times (ms since the start of the run), for tests of the recovery."""

from __future__ import annotations

from collections.abc import Iterable

from sseclient_cli.errors import BadStatusError, ConnectionLostError, ConnectionRefusedByTargetError, SseError
from sseclient_cli.measure.recovery import RecoveryLog, RecoveryTotals
from sseclient_cli.sse.event_stream import EventStreamParser
from sseclient_cli.sse.retry_policy import Reconnection


class LostStreams:
    """Records what happens to streams as a worker does."""

    def __init__(self, open_streams: int = 0, *, retry_ms: int | None = None, bin_ms: int = 10) -> None:
        self.totals = RecoveryTotals(bin_ms=bin_ms)
        self.log = RecoveryLog(self.totals)
        self._reconnection = Reconnection()
        if retry_ms is not None:
            parser = EventStreamParser()
            parser.feed(b"retry: %d\n\n" % retry_ms)
            self._reconnection.remember(parser)
        for slot in range(open_streams):
            self.opened(slot, 0)

    def opened(self, slot: int, at_ms: float) -> None:
        self.log.attempted(slot, _ns(at_ms))
        self.log.opened(slot, _ns(at_ms))

    def cut(self, slots: Iterable[int], at_ms: float) -> None:
        for slot in slots:
            self._ended(slot, at_ms, ConnectionLostError("cut"), was_open=True)

    def ended(self, slots: Iterable[int], at_ms: float) -> None:
        for slot in slots:
            self._ended(slot, at_ms, None, was_open=True)

    def dropped(self, slots: Iterable[int], at_ms: float) -> None:
        for slot in slots:
            self.log.lost(slot, _ns(at_ms), "storm", self._reconnection)

    def refused(self, slots: Iterable[int], at_ms: float) -> None:
        for slot in slots:
            self.log.attempted(slot, _ns(at_ms))
            self._ended(slot, at_ms, ConnectionRefusedByTargetError("refused"), was_open=False)

    def answered(self, slots: Iterable[int], at_ms: float, status: int) -> None:
        for slot in slots:
            self.log.attempted(slot, _ns(at_ms))
            self._ended(slot, at_ms, BadStatusError("no", status=status), was_open=False)

    def gave_up(self, slots: Iterable[int], at_ms: float) -> None:
        for slot in slots:
            self.log.gave_up(slot, _ns(at_ms))

    def _ended(self, slot: int, at_ms: float, error: SseError | None, *, was_open: bool) -> None:
        self.log.ended(slot, _ns(at_ms), error, self._reconnection, was_open=was_open)


def _ns(at_ms: float) -> int:
    return round(at_ms * 1_000_000)

"""How long the worker's loop waits, so that one turn reads the events of many sockets.

Pure. Each turn costs the system calls of a wake-up, about as much as reading five events. Kernel timestamps keep
arrival times exact, except for events of one stream that arrive between two turns: they share a read. So the loop waits
longer only while hardly any events share one.
"""

from __future__ import annotations

from sseclient_cli.units import NS_PER_S

SHORT_NS = NS_PER_S // 1000
"""Interval between turns with kernel timestamps. An idle loop also turns at this interval (1 % of a core), so that all
data of a read arrived within a millisecond."""

LONG_NS = 4 * SHORT_NS
"""The longer interval. With 500 streams x 10 events/s, a turn finds 20 events instead of 5
(``docs/decisions/0063-longer-turns.md``)."""

CONNECTING_NS = NS_PER_S // 10_000
"""The interval while streams are connecting: connects have no kernel timestamp, and head and events may arrive in one
read."""

MAX_SHARING = 0.01
"""The largest share of events that may share a read at the longer interval. At random times, events share reads in
proportion to the interval, so that at the short one a quarter of it is the limit."""

CALM_TICKS = 10
"""Ticks below the limit before the interval gets longer: one second, so that a burst each second keeps it short."""


class Gathering:
    """Chooses the interval between turns, by the reads of each tick."""

    __slots__ = ("_calm_ticks", "_may_be_long", "_usual_ns")

    def __init__(self, *, is_stamped: bool, may_be_long: bool) -> None:
        """Without kernel timestamps, the loop does not wait. ``may_be_long``: only arrivals of events are measured."""
        self._usual_ns = SHORT_NS if is_stamped else 0
        self._may_be_long = is_stamped and may_be_long
        self._calm_ticks = 0

    def interval_ns(self, *, is_connecting: bool) -> int:
        """Return the interval between turns; 0 if the loop does not wait for more events."""
        return CONNECTING_NS if is_connecting else self._usual_ns

    def note(self, events: int, sharing: int) -> None:
        """Take the events of a tick, and how many of them shared a read with others."""
        if not self._may_be_long or not events:
            return
        is_calm = sharing <= events * MAX_SHARING * self._usual_ns / LONG_NS
        self._calm_ticks = self._calm_ticks + 1 if is_calm else 0
        self._usual_ns = LONG_NS if self._calm_ticks >= CALM_TICKS else SHORT_NS

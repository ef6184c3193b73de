"""The offset of a host's clocks against the coordinator's, from round trips between them.

Pure. The host reads its clocks at an unknown moment of a round trip. Taken as the middle of the trip, that moment is
wrong by at most half of the trip, however unequal the two ways are (Cristian 1989; NTP does the same). The tightest
trip counts.

Only the monotonic clocks are compared over the network, because they cannot be set. Each machine knows the distance
between its wall clock and its monotonic clock, which changes only if the wall clock is set. The latest reading has the
current distance, so a step during the trips does not distort the offset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from sseclient_cli.engine.clock import Reading

__all__ = ["ClockOffset", "Drift", "Reading", "RoundTrip", "clock_offset", "drift"]


class RoundTrip(NamedTuple):
    """A request of the coordinator, and the host's answer."""

    sent: Reading
    """The coordinator's clocks before the request."""
    theirs: Reading
    """The host's clocks, read in between."""
    received: Reading
    """The coordinator's clocks after the answer."""

    @property
    def took_ns(self) -> int:
        """Its duration."""
        return self.received.monotonic_ns - self.sent.monotonic_ns


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """The host's clocks minus the coordinator's. Both offsets are correct to within ``bound_ns``."""

    monotonic_ns: int
    wall_ns: int
    bound_ns: int


class Drift(NamedTuple):
    """How far a host's clocks moved during a run, against the coordinator's."""

    wall_ns: int
    """The change of the wall clock's offset, by drift or by a step."""
    bound_ns: int
    """The offset measured before the run is correct to within this time for the whole run."""


def clock_offset(trips: Sequence[RoundTrip]) -> ClockOffset:
    """Return the offset after the last of the trips, which are in the order of time. There must be at least one."""
    tightest, latest = min(trips, key=attrgetter("took_ns")), trips[-1]
    middle_ns = (tightest.sent.monotonic_ns + tightest.received.monotonic_ns) // 2
    monotonic_ns = tightest.theirs.monotonic_ns - middle_ns
    ours, theirs = latest.received, latest.theirs
    wall_ns = monotonic_ns + (theirs.wall_ns - theirs.monotonic_ns) - (ours.wall_ns - ours.monotonic_ns)
    bound_ns = _half(tightest.took_ns) + _half(ours.width_ns + theirs.width_ns)
    return ClockOffset(monotonic_ns, wall_ns, bound_ns)


def drift(before: ClockOffset, after: ClockOffset) -> Drift:
    """Return how far the clocks moved between a measurement before a run and one after it."""
    wall_ns = after.wall_ns - before.wall_ns
    moved_ns = max(abs(wall_ns), abs(after.monotonic_ns - before.monotonic_ns))
    return Drift(wall_ns, max(before.bound_ns, moved_ns + after.bound_ns))


def _half(time_ns: int) -> int:
    return (time_ns + 1) // 2

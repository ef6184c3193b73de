"""The wall clock and the monotonic clock of a run, and the end of the run.

Arrival times and the timestamps in events are wall-clock time. Durations are monotonic. The offset between the clocks
is measured ten times a second, not per read: an interruption between two clock readings would change an arrival time.
"""

from __future__ import annotations

from operator import attrgetter
from time import monotonic_ns, time_ns
from typing import NamedTuple

MAX_DRIFT_NS = 10_000_000
"""A larger change of the offset between two measurements is a clock step. NTP slews by at most 0.05 ms in 0.1 s."""

MAX_STEPS = 20
"""Limit of recorded clock steps."""


class RunClock:
    """Converts arrival times to the monotonic clock and ends the run on time, even if the wall clock is set."""

    __slots__ = (
        "correction_ns", "ends_ns", "ends_wall_ns", "offset_ns", "started_ns", "steps", "trusted_since_wall_ns",
        "warm_ns",
    )  # fmt: skip

    def __init__(self, correction_ns: int = 0) -> None:
        self.correction_ns = correction_ns
        """The wall clock minus the coordinator's. Measurements subtract it before they compare an arrival with a time
        of another machine."""
        self.ends_ns = 0
        """End of the run (monotonic)."""
        self.ends_wall_ns = 0
        """The same moment on the wall clock, so that a read needs only one comparison."""
        self.started_ns = 0
        """Start of the run (monotonic)."""
        self.warm_ns = 0
        """End of the warm-up (monotonic)."""
        self.offset_ns = 0
        """The monotonic clock minus the wall clock."""
        self.trusted_since_wall_ns = 0
        """Kernel timestamps before this moment (wall clock) precede a clock step and are not used."""
        self.steps: dict[int, int] = {}
        """Steps of the wall clock in ns. The key is the monotonic time of the step."""

    def synchronize(self) -> None:
        """Measure the offset again and record a clock step."""
        before_ns = self.offset_ns
        self.offset_ns = _offset_ns()
        self.ends_wall_ns = self.ends_ns - self.offset_ns
        step_ns = before_ns - self.offset_ns
        if before_ns and abs(step_ns) > MAX_DRIFT_NS:
            self.trusted_since_wall_ns = time_ns() if step_ns > 0 else 0
            if len(self.steps) < MAX_STEPS:
                self.steps[monotonic_ns()] = step_ns

    def notice_step(self) -> None:
        """Synchronize if the wall clock was set. It is cheap enough to call in each turn of the loop."""
        if abs(monotonic_ns() - time_ns() - self.offset_ns) > MAX_DRIFT_NS:
            self.synchronize()

    def is_over(self) -> bool:
        """Return whether the run is over. Setting the wall clock forward does not end it."""
        if monotonic_ns() >= self.ends_ns:
            return True
        self.synchronize()
        return False

    def end_now(self) -> None:
        """End the run now. Data that is read later in this turn of the loop is discarded."""
        self.ends_ns = self.ends_wall_ns = 0


class Reading(NamedTuple):
    """Both clocks of a machine at the same moment."""

    monotonic_ns: int
    wall_ns: int
    width_ns: int = 0
    """The time that the reading took. The wall clock was read within half of it around ``monotonic_ns``."""


def read_clocks() -> Reading:
    """Read both clocks: the shortest of three readings."""
    readings = []
    for _ in range(3):
        before_ns, wall_ns, after_ns = monotonic_ns(), time_ns(), monotonic_ns()
        readings.append(Reading((before_ns + after_ns) // 2, wall_ns, after_ns - before_ns))
    return min(readings, key=attrgetter("width_ns"))


def _offset_ns() -> int:
    """Return the monotonic clock minus the wall clock."""
    reading = read_clocks()
    return reading.monotonic_ns - reading.wall_ns

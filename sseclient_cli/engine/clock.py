"""The two clocks of a run, and when the run ends.

Arrivals and the timestamps in events are wall-clock time; durations are monotonic. The offset between the two is
measured ten times a second and not per read, where an interruption between two clock readings would look like a
difference in arrival.
"""

from __future__ import annotations

from time import monotonic_ns, time_ns

MAX_DRIFT_NS = 10_000_000
"""A larger change of the offset between two measurements is a step: NTP slews by 0.05 ms in that time."""

MAX_STEPS = 20
"""Steps that are kept. A clock that steps more often is not a clock."""


class RunClock:
    """Puts arrivals on the monotonic clock and ends the run on time, also when the wall clock is set meanwhile."""

    __slots__ = ("ends_ns", "ends_wall_ns", "offset_ns", "steps", "trusted_since_wall_ns", "warm_ns")

    def __init__(self) -> None:
        self.ends_ns = 0
        """When the run is over (monotonic)."""
        self.ends_wall_ns = 0
        """The same moment by the wall clock: one comparison per read."""
        self.warm_ns = 0
        """When the warm-up is over (monotonic)."""
        self.offset_ns = 0
        """The monotonic clock minus the wall clock."""
        self.trusted_since_wall_ns = 0
        """A kernel timestamp before this moment (wall clock) is from before a step of the clock."""
        self.steps: dict[int, int] = {}
        """Steps of the wall clock in ns, by the monotonic moment of each."""

    def synchronize(self) -> None:
        """Measure the offset again, because the wall clock may have been set."""
        before_ns = self.offset_ns
        self.offset_ns = _offset_ns()
        self.ends_wall_ns = self.ends_ns - self.offset_ns
        step_ns = before_ns - self.offset_ns
        if before_ns and abs(step_ns) > MAX_DRIFT_NS:
            self.trusted_since_wall_ns = time_ns() if step_ns > 0 else 0
            if len(self.steps) < MAX_STEPS:
                self.steps[monotonic_ns()] = step_ns

    def notice_step(self) -> None:
        """Synchronize if the wall clock was set. Cheap: each turn of the loop calls it."""
        if abs(monotonic_ns() - time_ns() - self.offset_ns) > MAX_DRIFT_NS:
            self.synchronize()

    def is_over(self) -> bool:
        """Return whether the run is over; a wall clock that was set forward does not end it."""
        if monotonic_ns() >= self.ends_ns:
            return True
        self.synchronize()
        return False

    def end_now(self) -> None:
        """End the run: reads that follow in this turn of the loop do not count and take no time."""
        self.ends_ns = self.ends_wall_ns = 0


def _offset_ns() -> int:
    """Return the monotonic clock minus the wall clock: of three readings the one with the shortest interruption."""
    readings = []
    for _ in range(3):
        before_ns, wall_ns, after_ns = monotonic_ns(), time_ns(), monotonic_ns()
        readings.append((after_ns - before_ns, (before_ns + after_ns) // 2 - wall_ns))
    return min(readings)[1]

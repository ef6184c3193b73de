"""When a stream has gone silent: no byte for much longer than its own pauses so far explain.

Pure. Heartbeats are bytes, too: a stream whose server sends one every 15 s may be without events for any time.
"""

from __future__ import annotations

from sseclient_cli.units import NS_PER_S

LEAST_SILENCE_NS = NS_PER_S
"""A shorter silence is not told from a busy moment."""

LEAST_ACTIVE_NS = NS_PER_S // 2
"""A stream that was active for less than that has shown no rhythm: a snapshot, and then nothing to tell."""

# The fewer pauses a stream has shown, the less its longest one says. Of events at random intervals (Poisson), the pause
# after k others is longer than f times the longest of these in one case of C(f + k, k): about one of 10^6 here.
_TIMES_BY_PAUSES = ((100, 4), (20, 7), (10, 13), (5, 40))


def is_silent(idle_ns: int, events: int, longest_pause_ns: int, active_ns: int) -> bool:
    """Say whether an open stream without a byte for ``idle_ns`` has gone silent.

    ``active_ns`` is the time from its opening to its last byte, ``longest_pause_ns`` the longest between two arrivals.
    """
    pauses = events - 1
    times = next((times for least, times in _TIMES_BY_PAUSES if pauses >= least), None)
    if times is None or active_ns < LEAST_ACTIVE_NS:
        return False  # counted as a stream without an event, or seen in the open gap
    return idle_ns > max(LEAST_SILENCE_NS, times * longest_pause_ns)
